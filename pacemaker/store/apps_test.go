package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestDomains_OneOwner(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, _ := newApp(t, s, "shop")
	other, _ := newApp(t, s, "other")
	_, err := s.AddDomain(t.Context(), shop, "shop.example.com", "admin")
	testkit.Must(t, err)

	_, taken := s.AddDomain(t.Context(), other, "shop.example.com", "admin")
	_, twice := s.AddDomain(t.Context(), shop, "shop.example.com", "admin")
	own := s.RemoveDomain(t.Context(), shop, "shop.test.local", "admin")
	foreign := s.RemoveDomain(t.Context(), other, "shop.example.com", "admin")

	want := `host shop.example.com is used by app "shop" (remove it there first: aorta domains remove -a shop shop.example.com)`
	if cluster.CodeOf(taken) != cluster.CodeConflict || taken.Error() != want {
		t.Errorf("got %v, want %s", taken, want)
	}
	if cluster.CodeOf(twice) != cluster.CodeConflict || !strings.Contains(twice.Error(), "by this app already") {
		t.Errorf("twice: got %v, want a conflict", twice)
	}
	if cluster.CodeOf(own) != cluster.CodeInvalid || cluster.CodeOf(foreign) != cluster.CodeNotFound {
		t.Errorf("got %v for its own host and %v for another's, want invalid and not found", own, foreign)
	}
}

func TestRenameApp_TakesItsOwnHostAlong(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, _ := newApp(t, s, "shop")
	_, _ = newApp(t, s, "other")

	taken := s.RenameApp(t.Context(), shop.ID, "other", "other.test.local", 0, "admin")
	stale := s.RenameApp(t.Context(), shop.ID, "store", "store.test.local", shop.Version+1, "admin")
	testkit.Must(t, s.RenameApp(t.Context(), shop.ID, "store", "store.test.local", shop.Version, "admin"))
	reborn, err := s.CreateApp(t.Context(), "shop", "shop.test.local", "admin")

	if cluster.CodeOf(taken) != cluster.CodeConflict || cluster.CodeOf(stale) != cluster.CodeConflict {
		t.Errorf("got %v and %v, want two conflicts", taken, stale)
	}
	if err != nil || reborn.ID == shop.ID {
		t.Errorf("got %v, want the name and its host free for another app", err)
	}
	domains, err := s.Domains(t.Context(), shop.ID)
	testkit.Must(t, err)
	if len(domains) != 1 || domains[0].Host != "store.test.local" || !domains[0].Own {
		t.Errorf("got %+v, want its new own host alone", domains)
	}
}

func TestEvents_SayWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	_, err := s.AddDomain(t.Context(), app, "shop.example.com", "ann")
	testkit.Must(t, err)
	testkit.Must(t, s.ChangeConfig(t.Context(), app, map[string]string{"KEY": "canary-value"}, []string{"OLD"}, "ann"))
	testkit.Must(t, s.RenameApp(t.Context(), app.ID, "store", "store.test.local", 0, "ann"))
	testkit.Must(t, s.RemoveDomain(t.Context(), app, "shop.example.com", "ann"))
	newNode(t, s, "n1")
	_ = s.RenameApp(t.Context(), app.ID, "store", "x", 99, "ann") // refused: no event

	var rows []eventRow
	testkit.Must(t, s.read.Order("id").Find(&rows).Error)

	var got []string
	for _, r := range rows {
		if r.At == 0 || r.Username == "" || strings.Contains(r.Before+r.After+r.Thing, "canary-value") {
			t.Errorf("got event %+v, want a time, a name and no secret", r)
		}
		got = append(got, r.Action)
	}
	want := "app.create operation.deploy domain.add config.change app.rename domain.remove node.create"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestStore_KeepsNoSecretInTheClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStoreIn(t, dir)
	app, op := newApp(t, s, "shop")
	const canary = "canary-7f3a"
	testkit.Must(t, s.ChangeConfig(t.Context(), app, map[string]string{"KEY": canary}, nil, "admin"))
	release := newRelease(t, s, op)
	testkit.Must(t, s.CreateNode(t.Context(), cluster.Node{ID: cluster.NewID(), Name: "n1", KeyHash: HashToken(canary)}, "admin"))
	testkit.Must(t, s.ReplaceToken(t.Context(), "admin", canary))
	_, err := s.ClaimIdempotencyKey(t.Context(), "admin", "k", canary)
	testkit.Must(t, err)
	testkit.Must(t, s.SaveAnswer(t.Context(), "admin", "k", SavedAnswer{Status: 201, Body: []byte(canary)}))

	vars, err := s.ReleaseConfig(t.Context(), release.ID)
	testkit.Must(t, err)
	user, err := s.UserByToken(t.Context(), canary)
	testkit.Must(t, err)
	kept, err := s.ClaimIdempotencyKey(t.Context(), "admin", "k", canary)
	testkit.Must(t, err)

	if vars["KEY"] != canary || user.Name != "admin" || string(kept.Body) != canary {
		t.Errorf("got %v, %v, %s, want all of it readable through the store", vars, user, kept.Body)
	}
	for _, name := range []string{"aorta.db", "aorta.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		testkit.Must(t, err)
		if len(raw) == 0 || bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%s: %d bytes, the secret in the clear: %t", name, len(raw), bytes.Contains(raw, []byte(canary)))
		}
	}
}

