package store

import (
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestChangeGrants_AddsAndTakesAway(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")

	granted, err := s.ChangeGrants(t.Context(), app.ID, []string{"SYS_NICE", "NET_RAW", "NET_RAW"}, nil, "ann")
	testkit.Must(t, err)
	left, err := s.ChangeGrants(t.Context(), app.ID, []string{"MKNOD"}, []string{"NET_RAW"}, "ann")
	testkit.Must(t, err)
	_, missing := s.ChangeGrants(t.Context(), app.ID, []string{"CHOWN"}, []string{"SYS_NICE", "SYS_PTRACE"}, "ann")
	after, err := s.App(t.Context(), "shop")
	testkit.Must(t, err)

	if want := []string{"NET_RAW", "SYS_NICE"}; !slices.Equal(granted, want) {
		t.Errorf("granted: got %v, want %v", granted, want)
	}
	if want := []string{"MKNOD", "SYS_NICE"}; !slices.Equal(left, want) || !slices.Equal(after.Grants, want) {
		t.Errorf("left: got %v and %v, want %v", left, after.Grants, want)
	}
	if want := `SYS_PTRACE was not granted to app "shop" (what is: MKNOD, SYS_NICE)`; cluster.CodeOf(missing) != cluster.CodeNotFound || missing.Error() != want {
		t.Errorf("revoke of what was not granted: got %v, want %q and nothing changed", missing, want)
	}
	if after.Version != app.Version+2 {
		t.Errorf("version: got %d, want it to rise with each change from %d", after.Version, app.Version)
	}
}
