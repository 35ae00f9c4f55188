package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// BuiltPrefix starts the names of images that were built here; they are never
// asked for at a public registry, where anybody may own that name.
const BuiltPrefix = "aorta/"

// Recipe is one build of an image from a Dockerfile.
type Recipe struct {
	Context    io.Reader // a tar with the Dockerfile in its root
	Tag        string
	Labels     map[string]string
	Memory     int64   // bytes each step may use
	CPUs       float64 // cores each step may use
	AlwaysPull bool    // ask the registry for base images that are here, too
	Line       func(string)
}

// BuildFailed is a step that failed: the app's fault, not the engine's.
type BuildFailed struct {
	Step    string // such as "Step 3/5 : RUN make"; empty before the first
	Message string
	Code    int // exit code of the step's command; 0 when it was none
}

// Error names the step and its cause.
func (b *BuildFailed) Error() string {
	if b.Step == "" {
		return b.Message
	}
	return fmt.Sprintf("%s: %s", b.Step, b.Message)
}

// Build makes an image and returns its id. The end of ctx ends the build on
// the engine. Output goes to Line, line by line.
func (e *Engine) Build(ctx context.Context, r Recipe) (string, error) {
	t := &transcript{line: r.Line}
	err := e.call(ctx, "build an image", buildTimeout, func(ctx context.Context) error {
		res, err := e.cli.ImageBuild(ctx, r.Context, r.options())
		if err != nil {
			return err
		}
		defer res.Body.Close()
		return t.read(res.Body)
	})
	if t.failure != nil && ctx.Err() == nil {
		return "", t.failure
	}
	return t.id, err
}

func (r Recipe) options() client.ImageBuildOptions {
	const period = 100_000 // microseconds
	return client.ImageBuildOptions{
		Version: build.BuilderV1, Dockerfile: "Dockerfile", Tags: []string{r.Tag}, Labels: r.Labels,
		Remove: true, ForceRemove: true, PullParent: r.AlwaysPull,
		Memory: r.Memory, MemorySwap: r.Memory, CPUPeriod: period, CPUQuota: int64(r.CPUs * period),
	}
}

// transcript turns the engine's stream of a build into lines and an outcome.
type transcript struct {
	line    func(string)
	pending string
	step    string
	id      string
	failure error
}

func (t *transcript) read(in io.Reader) error {
	dec := json.NewDecoder(in)
	for {
		var m jsonstream.Message
		err := dec.Decode(&m)
		if err == io.EOF {
			t.flush()
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the build's output: %w", err)
		}
		t.take(m)
	}
}

func (t *transcript) take(m jsonstream.Message) {
	switch {
	case m.Error != nil:
		t.flush()
		t.failure = &BuildFailed{Step: t.step, Message: m.Error.Message, Code: m.Error.Code}
		if lostLayer(m.Error.Message) {
			t.failure = cluster.Unavailable("a cached layer was removed during the build: %s", m.Error.Message)
		}
	case m.Aux != nil:
		var aux build.Result
		if json.Unmarshal(*m.Aux, &aux) == nil && aux.ID != "" {
			t.id = aux.ID
		}
	case m.Stream != "":
		t.text(m.Stream)
	case m.Status != "" && m.Progress == nil:
		t.text(strings.TrimPrefix(m.ID+": "+m.Status, ": ") + "\n")
	}
}

// lostLayer knows a build whose cached layer went while it stood on it, as when
// images are pruned beside it. The layer is not in the cache any more, so that
// another attempt builds it.
func lostLayer(message string) bool {
	return has(message, "failed to get digest sha256", `unable to find image "sha256:`)
}

func (t *transcript) text(s string) {
	t.pending += s
	for {
		line, rest, ok := strings.Cut(t.pending, "\n")
		if !ok {
			return
		}
		t.pending = rest
		t.tell(line)
	}
}

func (t *transcript) flush() {
	if t.pending != "" {
		t.tell(t.pending)
		t.pending = ""
	}
}

func (t *transcript) tell(line string) {
	line = strings.TrimRight(line, "\r ")
	if strings.HasPrefix(line, "Step ") {
		t.step = line
	}
	t.line(strings.ToValidUTF8(line, "\uFFFD"))
}
