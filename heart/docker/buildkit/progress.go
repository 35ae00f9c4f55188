package buildkit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"aorta/heart/docker/dockerfile"
)

// progress turns BuildKit's updates into lines, in the words that docker build
// uses: steps run side by side, so each line says whose it is.
type progress struct {
	recipe dockerfile.Recipe
	names  *strings.Replacer // to what secrets are called in the Dockerfile
	steps  map[digest.Digest]*step
	done   int
	cached int                // of those
	at     *step              // that began last
	failed *dockerfile.Failed // by the first step that failed
}

// step is one of the Dockerfile's, or one that BuildKit does for itself.
type step struct {
	place       string // such as [build 2/5]
	instruction string // such as RUN make
	own         bool   // is BuildKit's own, such as sending the context
	begun, over bool
	output      dockerfile.Lines
}

func newProgress(r dockerfile.Recipe, names *strings.Replacer) *progress {
	return &progress{recipe: r, names: names, steps: map[digest.Digest]*step{}}
}

func (p *progress) add(u *client.SolveStatus) {
	for _, v := range u.Vertexes {
		p.meet(v)
	}
	for _, v := range u.Vertexes {
		if v.Completed != nil && v.Cached { // before what runs: that is where the build is
			p.end(p.steps[v.Digest], v)
		}
	}
	for _, v := range u.Vertexes {
		if v.Started != nil {
			p.begin(p.steps[v.Digest], v)
		}
	}
	for _, l := range u.Logs {
		if s := p.steps[l.Vertex]; s != nil {
			_, _ = s.output.Write(l.Data)
		}
	}
	for _, w := range u.Warnings {
		p.recipe.Line("warning: " + string(w.Short))
	}
	for _, v := range u.Vertexes {
		if v.Completed != nil {
			p.end(p.steps[v.Digest], v)
		}
	}
}

var stepName = regexp.MustCompile(`(?s)^(\[[^\]]*\]) (.*)$`)

// meet remembers a step that is announced.
func (p *progress) meet(v *client.Vertex) {
	if p.steps[v.Digest] != nil {
		return
	}
	s := &step{instruction: oneLine(v.Name)}
	if found := stepName.FindStringSubmatch(v.Name); found != nil {
		s.place, s.instruction = found[1], oneLine(found[2])
	}
	s.own = s.place == "" || s.place == "[internal]" || s.place == "[auth]"
	s.output.Emit = func(line string) { p.recipe.Line(s.place + " | " + line) }
	p.steps[v.Digest] = s
}

func (p *progress) begin(s *step, v *client.Vertex) {
	if s.begun || s.own {
		return
	}
	// Whether it is cached is known at its end at the latest; before it a step
	// that does nothing says nothing.
	if v.Completed != nil && v.Cached {
		return
	}
	s.begun = true
	p.at = s
	p.recipe.Line(s.place + " " + s.instruction)
	p.report(s)
}

// report says how far the build is: at the step that runs, else at the one that has
// just ended.
func (p *progress) report(s *step) {
	n := p.done
	if p.at != nil && !p.at.over {
		s, n = p.at, n+1
	}
	p.recipe.Report(dockerfile.Step{N: n, Of: p.total(), Name: s.instruction, Cached: p.cached})
}

func (p *progress) end(s *step, v *client.Vertex) {
	if s.over {
		return
	}
	s.output.Flush()
	if v.Error != "" {
		p.fail(s, v)
		return
	}
	s.over = true
	if s.own {
		return
	}
	p.done++
	switch {
	case v.Cached:
		p.cached++
		p.recipe.Line("CACHED " + s.place + " " + s.instruction)
		p.report(s)
	case v.Started != nil:
		p.recipe.Line(fmt.Sprintf("%s DONE %s", s.place, seconds(v.Completed.Sub(*v.Started))))
	}
}

// fail notes the step that failed. Those beside it are cancelled by that.
func (p *progress) fail(s *step, v *client.Vertex) {
	if p.failed != nil || cancelled(v.Error) {
		return
	}
	text := p.names.Replace(plain(v.Error))
	p.recipe.Line(s.place + " ERROR: " + oneLine(text))
	p.failed = &dockerfile.Failed{Step: s.instruction, Message: text}
}

// total is the number of the Dockerfile's steps that are known of.
func (p *progress) total() int {
	n := 0
	for _, s := range p.steps {
		if !s.own {
			n++
		}
	}
	return n
}

// flush gives out what is left of lines without an end.
func (p *progress) flush() {
	for _, s := range p.steps {
		s.output.Flush()
	}
}

func oneLine(text string) string {
	return strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
}

// seconds gives a duration as docker build shows it.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
}
