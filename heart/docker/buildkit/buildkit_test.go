package buildkit

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	"pgregory.net/rapid"

	"aorta/heart/docker/dockerfile"
)

var testContext = context.Background()

func check(t *rapid.T, tr *tree) {
	var v fsutil.Validator
	err := tr.Walk(testContext, "/", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		return v.HandleChange(fsutil.ChangeKindAdd, name, info, err)
	})
	if err != nil {
		t.Error(err)
	}
}

// clock gives times of a build's steps.
func clock(seconds float64) *time.Time {
	at := time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	return &at
}

func TestProgress_SaysWhatDockerBuildDoes(t *testing.T) {
	var said []string
	var steps []dockerfile.Step
	p := newProgress(dockerfile.Recipe{Line: func(l string) { said = append(said, l) }, Step: func(s dockerfile.Step) { steps = append(steps, s) }}, newSecrets(dockerfile.Recipe{}).plain)
	from, run, copied, internal := digest.FromString("from"), digest.FromString("run"), digest.FromString("copy"), digest.FromString("internal")
	name := map[digest.Digest]string{from: "[build 1/2] FROM base", run: "[build 2/2] RUN make \\\n  all", copied: "[stage-1 1/1] COPY a b", internal: "[internal] load build context"}
	vertex := func(d digest.Digest, change func(*client.Vertex)) *client.SolveStatus {
		v := &client.Vertex{Digest: d, Name: name[d]}
		change(v)
		return &client.SolveStatus{Vertexes: []*client.Vertex{v}}
	}
	for d := range name {
		p.add(vertex(d, func(*client.Vertex) {}))
	}

	for range 2 { // updates may come twice
		p.add(vertex(internal, func(v *client.Vertex) { v.Started, v.Completed = clock(0), clock(1) }))
		p.add(vertex(from, func(v *client.Vertex) { v.Started, v.Completed, v.Cached = clock(1), clock(1), true }))
	}
	p.add(vertex(run, func(v *client.Vertex) { v.Started = clock(1) }))
	p.add(vertex(copied, func(v *client.Vertex) { v.Started = clock(1) }))
	p.add(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: run, Data: []byte("one\ntw")}, {Vertex: run, Data: []byte("o\nhalf")}}})
	p.add(vertex(copied, func(v *client.Vertex) {
		v.Started, v.Completed, v.Error = clock(1), clock(2), "context canceled: context canceled"
	}))
	p.add(vertex(run, func(v *client.Vertex) {
		v.Started, v.Completed, v.Error = clock(1), clock(3.14), "executor failed running [/bin/sh -c make]: exit code: 2"
	}))

	want := []string{
		"CACHED [build 1/2] FROM base", "[build 2/2] RUN make \\ all", "[stage-1 1/1] COPY a b",
		"[build 2/2] | one", "[build 2/2] | two", "[build 2/2] | half", "[build 2/2] ERROR: executor failed running [/bin/sh -c make]: exit code: 2",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if len(steps) != 3 || steps[2] != (dockerfile.Step{N: 2, Of: 3, Name: "COPY a b", Cached: 1}) {
		t.Errorf("got the steps %+v", steps)
	}
	err := p.verdict(testContext, context.DeadlineExceeded)
	want2 := &dockerfile.Failed{Step: "RUN make \\ all", Message: "its command returned a non-zero code: 2", Code: 2}
	if diff := cmp.Diff(error(want2), err); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}

func TestFailure_IsInWords(t *testing.T) {
	for text, want := range map[string]string{
		`process "/bin/sh -c a ] b" did not complete successfully: exit code: 127`:                       "its command returned a non-zero code: 127",
		`"/none" not found: not found`:                                                                   `"none" is not in the build's context: it is not in the source, or the ignore file leaves it out`,
		`failed to compute cache key: failed to calculate checksum of ref a::b: "/x/y": not found`:       `"x/y" is not in the build's context: it is not in the source, or the ignore file leaves it out`,
		`secret token not found: not found`:                                                              "secret token is not set (aorta builds set-secret token=…)",
		`secret token: not found`:                                                                        "secret token is not set (aorta builds set-secret token=…)",
		`requested experimental feature exec.secretenv  is not supported by build server, please update`: "the Docker engine is too old for this (exec.secretenv): update it, or write the Dockerfile without",
		`grpc: received message larger than max (18938812 vs. 16777216)`:                                 "the steps of the Dockerfile are more than the Docker engine takes at once: write fewer instructions, or shorter ENV and ARG values, which each step after them carries",
		`target stage "prod" could not be found`:                                                         `the Dockerfile has no stage "prod" (FROM … AS prod)`,
		`dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)`:               `dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)`,
	} {
		if got := inWords(plain("failed to solve: rpc error: code = Unknown desc = " + text)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
