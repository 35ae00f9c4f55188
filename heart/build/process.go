package build

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"aorta/pacemaker/cluster"
)

// DefaultMemory is what the process of a build may take, in bytes. What a step of
// the Dockerfile takes is the engine's, and no part of it.
const DefaultMemory = 1 << 30

// DefaultCPU is the processor time that reading a source may take, up to the first
// step of its Dockerfile.
const DefaultCPU = time.Minute

// exitGrace is how long the last words of a process that has ended may take.
const exitGrace = 5 * time.Second

// process is a build that runs in a process of its own.
type process struct {
	spec   cluster.BuildSpec
	memory int64
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	said   *head // on stderr
	life   *os.File
}

// make builds in a process of its own and relays what that says.
func (b *Builder) make(ctx context.Context, run teller, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	source, err := b.source(ctx, spec)
	if err != nil {
		return cluster.BuildResult{}, fmt.Errorf("fetch the source of %s: %w", spec.App, err)
	}
	defer source.Close()
	p, err := b.start(ctx, spec)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	last, err := p.follow(order{Spec: spec, Settings: b.Settings, Host: b.Engine.Host(), Dir: b.Dir, Memory: p.memory, CPU: cmp.Or(b.MaxCPU, DefaultCPU)}, source, run)
	died := new(diedError)
	if errors.As(err, &died) && ctx.Err() == nil {
		b.Log.Error("the process of a build died", "app", spec.App, "build", spec.ID, "state", p.cmd.ProcessState.String(), "stderr", p.said.String())
	}
	return last, err
}

// source is empty for a build that has none.
func (b *Builder) source(ctx context.Context, spec cluster.BuildSpec) (io.ReadCloser, error) {
	if spec.Kind == cluster.SourceImage {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return b.Source.BuildSource(ctx, spec.ID)
}

// start starts this very program, also when its file was replaced meanwhile. The
// end of ctx kills it: the engine ends a build whose client is gone.
func (b *Builder) start(ctx context.Context, spec cluster.BuildSpec) (*process, error) {
	p := &process{spec: spec, memory: b.MaxMemory, said: &head{limit: maxSaid}}
	if p.memory == 0 {
		p.memory = DefaultMemory
	}
	p.cmd = exec.CommandContext(ctx, "/proc/self/exe", b.Child...)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr, p.cmd.WaitDelay = "/", environment(), p.said, exitGrace
	// What a terminal sends to this process is not for it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	life, ours, err := os.Pipe()
	if err != nil {
		return nil, cluster.Unavailable("the process that builds %s could not be started: %v", spec.App, err)
	}
	defer life.Close()
	p.life, p.cmd.ExtraFiles = ours, []*os.File{life}
	p.in, err = p.cmd.StdinPipe()
	if err == nil {
		p.out, err = p.cmd.StdoutPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		_ = ours.Close()
		return nil, cluster.Unavailable("the process that builds %s could not be started: %v", spec.App, err)
	}
	return p, nil
}

// environment is what a Docker client and a Go program may need to know. Whatever
// else this process was given, such as a password, is not for others to read. Nor
// is GORACE: BuildKit's frontend sets one flag from each stage without a lock,
// and may go on.
func environment() []string {
	env := []string{"GOMAXPROCS=1"} // the other processors are for requests
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch name = strings.ToUpper(name); {
		case name == "PATH", name == "HTTP_PROXY", name == "HTTPS_PROXY", name == "NO_PROXY",
			name == "GODEBUG", strings.HasPrefix(name, "DOCKER_"):
			env = append(env, kv)
		}
	}
	return env
}

// follow sends the order and the source, relays what is said, and returns once
// the process has ended.
func (p *process) follow(o order, source io.ReadCloser, run teller) (cluster.BuildResult, error) {
	stream := &recorder{in: source}
	sent := make(chan struct{})
	go func() { // ends with the source, which is closed below
		defer close(sent)
		p.send(o, stream)
	}()
	last, err := p.relay(run)
	if err != nil || last.ends() {
		_ = p.cmd.Process.Kill() // nothing that it says counts any more
	}
	broken := stream.broken()
	_ = source.Close()
	<-sent
	err = errors.Join(err, p.cmd.Wait())
	_ = p.life.Close()
	switch {
	case last.Result != nil:
		return *last.Result, nil
	case broken != nil:
		return cluster.BuildResult{}, &cluster.Error{Code: cluster.CodeUnavailable, Message: fmt.Sprintf("the transfer of the source was interrupted: %v", broken), Err: broken}
	case last.Error != nil:
		return cluster.BuildResult{}, &cluster.Error{Code: last.Error.Code, Message: last.Error.Message}
	}
	return cluster.BuildResult{}, p.death(err)
}

// send writes what the process reads. That it reads no further is no fault.
func (p *process) send(o order, source io.Reader) {
	defer p.in.Close()
	line, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("encode what to build: %v", err)) // text and numbers: it can't fail
	}
	if _, err := p.in.Write(append(line, '\n')); err == nil {
		_, _ = io.Copy(p.in, source)
	}
}

// relay passes on what the process says until it says how the build ended, or
// nothing more.
func (p *process) relay(run teller) (event, error) {
	lines := bufio.NewScanner(p.out)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		e, err := parseEvent(lines.Bytes())
		switch {
		case err != nil:
			return event{}, err
		case e.Line != nil:
			run.Log(*e.Line)
		case e.Step != nil:
			run.Progress(e.Step.N, e.Step.Of, e.Step.Text)
		case e.ends():
			return e, nil
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return event{}, errNoEvent
	}
	return event{}, lines.Err()
}

// recorder remembers the error of a stream: whoever reads what came of it sees
// its end alone.
type recorder struct {
	in  io.Reader
	mu  sync.Mutex // guards err
	err error
}

// Read reads.
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	}
	return n, err
}

func (r *recorder) broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
