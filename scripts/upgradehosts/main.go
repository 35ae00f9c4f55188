// Command upgradehosts upgrades a cluster of four hosts of a lab, host by host, from an
// older version to this tree's under load, the pacemaker's first: no request may fail, no
// container may be another one afterwards, and a deploy has to work. scripts/upgrade-hosts.sh
// builds both and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"aorta/internal/testkit/lab"
)

const (
	app = "steady"
	// longest bounds the load, and with it all.
	longest = 20 * time.Minute
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: upgradehosts OLD-TREE NEW-TREE")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "upgrade:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, older, newer string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	dir, err := os.MkdirTemp("/tmp", "ao")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	l, err := lab.Up(ctx, lab.Options{
		Dir: filepath.Join(dir, "lab"), Tree: older, Daemon: older + "/bin/aortad", Client: older + "/bin/aorta", Hosts: lab.Specs(4), Say: os.Stderr,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Down(context.WithoutCancel(ctx))) }() // detached: wanted all the more when ctx has ended
	// In a checkout its program is ignored.
	source := filepath.Join(dir, "hello")
	if err := os.CopyFS(source, os.DirFS(newer+"/examples/hello")); err != nil {
		return err
	}
	return upgrade(ctx, l, source, newer)
}

// upgrade has the app in a directory served meanwhile.
func upgrade(ctx context.Context, l *lab.Lab, source, newer string) error {
	for _, words := range [][]string{{"apps", "create", app}, {"deploy", source, "-a", app}, {"ps", "scale", "-a", app, "web=4"}} {
		if _, err := l.Aorta(ctx, words...); err != nil {
			return err
		}
	}
	before, err := containers(ctx, l)
	if err != nil {
		return err
	}
	tallies, err := during(ctx, l, func() error { return hostByHost(ctx, l, newer) })
	if err != nil {
		return err
	}
	after, err := containers(ctx, l)
	switch {
	case err != nil:
		return err
	case before != after:
		return fmt.Errorf("the containers were\n%sand are\n%s", before, after)
	}
	sent := 0
	for _, t := range tallies {
		if sent += t.OK + t.Failed; t.Failed > 0 || t.OK == 0 {
			t.Print(os.Stderr)
			return fmt.Errorf("%d of %d requests failed", t.Failed, t.OK+t.Failed)
		}
	}
	if err := deployed(ctx, l, newer+"/bin/aorta", source); err != nil {
		return err
	}
	fmt.Printf("upgrade: four hosts, %d requests, 0 failed; the same containers; a deploy serves\n", sent)
	return nil
}

// during has clients ask through all routers while something is done, and gives what came
// of it: of GETs, and of POSTs.
func during(ctx context.Context, l *lab.Lab, do func() error) ([2]*lab.Tally, error) {
	load, enough := context.WithCancel(ctx)
	defer enough()
	var tallies [2]*lab.Tally
	var all errgroup.Group
	for i, rate := range []int{50, 20} {
		all.Go(func() (err error) {
			tallies[i], err = lab.Load{App: app, Rate: rate, For: longest, Post: i == 1}.Run(load, l)
			return err
		})
	}
	err := do()
	enough()
	return tallies, errors.Join(err, all.Wait())
}

// hostByHost replaces the daemons, as service managers do; each is ready before the next.
func hostByHost(ctx context.Context, l *lab.Lab, newer string) error {
	for _, h := range l.Hosts {
		if err := h.StopDaemon(ctx); err != nil {
			return err
		}
		h.Daemon = newer + "/bin/aortad"
		if err := h.StartDaemon(ctx); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "upgrade: %s is upgraded\n", h.Name)
	}
	return nil
}

// containers are those of all hosts, with when they started.
func containers(ctx context.Context, l *lab.Lab) (string, error) {
	all := ""
	for _, h := range l.Hosts {
		out, err := said(ctx, h, "docker", "ps", "-q", "--no-trunc", "--filter", "label=aorta.app-id")
		if err != nil {
			return "", err
		}
		for id := range strings.FieldsSeq(out) {
			line, err := said(ctx, h, "docker", "inspect", "-f", "{{.Id}} since {{.State.StartedAt}}", id)
			if err != nil {
				return "", err
			}
			all += h.Name + " " + line
		}
	}
	return all, nil
}

// deployed makes a release by a client, which is to serve.
func deployed(ctx context.Context, l *lab.Lab, client, source string) error {
	if _, err := said(ctx, l.Pacemaker(), client, "deploy", source, "-a", app); err != nil {
		return err
	}
	t, err := lab.Load{App: app, Rate: 40, For: time.Second}.Run(ctx, l)
	if err != nil {
		return err
	}
	for by := range t.Instances {
		if t.Failed > 0 || !strings.HasPrefix(by, "v2 ") {
			return fmt.Errorf("after the deploy %s answers and %d requests failed, want v2 alone", by, t.Failed)
		}
	}
	return nil
}

// said runs a command on a host and gives what it prints.
func said(ctx context.Context, h *lab.Host, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs strings.Builder
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), h.Env()...), &out, &errs
	if err := h.Run(cmd); err != nil {
		return "", fmt.Errorf("%s %s on %s: %w: %s", filepath.Base(name), args[0], h.Name, err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}
