package store

import (
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// moveTo gives the cluster another domain.
func moveTo(tb testing.TB, s *Store, domain string) {
	tb.Helper()
	_, err := s.MoveOwnHosts(tb.Context(), func(app string) string { return app + "." + domain })
	testkit.Must(tb, err)
}

// wantHosts checks an app's hosts: its own one, then the others, former ones in
// brackets.
func wantHosts(tb testing.TB, s *Store, what string, app cluster.App, want ...string) {
	tb.Helper()
	list, err := s.Domains(tb.Context(), app.ID)
	testkit.Must(tb, err)
	var got []string
	for i, d := range list {
		host := d.Host
		if d.Former {
			host = "(" + host + ")"
		}
		if d.Own != (i == 0) {
			host += " own is wrong"
		}
		got = append(got, host)
	}
	if !slices.Equal(got, want) {
		tb.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestMoveOwnHosts_LeavesTheHostsOfBefore(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, _ := newApp(t, s, "shop")
	blog, _ := newApp(t, s, "blog")

	moveTo(t, s, "b")
	wantHosts(t, s, "moved", shop, "shop.b", "(shop.test.local)")
	moveTo(t, s, "c")
	wantHosts(t, s, "moved again", shop, "shop.c", "(shop.b)", "(shop.test.local)")
	moveTo(t, s, "test.local")
	wantHosts(t, s, "moved back", shop, "shop.test.local", "(shop.b)", "(shop.c)")
	testkit.Must(t, s.RemoveDomain(t.Context(), shop, "shop.b", "ann"))
	wantHosts(t, s, "one removed", shop, "shop.test.local", "(shop.c)")

	former, err := s.FormerHosts(t.Context())
	want := []AppHost{{"blog.b", "blog"}, {"blog.c", "blog"}, {"shop.c", "shop"}}
	if err != nil || !slices.Equal(former, want) {
		t.Errorf("got %v, %v, want %v", former, err, want)
	}
	wantHosts(t, s, "the other", blog, "blog.test.local", "(blog.b)", "(blog.c)")
}

// A host in the domain that is the cluster's now belongs to the app of that name.
func TestMoveOwnHosts_NamesGoBeforeFormerNames(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := t.Context()
	first, _ := newApp(t, s, "shop")
	moveTo(t, s, "b")
	testkit.Must(t, s.RenameApp(ctx, first.ID, "store", "store.b", 0, "ann"))
	wantHosts(t, s, "renamed", first, "store.b", "(shop.test.local)")
	second, err := s.CreateApp(ctx, "shop", "shop.b", "ann")
	testkit.Must(t, err)

	moveTo(t, s, "test.local")

	wantHosts(t, s, "the app of that name", second, "shop.test.local", "(shop.b)")
	wantHosts(t, s, "the one that had it", first, "store.test.local", "(store.b)")
	testkit.Must(t, s.DeleteApp(ctx, second.ID))
	moveTo(t, s, "b")
	testkit.Must(t, s.RenameApp(ctx, first.ID, "new", "new.b", 0, "ann"))
	moveTo(t, s, "test.local")
	testkit.Must(t, s.RenameApp(ctx, first.ID, "store", "store.test.local", 0, "ann"))
	wantHosts(t, s, "renamed to what it was", first, "store.test.local", "(new.b)")
	_, err = s.CreateApp(ctx, "new", "new.b", "ann")
	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), "aorta domains remove -a store new.b") {
		t.Errorf("got %v, want a conflict with the next step", err)
	}
}

// What apps were given in the cluster's new domain keeps nothing from starting: an
// app's own host is its, and who looks beforehand is told.
func TestMoveOwnHosts_TakesWhatOthersWereGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStoreIn(t, dir)
	shop, _ := newApp(t, s, "shop")
	blog, _ := newApp(t, s, "blog")
	for _, host := range []string{"blog.b", "*.b", "free.b", "shop.b.c", "blog.c"} {
		_, err := s.AddDomain(t.Context(), shop, host, "ann")
		testkit.Must(t, err)
	}
	_, err := s.AddDomain(t.Context(), blog, "shop.b", "ann")
	testkit.Must(t, err)
	claims, err := Claims(t.Context(), Config{Dir: dir}, "b")
	testkit.Must(t, err)

	moved, err := s.MoveOwnHosts(t.Context(), func(app string) string { return app + ".b" })

	testkit.Must(t, err)
	if want := []AppHost{{"shop.b", "blog"}, {"*.b", "shop"}, {"blog.b", "shop"}}; !slices.Equal(claims, want) {
		t.Errorf("beforehand: got %v, want %v", claims, want)
	}
	slices.SortFunc(moved.Taken, func(a, b AppHost) int { return strings.Compare(a.Host, b.Host) })
	if want := []AppHost{{"blog.b", "shop"}, {"shop.b", "blog"}}; moved.Apps != 2 || !slices.Equal(moved.Taken, want) {
		t.Errorf("got %+v, want %v of 2 apps", moved, want)
	}
	wantHosts(t, s, "one", shop, "shop.b", "*.b", "blog.c", "free.b", "shop.b.c", "(shop.test.local)")
	wantHosts(t, s, "the other", blog, "blog.b", "(blog.test.local)")
	held, err := s.HeldHosts(t.Context())
	if want := []AppHost{{"*.b", "shop"}}; err != nil || !slices.Equal(held, want) {
		t.Errorf("held: got %v, %v, want %v", held, err, want)
	}
}
