package docker

import (
	"slices"
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

// The classic builder makes a step of the labels that the platform gives an image.
func TestTranscript_ShowsNoStepThatNobodyWrote(t *testing.T) {
	var lines []string
	var told []dockerfile.Step
	tr := newTranscript(dockerfile.Recipe{
		Labels: map[string]string{cluster.LabelAppID: "a1"},
		Line:   func(line string) { lines = append(lines, line) },
		Step:   func(s dockerfile.Step) { told = append(told, s) },
	})
	stream := ""
	for _, line := range []string{
		"Step 1/3 : FROM scratch", " ---> 1a2b", "Step 2/3 : LABEL aorta.mine=1", " ---> Running in 7c8d", "Removing intermediate container 7c8d", " ---> 3c4d",
		"Step 3/3 : LABEL aorta.app-id=a1 aorta.build=b1", " ---> Running in 5e6f", "Removing intermediate container 5e6f", " ---> 9a0b", "Successfully built 9a0b",
	} {
		stream += `{"stream":` + quoted(line+`\n`) + "}\n"
	}

	if err := tr.read(strings.NewReader(stream)); err != nil {
		t.Fatal(err)
	}

	want := []string{
		"Step 1/2 : FROM scratch", " ---> 1a2b", "Step 2/2 : LABEL aorta.mine=1", " ---> Running in 7c8d", "Removing intermediate container 7c8d", " ---> 3c4d",
		"Successfully built 9a0b",
	}
	if !slices.Equal(lines, want) || len(told) != 2 || told[1] != (dockerfile.Step{N: 2, Of: 2, Name: "LABEL aorta.mine=1"}) {
		t.Errorf("got %q and %+v, want %q", lines, told, want)
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
