package redisq

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"aorta/internal/backoff"
	"aorta/jobs"
)

// WorkerOptions describe a worker. Queue, ID and Handlers are required.
type WorkerOptions struct {
	Queue       jobs.Queue
	ID          string                  // names the worker for people, and in the consumer group
	Concurrency int                     // handlers at a time; 1 if 0
	Urgent      int                     // more handlers at a time, for jobs of High priority alone
	Handlers    map[string]jobs.Handler // by kind; a job of another kind fails for good
	LeaseTTL    time.Duration           // the keeper's; three beats in it; 3 s if 0
	StopTimeout time.Duration           // for saying how handlers ended while stopping; 2 s if 0
	// Crash is called at named points, for tests that end the process there.
	Crash func(point string)
	Log   *slog.Logger // slog.Default if nil

	block time.Duration // of a waiting read; it does not notice the end of its context
}

func (o *WorkerOptions) fill() {
	o.Concurrency = max(o.Concurrency, 1)
	if o.LeaseTTL <= 0 {
		o.LeaseTTL = 3 * time.Second
	}
	if o.StopTimeout <= 0 {
		o.StopTimeout = 2 * time.Second
	}
	if o.block <= 0 {
		o.block = readBlock
	}
	if o.Crash == nil {
		o.Crash = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// Worker takes jobs from one queue and runs their handlers.
type Worker struct {
	rdb   redis.UniversalClient
	waits redis.UniversalClient // for reads that wait; ends with Run's context
	opt   WorkerOptions
	keys  queueKeys

	begun chan struct{} // an attempt began

	mu   sync.Mutex          // guards runs
	runs map[string]*attempt // by lease token

	// beating is held while beats are on their way, and by an attempt that
	// stops beating: no beat may follow its outcome.
	beating sync.Mutex
}

// NewWorker makes a worker; Run starts it. The client must not repeat commands
// (MaxRetries -1) and needs two connections and one for each handler, urgent
// ones too; reads that wait have others. Its user needs what NodeACL or RoleACL
// grants.
func NewWorker(rdb redis.UniversalClient, opt WorkerOptions) *Worker {
	opt.fill()
	return &Worker{
		rdb: rdb, opt: opt, keys: keysOf(opt.Queue),
		runs: map[string]*attempt{}, begun: make(chan struct{}, 1),
	}
}

// Run takes and runs jobs until ctx ends. Then the handlers' contexts end with
// jobs.ErrStopping, Run waits for them, and their jobs go back to the queue. It
// returns nil, or an error when the options can't work. An unreachable,
// restarted or wiped Redis is waited for.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.opt.Queue.Validate(); err != nil {
		return fmt.Errorf("run worker %s: %w", w.opt.ID, err)
	}
	if w.opt.ID == "" {
		return fmt.Errorf("run a worker of %s: its id is missing", w.opt.Queue.Owner)
	}
	var err error
	if w.waits, err = dedicated(w.rdb); err != nil {
		return fmt.Errorf("run worker %s: %w", w.opt.ID, err)
	}
	end := sync.OnceFunc(func() { _ = w.waits.Close() })
	defer end()
	defer context.AfterFunc(ctx, end)()
	// Beats go on while handlers end: their leases are still theirs.
	alive, dead := context.WithCancel(context.WithoutCancel(ctx))
	defer dead()
	var g errgroup.Group
	g.Go(func() error { w.beat(alive); return nil })
	g.Go(func() error { w.listen(alive); return nil })
	var fetchers, handlers sync.WaitGroup
	fetchers.Go(func() { w.fetcher(w.streams(), w.opt.Concurrency).run(ctx, &handlers) })
	if w.opt.Urgent > 0 {
		fetchers.Go(func() { w.fetcher(w.streams()[:jobs.High+1], w.opt.Urgent).run(ctx, &handlers) })
	}
	fetchers.Wait()
	w.returnUnbegun(ctx)
	handlers.Wait()
	dead()
	return g.Wait()
}

// recoverFrom makes the groups that a wiped server lacks, or waits.
func (w *Worker) recoverFrom(ctx context.Context, err error, wait *backoff.Backoff) {
	if !isNoGroup(err) {
		w.opt.Log.Warn("a worker can't read its queue; it tries again", "queue", w.opt.Queue.Owner, "error", err)
		wait.Pause(ctx)
		return
	}
	for i := range priorities {
		err := w.rdb.XGroupCreateMkStream(ctx, w.keys.stream(i), group, "0").Err()
		if err != nil && !isBusyGroup(err) {
			w.opt.Log.Warn("a worker can't make its consumer group; it tries again", "queue", w.opt.Queue.Owner, "error", err)
			wait.Pause(ctx)
			return
		}
	}
}

// lookup returns the attempt that runs under a lease, if it runs here.
func (w *Worker) lookup(token string) *attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[token]
}
