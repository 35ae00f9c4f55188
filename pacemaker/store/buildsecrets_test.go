package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestBuildSecrets_AreKeptSealedAndNamedAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	other, _ := newApp(t, s, "other")

	names, err := s.ChangeBuildSecrets(t.Context(), app, map[string]string{"npmrc": "hunter2\nx", "token": "t0k3n"}, nil, "ann")
	testkit.Must(t, err)
	if diff := cmp.Diff([]string{"npmrc", "token"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	_, missing := s.ChangeBuildSecrets(t.Context(), app, map[string]string{"token": "never"}, []string{"npmrc", "none"}, "ann")
	if cluster.CodeOf(missing) != cluster.CodeNotFound || !strings.Contains(missing.Error(), `no build secret "none"`) {
		t.Errorf("unset of none: got %v, want it named and nothing changed", missing)
	}
	_, err = s.ChangeBuildSecrets(t.Context(), app, map[string]string{"token": "changed"}, []string{"npmrc"}, "ann")
	testkit.Must(t, err)

	secrets, err := s.BuildSecrets(t.Context(), app.ID)
	testkit.Must(t, err)
	if diff := cmp.Diff(map[string]string{"token": "changed"}, secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if names, err := s.BuildSecretNames(t.Context(), other.ID); err != nil || len(names) != 0 {
		t.Errorf("another app has %v, %v", names, err)
	}
	var kept []string
	testkit.Must(t, s.read.Table("build_secrets").Pluck("sealed", &kept).Error)
	var noted []string
	testkit.Must(t, s.read.Table("events").Where("action = 'build-secrets.change'").Pluck("before || ' ' || after", &noted).Error)
	if all := strings.Join(append(kept, noted...), " "); len(kept) != 1 || len(noted) != 2 || strings.Contains(all, "changed") || strings.Contains(all, "hunter2") || !strings.Contains(all, "set token") {
		t.Errorf("got sealed %q and events %q; want values in neither", kept, noted)
	}
}

func TestBuildSecrets_HaveALimit(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, _ := newApp(t, s, "shop")
	many := map[string]string{}
	for i := range cluster.MaxSecrets + 1 {
		many[fmt.Sprint("S", i)] = "v"
	}

	_, err := s.ChangeBuildSecrets(t.Context(), app, many, nil, "ann")

	names, listed := s.BuildSecretNames(t.Context(), app.ID)
	if cluster.CodeOf(err) != cluster.CodeInvalid || listed != nil || len(names) != 0 {
		t.Errorf("got %v, and %d names are kept (%v); want it refused whole", err, len(names), listed)
	}
}
