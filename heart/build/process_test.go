package build_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/heart/build"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// misbehaviours are processes of a build that end, or say, what none should.
var misbehaviours = map[string]func(){
	"panics":  func() { panic("the source was too clever") },
	"killed":  func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"silent":  func() {},
	"garbage": func() { fmt.Println("{]"); select {} },
	"endless": func() { _, _ = io.Copy(os.Stdout, endless{}) },
	"two":     func() { fmt.Println(`{"line":"x","error":{"code":"invalid","message":"y"}}`); select {} },
	"exhausted": func() {
		fmt.Fprintln(os.Stderr, "fatal error: runtime: out of memory")
		os.Exit(2)
	},
	"loops": func() {
		fmt.Println(`{"line":"begun"}`)
		for n := 0; ; n++ {
			looped = n
		}
	},
}

var looped int

// endless is a line without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// However the process of a build ends, the build fails for good and says why, and
// the builder goes on.
func TestBuilder_OutlivesTheProcessOfABuild(t *testing.T) {
	for behaviour, want := range map[string]string{
		"panics":    "ended without a result: panic: the source was too clever",
		"killed":    "was ended by a signal (killed)",
		"silent":    "ended without a result",
		"garbage":   "said what is no event",
		"endless":   "said what is no event",
		"two":       "said what is no event",
		"exhausted": "reading the source of shop took more than 1g of memory",
	} {
		t.Run(behaviour, func(t *testing.T) {
			b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile})
			var log bytes.Buffer
			b.Child, b.Log = []string{behaviour}, slog.New(slog.NewTextHandler(&log, nil))

			_, err := b.Build(t.Context(), r)

			if err == nil || !strings.Contains(err.Error(), want) || !jobs.IsPermanent(err) || cluster.CodeOf(err) == cluster.CodeUnavailable {
				t.Errorf("got %v, want a permanent error with %q", err, want)
			}
			if len(s.done) != 1 || s.done[0].State != cluster.BuildFailed || !strings.Contains(log.String(), "the process of a build died") {
				t.Errorf("recorded %+v, logged %q; want it failed, and a word to the operator", s.done, log.String())
			}
		})
	}
}

// A process that does not listen any more ends with its build all the same.
func TestBuilder_EndsAProcessThatLoops(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile})
	b.Child = []string{"loops"}
	ctx, cancel := context.WithCancelCause(t.Context())
	r.OnLog = func(string) { cancel(jobs.ErrAborted) }

	_, err := b.Build(ctx, r)

	if !errors.Is(err, jobs.ErrAborted) || len(s.done) != 0 {
		t.Errorf("got %v, recorded %v; want aborted, nothing recorded", err, s.done)
	}
}

// A source that takes too much memory to read ends its own process alone; another
// is read within the same bound.
func TestBuilder_BoundsTheMemoryOfASource(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	b.MaxMemory = 128 << 20
	b.Log = slog.New(slog.DiscardHandler)
	_, small := b.Build(t.Context(), r)
	s.spec.ID, s.spec.State, s.done = cluster.NewID(), "", nil
	one := rig.Tar(t, map[string]string{strings.Repeat(strings.Repeat("n", 200)+"/", 20) + "x": ""})
	one = one[:len(one)-1024]            // without its end
	s.source = bytes.Repeat(one, 40_000) // of names alone, 160 MB

	_, err := b.Build(t.Context(), r)

	if small != nil || err == nil || !strings.Contains(err.Error(), "reading the source of shop took more than 128m of memory") || !jobs.IsPermanent(err) || len(s.done) != 1 {
		t.Errorf("got %v, then %v, recorded %+v; want it failed for good, with the bound", small, err, s.done)
	}
}

// A source that takes too much processor time to read ends, also where nothing
// waits: its files lie in 2,000 folders within one another.
func TestBuilder_BoundsTheProcessorTimeOfASource(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	b.MaxCPU = time.Second
	_, small := b.Build(t.Context(), r)
	s.spec.ID, s.spec.State, s.done = cluster.NewID(), "", nil
	files := map[string]string{"Dockerfile": "FROM scratch\n"}
	for i := range 5000 {
		files[strings.Repeat("a/", 2000)+fmt.Sprint(i)] = ""
	}
	s.source = rig.Tar(t, files)

	_, err := b.Build(t.Context(), r)

	if small != nil || err == nil || !strings.Contains(err.Error(), "reading the source of shop took more than 1s of processor time") || !jobs.IsPermanent(err) || len(s.done) != 1 {
		t.Errorf("got %v, then %v, recorded %+v; want it failed for good, with the bound", small, err, s.done)
	}
}

