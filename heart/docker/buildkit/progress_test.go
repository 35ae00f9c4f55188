package buildkit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"aorta/heart/docker/dockerfile"
)

// A build whose first steps are cached says them and the first that runs in one
// update. What is said last is what runs.
func TestProgress_NamesTheStepThatRuns(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var got []dockerfile.Step
	p := newProgress(dockerfile.Recipe{Line: func(string) {}, Step: func(s dockerfile.Step) { got = append(got, s) }}, strings.NewReplacer())
	cached := func(id, name string) *client.Vertex {
		return &client.Vertex{Digest: digest.Digest(id), Name: name, Started: &now, Completed: &now, Cached: true}
	}
	runs := &client.Vertex{Digest: digest.Digest("c"), Name: "[3/4] RUN make", Started: &now}
	last := &client.Vertex{Digest: digest.Digest("d"), Name: "[4/4] COPY . ."}

	p.add(&client.SolveStatus{Vertexes: []*client.Vertex{cached("a", "[1/4] FROM base"), runs, cached("b", "[2/4] COPY a b"), last}})
	p.add(&client.SolveStatus{Vertexes: []*client.Vertex{cached("d", last.Name)}})

	want := []dockerfile.Step{
		{N: 1, Of: 4, Name: "FROM base", Cached: 1},
		{N: 2, Of: 4, Name: "COPY a b", Cached: 2},
		{N: 3, Of: 4, Name: "RUN make", Cached: 2},
		{N: 4, Of: 4, Name: "RUN make", Cached: 3},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("steps: got - want +\n%s", diff)
	}
}
