package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"aorta/heart/docker/buildkit"
	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// BuiltPrefix starts the names of images that were built here. They are never
// pulled: at a public registry anybody may own that name.
const BuiltPrefix = "aorta/"

// BuildClassic makes an image by the engine's classic builder. The end of ctx
// ends the build on the engine. It has neither secrets nor cache mounts: a
// Dockerfile that asks for what BuildKit alone has fails.
func (e *Engine) BuildClassic(ctx context.Context, r dockerfile.Recipe) error {
	if err := errors.Join(buildkit.CheckSize(r), buildkit.CheckPlain(r)); err != nil {
		return err
	}
	if r.Guard != nil {
		if err := e.checkNames(ctx, r); err != nil {
			return err
		}
	}
	// Steps are on the cluster's network, where they reach no more than instances do.
	if _, err := e.EnsureNetwork(ctx); err != nil {
		return err
	}
	t := newTranscript(r)
	err := e.call(ctx, "build an image", buildTimeout, func(ctx context.Context) error {
		file, in := r.Tar()
		defer in.Close()
		res, err := e.cli.ImageBuild(ctx, in, e.classicOptions(r, file))
		if cerrdefs.IsInvalidArgument(err) && !containsAny(err.Error(), noSpace) {
			t.failure = &dockerfile.Failed{Message: withoutSender(err)}
			return nil
		}
		if err != nil {
			return err
		}
		defer res.Body.Close()
		return t.read(res.Body)
	})
	if t.failure != nil && ctx.Err() == nil {
		return t.failure
	}
	return err
}

func (e *Engine) classicOptions(r dockerfile.Recipe, file string) client.ImageBuildOptions {
	args := map[string]*string{}
	for k, v := range r.Args {
		args[k] = &v
	}
	return client.ImageBuildOptions{
		Version: build.BuilderV1, Dockerfile: file, Target: r.Target, BuildArgs: args, Tags: []string{r.Tag}, Labels: r.Labels,
		Remove: true, ForceRemove: true, PullParent: r.AlwaysPull, NetworkMode: e.networkName(),
		Memory: r.Memory, MemorySwap: r.Memory, CPUPeriod: dockerfile.CPUPeriod, CPUQuota: r.CPUQuota(),
	}
}

// transcript turns the engine's stream of a build into lines and an outcome.
type transcript struct {
	recipe  dockerfile.Recipe
	output  dockerfile.Lines
	step    string // the instruction, such as RUN make
	at      dockerfile.Step
	ours    bool // the step is that of the platform's labels
	failure error
}

func newTranscript(r dockerfile.Recipe) *transcript {
	t := &transcript{recipe: r}
	t.output.Emit = t.emit
	return t
}

func (t *transcript) read(in io.Reader) error {
	dec := json.NewDecoder(in)
	for {
		var m jsonstream.Message
		err := dec.Decode(&m)
		if err == io.EOF {
			t.output.Flush()
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the build's output: %w", err)
		}
		t.add(m)
	}
}

func (t *transcript) add(m jsonstream.Message) {
	switch {
	case m.Error != nil:
		t.output.Flush()
		t.failure = &dockerfile.Failed{Step: t.step, Message: m.Error.Message, Code: m.Error.Code}
		if lostLayer(m.Error.Message) {
			t.failure = cluster.Unavailable("a cached layer was removed during the build: %s", m.Error.Message)
		}
	case m.Stream != "":
		_, _ = t.output.Write([]byte(m.Stream))
	case m.Status != "" && m.Progress == nil:
		_, _ = t.output.Write([]byte(strings.TrimPrefix(m.ID+": "+m.Status, ": ") + "\n"))
	}
}

// lostLayer recognises a build that failed because a cached layer was removed
// meanwhile, as by a prune. Another attempt builds the layer again.
func lostLayer(message string) bool {
	return containsAny(message, "failed to get digest sha256", `unable to find image "sha256:`)
}

var stepPattern = regexp.MustCompile(`^Step (\d+)/(\d+) : (.*)`)

// usesCache is what the engine says of a step that it need not run.
const usesCache = " ---> Using cache"

// emit passes on a line of output. The engine makes a step of its own of the labels,
// behind the Dockerfile's: nobody wrote it, so nobody sees it.
func (t *transcript) emit(line string) {
	if found := stepPattern.FindStringSubmatch(line); found != nil {
		t.ours = len(t.recipe.Labels) > 0 && found[1] == found[2] && strings.HasPrefix(found[3], "LABEL "+cluster.LabelPrefix)
		if t.ours {
			return
		}
		line = t.begin(found)
	}
	if t.ours && strings.HasPrefix(line, " --->") || t.ours && strings.HasPrefix(line, "Removing intermediate") {
		return
	}
	t.ours = false
	if line == usesCache {
		t.at.Cached++
		t.recipe.Report(t.at)
	}
	t.recipe.Line(line)
}

// begin takes the line of a step, found by its pattern, and gives it as people see
// it: without the platform's own step in the count.
func (t *transcript) begin(found []string) string {
	t.step = found[3]
	n, errN := strconv.Atoi(found[1])
	of, errOf := strconv.Atoi(found[2])
	if errN != nil || errOf != nil {
		return found[0]
	}
	if len(t.recipe.Labels) > 0 {
		of--
	}
	t.at = dockerfile.Step{N: n, Of: of, Name: t.step, Cached: t.at.Cached}
	t.recipe.Report(t.at)
	return fmt.Sprintf("Step %d/%d : %s", n, of, t.step)
}
