package redisconn

import (
	"context"
	"sync"

	"aorta/internal/broadcast"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// Endpoint is where a node finds its jobs. That may become another Redis while
// the node runs: the operator has named another one.
type Endpoint struct {
	moved *broadcast.Signal // at is another

	mu sync.Mutex // guards at
	at cluster.RedisEndpoint
}

// NewEndpoint makes one that is not set.
func NewEndpoint() *Endpoint { return &Endpoint{moved: broadcast.New()} }

// Set says where the jobs are now; workers go there.
func (e *Endpoint) Set(at cluster.RedisEndpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at == e.at {
		return
	}
	e.at = at
	e.moved.Notify()
}

// At is where they are now.
func (e *Endpoint) At() cluster.RedisEndpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}

// Work runs a worker of one queue until ctx ends, wherever the jobs are.
func (e *Endpoint) Work(ctx context.Context, opt redisq.WorkerOptions) error {
	for ctx.Err() == nil {
		if err := e.workThere(ctx, opt); err != nil {
			return err
		}
	}
	return nil
}

// workThere works until ctx ends or the jobs are elsewhere.
func (e *Endpoint) workThere(ctx context.Context, opt redisq.WorkerOptions) error {
	moved := e.moved.C() // before at, so that no move is missed
	at := e.At()
	client, err := dial(at, opt.Concurrency+opt.Urgent+4)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	here, leave := context.WithCancel(ctx)
	defer leave()
	go func() { // ends with the worker, at the latest
		defer leave()
		select {
		case <-moved:
			opt.Log.Info("the jobs are in another Redis now", "queue", opt.Queue.Owner)
		case <-here.Done():
		}
	}()
	return redisq.NewWorker(client, opt).Run(here)
}
