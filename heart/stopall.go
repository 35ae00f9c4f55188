package heart

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"aorta/heart/cutoff"
	"aorta/heart/docker"
	"aorta/internal/disk"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// ErrNotRecorded says that all was stopped, on a disk that takes no record of it.
var ErrNotRecorded = errors.New("it can't be recorded that they go with their node")

// StopAll ends and removes all containers of one node, then the cluster's
// bridge unless another node uses it. It needs no heart: the node's daemon may
// be dead. It returns how many containers it removed. The records in the heart's
// data directory stay, so a heart that starts later runs the instances again, and
// knows that none of them has crashed; unless the error is ErrNotRecorded.
func StopAll(ctx context.Context, e *docker.Engine, node, dataDir string, grace time.Duration) (int, error) {
	mine, err := ownContainers(ctx, e, node)
	if err != nil {
		return 0, err
	}
	unrecorded := noteTakenDown(dataDir, mine)
	if disk.Refused(unrecorded) { // what runs must end all the same
		unrecorded = fmt.Errorf("%w: %w", ErrNotRecorded, unrecorded)
	} else if unrecorded != nil {
		return 0, unrecorded
	}
	for _, c := range mine {
		if err := e.Signal(ctx, c.Instance, "SIGTERM"); err != nil {
			return 0, fmt.Errorf("stop instance %s: %w", c.Instance.Short(), err)
		}
	}
	if err := awaitEnd(ctx, grace, func() ([]docker.Container, error) { return ownContainers(ctx, e, node) }); err != nil {
		return 0, err
	}
	for i, c := range mine {
		if err := e.Remove(ctx, c.Instance); err != nil { // kills what is left
			return i, fmt.Errorf("remove instance %s: %w", c.Instance.Short(), err)
		}
	}
	if err := e.RemoveNetwork(ctx); err != nil && !errors.Is(err, docker.ErrInUse) {
		return len(mine), err
	}
	return len(mine), unrecorded
}

// noteTakenDown writes into the records of what serves that it goes with its node.
func noteTakenDown(dataDir string, mine []docker.Container) error {
	records, err := openRecordStore(filepath.Join(dataDir, "instances"))
	if err != nil {
		return err
	}
	list, err := records.load(slog.New(slog.DiscardHandler)) // a heart tells of one that can't be read
	if err != nil {
		return err
	}
	for _, r := range list {
		serves := r.Healthy && !r.Crashing && !r.StopAsked && !r.State.Ended()
		if !serves || !slices.ContainsFunc(mine, func(c docker.Container) bool { return c.Instance == r.Spec.ID && c.Running }) {
			continue
		}
		r.takeDown(cluster.StoppedWithNode, time.Now())
		if err := records.save(r); err != nil {
			return err
		}
	}
	return nil
}

// Held are the instances that are to stop when they are cut off, by the record of the heart
// that has this data directory.
func Held(dataDir string) ([]string, error) { return cutoff.Held(Config{DataDir: dataDir}.CutOffDir()) }

// StopHeld ends these in order, as far as they do within the grace. It needs no heart. One
// that starts later knows that they went with their node.
func StopHeld(ctx context.Context, e *docker.Engine, dataDir string, grace time.Duration) error {
	held, err := Held(dataDir)
	if err != nil {
		return err
	}
	look := func() (list []docker.Container, err error) {
		for _, id := range held {
			c, err := e.Inspect(ctx, cluster.ID(id))
			if err == nil {
				list = append(list, c)
			} else if !errors.Is(err, docker.ErrNoContainer) {
				return nil, err
			}
		}
		return list, nil
	}
	list, err := look()
	if err != nil {
		return err
	}
	unrecorded := noteTakenDown(dataDir, list)
	for _, c := range list {
		if c.Running {
			unrecorded = errors.Join(unrecorded, e.Signal(ctx, c.Instance, c.StopSignal))
		}
	}
	return errors.Join(unrecorded, awaitEnd(ctx, grace, look))
}

// awaitEnd waits until none of the containers runs, at most for the grace.
func awaitEnd(ctx context.Context, grace time.Duration, look func() ([]docker.Container, error)) error {
	over := time.Now().Add(grace)
	for time.Now().Before(over) {
		list, err := look()
		if err != nil {
			return err
		}
		alive := 0
		for _, c := range list {
			if c.Running {
				alive++
			}
		}
		if alive == 0 {
			return nil
		}
		if !pause.For(ctx, 100*time.Millisecond) {
			return fmt.Errorf("wait for %d instances to end: %w", alive, ctx.Err())
		}
	}
	return nil
}

func ownContainers(ctx context.Context, e *docker.Engine, node string) ([]docker.Container, error) {
	list, err := e.RegainAll(ctx)
	var mine []docker.Container
	for _, c := range list {
		if c.Labels[cluster.LabelNode] == node {
			mine = append(mine, c)
		}
	}
	return mine, err
}
