package docker

import (
	"strings"
	"testing"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

func TestTranscript_LostLayerIsNotTheAppsFault(t *testing.T) {
	for message, want := range map[string]cluster.Code{
		`unable to find image "sha256:4fb6bebbe60d76183f209cf24ff1eaddf9ade4b3b38df4c3be59907d5c589974"`: cluster.CodeUnavailable,
		`failed to get digest sha256:4fb6: open /var/lib/docker/image: no such file or directory`:        cluster.CodeUnavailable,
		`COPY failed: file not found in build context: stat missing: file does not exist`:                cluster.CodeInternal,
	} {
		tr := newTranscript(dockerfile.Recipe{Line: func(string) {}})
		stream := `{"stream":"Step 1/2 : FROM scratch\n"}` + "\n" + `{"errorDetail":{"message":` + quoted(message) + `},"error":` + quoted(message) + `}`

		if err := tr.read(strings.NewReader(stream)); err != nil {
			t.Fatalf("%s: %v", message, err)
		}

		if got := cluster.CodeOf(tr.failure); got != want {
			t.Errorf("%s: got %s (%v), want %s", message, got, tr.failure, want)
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
