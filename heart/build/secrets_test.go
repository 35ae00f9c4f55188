package build

import (
	"strings"
	"testing"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

func TestMasker_HidesSecretsInOutput(t *testing.T) {
	m := masker(map[string]string{"a": "hunter2", "b": "-----BEGIN\nline-one\n\n", "c": "short"})

	for text, want := range map[string]string{
		"token=hunter2;hunter2 x": "token=***;*** x",
		"  line-one":              "  ***",
		"a short word":            "a short word",
	} {
		if got := m.Replace(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWithoutBuildKit_ABuildThatNeedsSecretsIsRefused(t *testing.T) {
	secrets := map[string][]byte{"npm": []byte("x")}
	mounting := dockerfile.Recipe{Dockerfile: "Dockerfile", Text: []byte("FROM a\nRUN --mount=type=cache,target=/c --mount=id=npm,type=secret npm ci\n"), Secrets: secrets}

	_, err := withoutSecrets(mounting, "the engine is old")
	if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), "mounts a build secret, which needs BuildKit, and the engine is old") {
		t.Errorf("got %v, want it refused with the reason", err)
	}
	remark, err := withoutSecrets(dockerfile.Recipe{Text: []byte("FROM a\nRUN npm ci\n"), Secrets: secrets}, "the engine is old")
	if err != nil || !strings.Contains(remark, "the app's build secrets are not used") {
		t.Errorf("nothing mounts them: got %q, %v; want a remark", remark, err)
	}
	if remark, err := withoutSecrets(dockerfile.Recipe{Text: []byte("FROM a\n")}, "x"); remark != "" || err != nil {
		t.Errorf("no secrets: got %q, %v", remark, err)
	}
}
