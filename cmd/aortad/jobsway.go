package main

import (
	"context"
	"sync"

	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// jobsWay is a node's way to its jobs. It may become another while the node
// runs: the operator has named another Redis.
type jobsWay struct {
	mu    sync.Mutex // guards all below
	door  cluster.RedisDoor
	moved chan struct{} // closed when door is another
}

func newJobsWay() *jobsWay { return &jobsWay{moved: make(chan struct{})} }

func (w *jobsWay) get() (cluster.RedisDoor, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.door, w.moved
}

func (w *jobsWay) set(door cluster.RedisDoor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if door == w.door {
		return
	}
	w.door = door
	close(w.moved)
	w.moved = make(chan struct{})
}

// work runs a worker of one queue, as this node's own user.
func (n *node) work(name string, opt redisq.WorkerOptions) {
	opt.ID, opt.Crash, opt.Log = string(n.id), n.d.crash, n.d.log
	n.d.loop(name, func(ctx context.Context) error {
		for ctx.Err() == nil {
			if err := n.workThere(ctx, opt); err != nil {
				return err
			}
		}
		return nil
	})
}

// workThere works until ctx ends or the jobs are elsewhere.
func (n *node) workThere(ctx context.Context, opt redisq.WorkerOptions) error {
	door, moved := n.jobs.get()
	client, err := dialJobs(door, opt.Concurrency+opt.Urgent+4)
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
