package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

func TestDomains_OneOwner(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, _ := newApp(t, s, "shop")
	other, _ := newApp(t, s, "other")
	_, err := s.AddDomain(t.Context(), shop, "shop.example.com", "admin")
	must(t, err)

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
	must(t, s.RenameApp(t.Context(), shop.ID, "store", "store.test.local", shop.Version, "admin"))
	reborn, err := s.CreateApp(t.Context(), "shop", "shop.test.local", "admin")

	if cluster.CodeOf(taken) != cluster.CodeConflict || cluster.CodeOf(stale) != cluster.CodeConflict {
		t.Errorf("got %v and %v, want two conflicts", taken, stale)
	}
	if err != nil || reborn.ID == shop.ID {
		t.Errorf("got %v, want the name and its host free for another app", err)
	}
	domains, err := s.Domains(t.Context(), shop.ID)
	must(t, err)
	if len(domains) != 1 || domains[0].Host != "store.test.local" || !domains[0].Own {
		t.Errorf("got %+v, want its new own host alone", domains)
	}
}

func TestEvents_SayWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	_, err := s.AddDomain(t.Context(), app, "shop.example.com", "ann")
	must(t, err)
	must(t, s.ChangeConfig(t.Context(), app, map[string]string{"KEY": "canary-value"}, []string{"OLD"}, "ann"))
	must(t, s.RenameApp(t.Context(), app.ID, "store", "store.test.local", 0, "ann"))
	must(t, s.RemoveDomain(t.Context(), app, "shop.example.com", "ann"))
	newNode(t, s, "n1")
	_ = s.RenameApp(t.Context(), app.ID, "store", "x", 99, "ann") // refused: no event

	var rows []eventRow
	must(t, s.read.Order("id").Find(&rows).Error)

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
	must(t, s.ChangeConfig(t.Context(), app, map[string]string{"KEY": canary}, nil, "admin"))
	release := newRelease(t, s, op)
	must(t, s.CreateNode(t.Context(), cluster.Node{ID: cluster.NewID(), Name: "n1"}, HashToken(canary), "admin"))
	must(t, s.ReplaceToken(t.Context(), "admin", canary))
	_, err := s.ClaimKey(t.Context(), "admin", "k", canary)
	must(t, err)
	must(t, s.KeepAnswer(t.Context(), "admin", "k", KeptAnswer{Status: 201, Body: []byte(canary)}))

	vars, err := s.ReleaseConfig(t.Context(), release.ID)
	must(t, err)
	user, err := s.UserByToken(t.Context(), canary)
	must(t, err)
	kept, err := s.ClaimKey(t.Context(), "admin", "k", canary)
	must(t, err)

	if vars["KEY"] != canary || user.Name != "admin" || string(kept.Body) != canary {
		t.Errorf("got %v, %v, %s, want all of it readable through the store", vars, user, kept.Body)
	}
	for _, name := range []string{"aorta.db", "aorta.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if len(raw) == 0 || bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%s: %d bytes, the secret in the clear: %t", name, len(raw), bytes.Contains(raw, []byte(canary)))
		}
	}
}

func TestUserByToken_RefusesWhatIsNoLongerGood(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	now := c.now().UnixNano()
	must(t, s.write(t.Context(), "age tokens", func(tx *gorm.DB) error {
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
	must(t, s.EndOperation(t.Context(), Ending{ID: first.ID, State: cluster.OperationSucceeded}))
	must(t, next(cluster.OpDestroy, IfIdle(), WithDestroying()))
	late := next(cluster.OpDeploy)

	if cluster.CodeOf(busy) != cluster.CodeConflict || cluster.CodeOf(late) != cluster.CodeConflict || !strings.Contains(late.Error(), "being destroyed") {
		t.Errorf("got %v and %v, want one that is at work, and an app that goes", busy, late)
	}
}

func TestEndOperation_EndsOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	_, op := newApp(t, s, "shop")
	must(t, s.EndOperation(t.Context(), Ending{ID: op.ID, State: cluster.OperationFailed, Error: "why", Tree: []byte(`{"a":1}`), Log: []byte("[]")}))

	must(t, s.EndOperation(t.Context(), Ending{ID: op.ID, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))

	have, err := s.Operation(t.Context(), op.ID)
	must(t, err)
	tree, _, err := s.Archived(t.Context(), op.ID)
	must(t, err)
	if have.State != cluster.OperationFailed || have.Error != "why" || string(tree) != `{"a":1}` {
		t.Errorf("got %s (%s) with %s, want the first end", have.State, have.Error, tree)
	}
}