// What serves requests comes before what reads sources.
func TestChild_LeavesTheProcessorsToOthers(t *testing.T) {
	b, _, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	nice := false
	r.OnLog = func(string) { nice = nice || hasNiceChild(t) }

	_, err := b.Build(t.Context(), r)

	if err != nil || !nice {
		t.Errorf("got %v, a process with the priority of a build: %t", err, nice)
	}
}

// hasNiceChild looks for a process of a build of which each thread has priority 10,
// and that uses one processor.
func hasNiceChild(t *testing.T) bool {
	t.Helper()
	return slices.ContainsFunc(children(t), func(pid string) bool {
		if shown := shownOf(pid); !bytes.Contains(shown, []byte("\x00build\x00")) || !bytes.Contains(shown, []byte("GOMAXPROCS=1\x00")) {
			return false
		}
		threads, _ := filepath.Glob("/proc/" + pid + "/task/*/stat") // of a constant pattern
		return len(threads) > 0 && !slices.ContainsFunc(threads, func(file string) bool {
			stat, err := os.ReadFile(file)
			_, fields, _ := strings.Cut(string(stat), ") ")
			const niceness = 16 // the field, after the name
			return err == nil && strings.Fields(fields)[niceness] != "10"
		})
	})
}

// What a build is told is on its input alone, and its environment is what a
// Docker client needs.
func TestBuilder_ShowsNoSecretInTheProcessList(t *testing.T) {
	const secret = "s3cret-0f-the-app"
	t.Setenv("AORTAD_SOME_PASSWORD", secret)
	e, id := rig.Engine(t)
	s := &site{spec: cluster.BuildSpec{ID: cluster.NewID(), AppID: cluster.NewID(), App: "shop", Kind: cluster.SourceArchive, Cluster: id, Secrets: map[string]string{"token": secret}}}
	b := &build.Builder{Engine: e, Source: s, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Child: []string{"loops"}}
	ctx, cancel := context.WithCancelCause(t.Context())
	var seen []byte
	r := &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}, OnLog: func(string) {
		seen = shownOfChildren(t)
		cancel(jobs.ErrAborted)
	}}

	_, err := b.Build(ctx, r)

	if !errors.Is(err, jobs.ErrAborted) || !bytes.Contains(seen, []byte("\x00loops\x00")) || bytes.Contains(seen, []byte(secret)) {
		t.Errorf("got %v, and of the process %q; want its arguments without the secret", err, seen)
	}
}

// shownOfChildren is what others see of the processes that this one has started.
func shownOfChildren(t *testing.T) []byte {
	t.Helper()
	var seen []byte
	for _, pid := range children(t) {
		seen = append(seen, shownOf(pid)...)
	}
	return seen
}

func children(t *testing.T) []string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, file := range tasks {
		list, _ := os.ReadFile(file) // a thread may have ended
		pids = append(pids, strings.Fields(string(list))...)
	}
	return pids
}

func shownOf(pid string) []byte {
	var seen []byte
	for _, name := range []string{"cmdline", "environ"} {
		text, _ := os.ReadFile(filepath.Join("/proc", pid, name))
		seen = append(seen, text...)
	}
	return seen
}

// Nobody has to end the process of a build after its builder was killed.
func TestChild_EndsWithItsParent(t *testing.T) {
	life, ours, err := os.Pipe()
	testkit.Must(t, err)
	cmd := exec.Command("/proc/self/exe", "build")
	cmd.ExtraFiles = []*os.File{life}
	in, err := cmd.StdinPipe() // stays open: it waits for its order
	testkit.Must(t, err)
	gone := testkit.StartChild(t, cmd)
	testkit.Must(t, life.Close())

	testkit.Must(t, ours.Close())

	testkit.Receive(t, "the process to end", gone)
	_ = in.Close()
}

// A build has a limit of time, and the next step is in its error.
func TestBuilder_EndsABuildThatTakesTooLong(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile})
	b.Child, b.Timeout = []string{"loops"}, 100*time.Millisecond

	_, err := b.Build(t.Context(), r)

	if err == nil || !strings.Contains(err.Error(), "building shop took longer than 100ms and was ended (let it do less, or raise the limit of the builder's daemon: --build-timeout") || !jobs.IsPermanent(err) {
		t.Errorf("got %v, want the limit and how to raise it, for good", err)
	}
	if len(s.done) != 1 || s.done[0].State != cluster.BuildFailed {
		t.Errorf("recorded %+v, want it failed", s.done)
	}
}
