package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aorta/heart/score"
	"aorta/heart/tags"
	"aorta/internal/pause"
	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
)

const (
	// beatTimeout bounds one call of a beat.
	beatTimeout = 10 * time.Second
	// beatConflicts is how often a hello may be refused because another process
	// has this node's session: that one may have been killed just now.
	beatConflicts = 5
)

// beatController is the pacemaker's API as a beat uses it.
type beatController interface {
	Hello(context.Context, cluster.Hello) (cluster.Welcome, error)
	Report(context.Context, cluster.Report) (cluster.ReportAnswer, error)
}

// beat reports for a node without a heart that it is there: with no instances,
// every interval. A heart reports for its node itself.
type beat struct {
	pacemaker beatController
	hello     cluster.Hello
	every     time.Duration
	load      func() cluster.Load
	tags      *tags.Finder
	parts     func() []cluster.Part
	welcomed  func(cluster.Welcome)
	log       *slog.Logger

	counter uint64
	away    bool
}

// openBeat reports for a node without a heart.
func (n *node) openBeat() {
	meter := score.New("/proc", n.d.cfg.DataDir)
	b := &beat{
		pacemaker: n.client, hello: n.hello, every: n.d.cfg.ReportEvery, parts: n.d.watch.Parts, welcomed: n.welcomed, log: n.d.log, tags: n.tags,
		load: func() cluster.Load {
			load, err := meter.Read()
			if err != nil {
				n.d.log.Warn("could not measure the node's load in full", "err", err)
			}
			return load.Scored()
		},
	}
	n.d.loop("beat", b.Run)
}

// Run beats until ctx ends. It fails when the pacemaker refuses the node.
func (b *beat) Run(ctx context.Context) error {
	for {
		if err := b.once(ctx); err != nil {
			return err
		}
		if !tick.Next(ctx, b.every) {
			return ctx.Err()
		}
	}
}

func (b *beat) once(ctx context.Context) error {
	b.counter++
	bounded, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	found := b.tags.Found()
	_, err := b.pacemaker.Report(bounded, cluster.Report{
		Session: b.hello.Session, Counter: b.counter, Roles: b.hello.Roles, Address: b.hello.Address,
		Load: b.load(), Tags: found.Tags, TagSources: found.Sources, Parts: b.parts(), Digest: cluster.InstanceDigest(nil), Full: true,
	})
	switch code := cluster.CodeOf(err); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && code.EndsSession():
		return b.register(ctx)
	}
	b.logReachability(err)
	return nil
}

// register opens the node's session anew: a pacemaker that was started again
// knows none. It fails when the pacemaker refuses, and leaves it to the next
// beat while it is away.
func (b *beat) register(ctx context.Context) error {
	for refusals := 0; ; {
		bounded, cancel := context.WithTimeout(ctx, beatTimeout)
		welcome, err := b.pacemaker.Hello(bounded, b.hello)
		cancel()
		if err == nil {
			b.welcomed(welcome)
			return nil
		}
		switch code := cluster.CodeOf(err); {
		case ctx.Err() != nil:
			return ctx.Err()
		case code == cluster.CodeConflict && refusals < beatConflicts:
			refusals++
		case code.RefusesNode():
			return fmt.Errorf("the pacemaker refuses this node: %w", err)
		default:
			b.logReachability(err)
			return nil
		}
		if !pause.For(ctx, b.every) {
			return ctx.Err()
		}
	}
}

// logReachability logs when the pacemaker stops answering and when it answers
// again, not each attempt.
func (b *beat) logReachability(err error) {
	if away := err != nil; away != b.away {
		b.away = away
		if away {
			b.log.Warn("the pacemaker does not answer; what this node does goes on", "err", err)
		} else {
			b.log.Info("the pacemaker answers again")
		}
	}
}
