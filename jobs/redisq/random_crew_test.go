package redisq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// crewEnv, when it is set, makes the test binary a worker process of the random
// trees. It names the socket; descriptor 3 is the journal.
const crewEnv = "REDISQ_TEST_CREW"

// crewRisk is the chance, in percent, that a worker process kills itself at one
// of the named points.
const crewRisk = 1

var crewQueues = []jobs.Queue{jobs.NodeQueue("a"), jobs.RoleQueue("r")}

// crew are worker processes, each replaced when it dies.
type crew struct {
	tb      testing.TB
	socket  string
	journal *journal
	done    sync.WaitGroup
	stop    chan struct{} // closed by end

	mu    sync.Mutex // guards all below
	procs []*exec.Cmd
	died  int
}

func startCrew(tb testing.TB, socket string, j *journal) *crew {
	c := &crew{tb: tb, socket: socket, journal: j, stop: make(chan struct{}), procs: make([]*exec.Cmd, crewSize)}
	for i := range crewSize {
		gone := c.hire(i)
		c.done.Go(func() { c.replace(i, gone) })
	}
	return c
}

// hire starts a worker process in a place.
func (c *crew) hire(i int) <-chan struct{} {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crewEnv+"="+c.socket)
	cmd.ExtraFiles = []*os.File{c.journal.in}
	gone := testkit.StartChild(c.tb, cmd)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.procs[i] = cmd
	return gone
}

// replace keeps a place filled until end.
func (c *crew) replace(i int, gone <-chan struct{}) {
	for {
		select {
		case <-c.stop:
			c.signal(i, syscall.SIGKILL)
			<-gone
			return
		case <-gone:
			c.mu.Lock()
			c.died++
			pid := c.procs[i].Process.Pid
			c.mu.Unlock()
			c.journal.write(event{What: eventDead, Pid: pid})
			gone = c.hire(i)
		}
	}
}

func (c *crew) signal(i int, s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.procs[i].Process.Signal(s)
}

// end stops all and returns how many had died before.
func (c *crew) end() int {
	close(c.stop)
	c.done.Wait()
	return c.died
}

// runCrew is a worker process: one worker for each queue.
func runCrew() {
	rdb := redis.NewClient(clientOptions(os.Getenv(crewEnv)))
	p := player{journal: os.NewFile(3, "journal")}
	handlers := map[string]jobs.Handler{}
	for _, kind := range []string{kindMany, kindOnce, kindLimited, kindClean} {
		handlers[kind] = p.play
	}
	var g errgroup.Group
	for _, q := range crewQueues {
		opt := workerOptions(q, handlers)
		opt.Crash = func(string) {
			if rand.IntN(100) < crewRisk {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
		g.Go(func() error { return NewWorker(rdb, opt).Run(context.Background()) })
	}
	if err := g.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// player runs scripts and writes down when it began and ended each.
type player struct{ journal *os.File }

// proof is the result of a run: it tells which one was believed.
type proof struct {
	Nonce string `json:"nonce"`
}

func (p player) play(ctx context.Context, r *jobs.Run) (any, error) {
	nonce := uuid.NewString()
	e := event{What: eventBegin, Pid: os.Getpid(), Job: r.ID(), Attempt: r.Attempt(), Nonce: nonce}
	p.note(e)
	e.What = eventEnd
	defer func() {
		if v := recover(); v != nil {
			p.note(e)
			panic(v)
		}
	}()
	err := perform(ctx, r)
	e.Good = err == nil
	p.note(e)
	if err != nil {
		return nil, err
	}
	return proof{Nonce: nonce}, nil
}

// note writes a line in one piece, and in the order in which all processes
// write theirs: it is shorter than what a pipe takes at once.
func (p player) note(e event) {
	if _, err := p.journal.Write(e.line()); err != nil {
		os.Exit(1)
	}
}

func perform(ctx context.Context, r *jobs.Run) error {
	var s script
	if err := r.Args(&s); err != nil {
		return err
	}
	r.Log("begun")
	err := errors.Join(graftSome(r.Graft, s.Graft), graftSome(r.GraftRoot, s.GraftRoot))
	if err != nil {
		return err
	}
	now := s.Steps[min(r.Attempt(), len(s.Steps))-1]
	r.Progress(1, 2, now.Do)
	if err := work(ctx, time.Duration(now.Millis)*time.Millisecond); err != nil {
		return err
	}
	switch now.Do {
	case doFail:
		return errors.New("bad luck")
	case doPermanent:
		return jobs.Permanent(errors.New("very bad luck"))
	case doPanic:
		panic("no luck at all")
	case doWait:
		<-ctx.Done()
		return context.Cause(ctx)
	case doDeaf:
		return work(context.WithoutCancel(ctx), limitedTimeout+3*testTTL)
	}
	return nil
}

func graftSome(graft func(...jobs.Spec) error, specs []jobs.Spec) error {
	if len(specs) == 0 {
		return nil
	}
	return graft(specs...)
}

// work takes its time, unless its context ends.
func work(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// parseProof reads the result of a succeeded job.
func parseProof(j *jobs.Job) string {
	var p proof
	_ = json.Unmarshal(j.Result, &p)
	return p.Nonce
}
