package build_test

import (
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/pacemaker/cluster"
)

// The engine's build cache gives an app what was made of its own secret alone, and
// of the value that the secret has now.
func TestBuilder_CachesNoStepOfAnotherSecret(t *testing.T) {
	b, s, _ := setUp(t, nil)
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	once := string(cluster.NewID())
	build := func(app cluster.ID, secrets map[string]string) string {
		t.Helper()
		s.spec = cluster.BuildSpec{ID: cluster.NewID(), AppID: app, App: "shop", Kind: cluster.SourceArchive, Cluster: s.spec.Cluster, Secrets: secrets}
		s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nENV ONCE=" + once + "\nRUN --mount=type=secret,id=token mkdir /ctx && echo of $(cat /run/secrets/token) >/ctx/made\nCOPY --from=" + base + " /bin/sh /ctx/sh\nRUN echo made $(cat /ctx/made)\nCMD [\"x\"]"})
		r := &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}
		got, err := b.Build(t.Context(), r)
		if err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
		}
		said := strings.Join(r.Lines(), "\n")
		made := dockerRun(t, got.Image.Ref, "/bin/cat", "/ctx/made")
		if strings.Contains(said, "CACHED [stage-0 2/4] RUN --mount=type=secret,id=token mkdir") {
			return "cached " + made
		}
		return made
	}
	one, other := cluster.NewID(), cluster.NewID()
	first, second := map[string]string{"token": "one"}, map[string]string{"token": "two"}
	for _, c := range []struct {
		name    string
		app     cluster.ID
		secrets map[string]string
		want    string
	}{
		{"the first build", one, first, "of one"},
		{"the same app and value", one, first, "cached of one"},
		{"another app, another value", other, second, "of two"},
		{"another app, the same value", other, first, "of one"},
		{"the first app, a changed value", one, second, "of two"},
		{"the first app, an empty value", one, map[string]string{"token": ""}, "of"},
		{"a third app without it", cluster.NewID(), nil, "of"},
		{"the first app without it", one, nil, "of"},
		{"the first app with its first value", one, first, "cached of one"},
	} {
		if got := build(c.app, c.secrets); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
