package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/heart"
	"aorta/heart/docker"
	"aorta/heart/firewall"
	"aorta/internal/claim"
	"aorta/internal/config"
	"aorta/internal/disk"
	"aorta/internal/pause"
	"aorta/internal/procs"
	"aorta/pacemaker/cluster"
	"aorta/web/nodewire"
)

// stopDaemon ends the daemon of a data directory and its managed daemons, and
// with --all its instances. No daemon needs to be alive for it.
func stopDaemon(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("stop", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dataDir := flags.String("data-dir", os.Getenv("AORTAD_DATA_DIR"), "")
	dockerHost := flags.String("docker-host", os.Getenv("AORTAD_DOCKER_HOST"), "")
	all := flags.Bool("all", false, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *dataDir == "" {
		return fmt.Errorf("%w: aortad stop --data-dir DIR [--all] [--docker-host HOST]", config.ErrUsage)
	}
	cfg, _, err := config.Load(config.Sources{Environ: map[string]string{}, Flags: []string{"--data-dir", *dataDir}})
	if err != nil {
		return err
	}
	if !exists(cfg.DataDir) {
		return cluster.NotFound("there is no data directory %s", cfg.DataDir)
	}
	d := newDaemon(cfg, out, os.Stderr)
	unlock, err := endDaemon(ctx, d.path("state"), out)
	if err != nil {
		return disk.ExplainError(err)
	}
	defer unlock()
	if err := claim.Check(cfg.DataDir); err != nil {
		return err // what a copy has recorded and counts as its own is the original's
	}
	if err := procs.StopRecorded(ctx, d.path("state"), d.log, watchdogName); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(d.cfg.RunDir, "hook.sock")) // of a daemon that was killed
	_ = os.RemoveAll(filepath.Join(d.cfg.RunDir, "temp"))   // nginx's, and empty
	_ = os.Remove(d.cfg.RunDir)                             // stays unless it is empty
	fmt.Fprintln(out, "managed Redis and nginx are stopped")
	if *all {
		err = d.stopInstances(ctx, *dockerHost, out)
	} else if err := d.stopHeld(ctx, *dockerHost); err != nil {
		d.log.Warn("what is to stop when it is cut off can't be asked to end; it is killed", "err", err)
	}
	// Last: it kills what is left of what is held to it.
	return errors.Join(err, procs.StopRecorded(ctx, d.path("state"), d.log))
}

// stopHeld has what is to stop when it is cut off end in order: nobody would see to that
// later. Where nothing is, the engine is not asked.
func (d *daemon) stopHeld(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*stopAllGrace) // an engine may hang
	defer cancel()
	if held, err := heart.Held(d.path("heart")); err != nil || len(held) == 0 {
		return err
	}
	engine, _, err := d.engine(host)
	if err != nil || engine == nil {
		return err
	}
	defer func() { _ = engine.Close() }()
	return heart.StopHeld(ctx, engine, d.path("heart"), stopAllGrace)
}

// engine is the one that the daemon worked with last, unless another is named, as the
// cluster uses it; nil where there never was one.
func (d *daemon) engine(host string) (*docker.Engine, cluster.ID, error) {
	id, err := d.clusterID()
	if err != nil || id == "" {
		return nil, "", err // without an id it never came to have an instance
	}
	if host == "" {
		host = d.recordedEngine()
	}
	engine, err := docker.Open(docker.Options{Host: host, Cluster: id})
	return engine, id, err
}

// endDaemon asks the process that holds the lock to end, and takes the lock.
// The lock dies with its process, so who holds it after the pidfd was opened is
// the process that the pidfd means.
func endDaemon(ctx context.Context, stateDir string, out io.Writer) (unlock func(), err error) {
	deadline := time.Now().Add(30 * time.Second)
	signalled := 0
	for {
		unlock, err := procs.LockDirToStop(stateDir)
		var held *procs.LockedError
		if !errors.As(err, &held) {
			if err == nil && signalled > 0 {
				fmt.Fprintln(out, "the daemon has ended")
			}
			return unlock, err
		}
		if pid, perr := strconv.Atoi(held.Pid); perr == nil && pid != signalled {
			if signalHolder(stateDir, pid) {
				signalled = pid
			}
		}
		if time.Now().After(deadline) {
			return nil, cluster.Unavailable("the daemon (process %s) does not end: check it, then end it with kill -9 %s (managed daemons and instances survive that)", held.Pid, held.Pid)
		}
		if !pause.For(ctx, 50*time.Millisecond) {
			return nil, context.Cause(ctx)
		}
	}
}

func signalHolder(stateDir string, pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	unlock, err := procs.LockDirToStop(stateDir)
	var held *procs.LockedError
	if !errors.As(err, &held) {
		if err == nil {
			unlock()
		}
		return false
	}
	return held.Pid == strconv.Itoa(pid) && unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0) == nil
}

// stopInstances ends and removes every container of the cluster on this
// engine, and its bridge.
func (d *daemon) stopInstances(ctx context.Context, host string, out io.Writer) error {
	engine, id, err := d.engine(host)
	if err != nil || engine == nil {
		return err
	}
	defer func() { _ = engine.Close() }()
	n, err := heart.StopAll(ctx, engine, d.nodeName(), d.path("heart"), stopAllGrace)
	if errors.Is(err, heart.ErrNotRecorded) {
		d.log.Warn("instances are stopped; when they start again, that counts as a crash", "err", err)
	} else if err != nil {
		return fmt.Errorf("stop the instances: %w", err)
	}
	fmt.Fprintf(out, "%d instances are stopped and removed\n", n)
	// Who may not change rules has set none.
	if err := firewall.Remove(ctx, firewall.OwnerOf(id, d.lastWelcome().NodeID)); err != nil && os.Geteuid() == 0 {
		return fmt.Errorf("remove the firewall rules between containers and this node: %w", err)
	}
	return nil
}

// stopAllGrace is the time from SIGTERM to SIGKILL when all goes down at once.
const stopAllGrace = 10 * time.Second

// recordedEngine is the engine that the daemon worked with last.
func (d *daemon) recordedEngine() string {
	raw, err := os.ReadFile(d.path("docker.host"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// clusterID is the cluster of this data directory: its own, else the one that
// the pacemaker named last, else none.
func (d *daemon) clusterID() (cluster.ID, error) {
	raw, err := os.ReadFile(d.path("cluster.id"))
	if errors.Is(err, os.ErrNotExist) {
		return d.lastWelcome().Cluster, nil
	}
	if err != nil {
		return "", fmt.Errorf("read the cluster's id: %w", err)
	}
	return cluster.ParseID(strings.TrimSpace(string(raw)))
}

// nodeName is what the cluster calls this node.
func (d *daemon) nodeName() string {
	if name := d.lastWelcome().NodeName; name != "" {
		return name
	}
	return d.cfg.NodeName
}

// lastWelcome is what the pacemaker said last; zero when it never did.
func (d *daemon) lastWelcome() cluster.Welcome {
	var w nodewire.Welcome
	raw, err := os.ReadFile(d.path("welcome.json"))
	if err != nil || json.Unmarshal(raw, &w) != nil {
		return cluster.Welcome{}
	}
	return w.Domain()
}