func TestUserByToken_RefusesWhatIsNoLongerGood(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	now := c.now().UnixNano()
	testkit.Must(t, s.write(t.Context(), "age tokens", func(tx *gorm.DB) error {
		var admin userRow
		if err := tx.Take(&admin).Error; err != nil {
			return err
		}
		past, future := now-1, now+1
		return tx.Create([]tokenRow{
			{ID: "1", UserID: admin.ID, Hash: HashToken("revoked"), RevokedAt: &past},
			{ID: "2", UserID: admin.ID, Hash: HashToken("expired"), ExpiresAt: &past},
			{ID: "3", UserID: admin.ID, Hash: HashToken("good"), ExpiresAt: &future},
		}).Error
	}))

	for token, want := range map[string]bool{"revoked": false, "expired": false, "unknown": false, "": false, "good": true, "token": true} {
		_, err := s.UserByToken(t.Context(), token)

		if (err == nil) != want {
			t.Errorf("%q: got %v, want it good: %t", token, err, want)
		}
	}
}

func TestBegin_TakesTurns(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, first := newApp(t, s, "shop")
	next := func(kind cluster.OperationKind, parts ...Part) error {
		return s.Begin(t.Context(), cluster.Operation{ID: cluster.NewID(), Kind: kind, AppID: app.ID, Title: "next", User: "admin"}, parts...)
	}

	busy := next(cluster.OpDeploy, IfIdle())
	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: first.ID, State: cluster.OperationSucceeded}))
	testkit.Must(t, next(cluster.OpDestroy, IfIdle(), WithDestroying()))
	late := next(cluster.OpDeploy)

	if cluster.CodeOf(busy) != cluster.CodeConflict || cluster.CodeOf(late) != cluster.CodeConflict || !strings.Contains(late.Error(), "being destroyed") {
		t.Errorf("got %v and %v, want one that is at work, and an app that goes", busy, late)
	}
}

func TestEndOperation_EndsOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	_, op := newApp(t, s, "shop")
	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: op.ID, State: cluster.OperationFailed, Error: "why", Tree: []byte(`{"a":1}`), Log: []byte("[]")}))

	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: op.ID, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))

	have, err := s.Operation(t.Context(), op.ID)
	testkit.Must(t, err)
	tree, _, err := s.Archived(t.Context(), op.ID)
	testkit.Must(t, err)
	if have.State != cluster.OperationFailed || have.Error != "why" || string(tree) != `{"a":1}` {
		t.Errorf("got %s (%s) with %s, want the first end", have.State, have.Error, tree)
	}
}

func TestChangeConfig_RefusesMoreThanAProcessStartsWith(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	large := map[string]string{}
	for i := range 31 {
		large[fmt.Sprintf("VAR_%d", i)] = strings.Repeat("x", cluster.MaxConfigValue)
	}
	testkit.Must(t, s.ChangeConfig(t.Context(), app, large, nil, "ann"))
	more := map[string]string{"MORE": large["VAR_0"]}

	err := s.ChangeConfig(t.Context(), app, more, nil, "ann")

	if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), "the limit is 1048576") {
		t.Errorf("one too many: got %v, want it invalid with the limit", err)
	}
	if vars, err := s.Config(t.Context(), app.ID); err != nil || len(vars) != len(large) {
		t.Errorf("got %d config vars, %v; want the %d of before", len(vars), err, len(large))
	}
	testkit.Must(t, s.ChangeConfig(t.Context(), app, more, []string{"VAR_0"}, "ann"))
}
