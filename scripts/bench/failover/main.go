// Command failover measures what a host that loses its power costs those who ask an app,
// on Aorta and on Docker's own swarm mode: three instances on four hosts of a lab, one
// of which is on the host that is lost; each makes a lab of its own, in turns.
//
// Swarm mode has no router of its own on kernels without ip_vs, so that each host has
// nginx before the hosts' ports there (nginx.conf).
//
// It is a yardstick for changes, not a test: it asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"aorta/internal/testkit/lab"
)

// platform is what runs the app on a lab of its own.
type platform struct {
	name  string
	hosts func() []lab.Spec
	begin func(ctx context.Context, l *lab.Lab, dir string) error // three instances run, one of them on n3 and none on n1
}

var platforms = []platform{
	{"Aorta", aortaHosts, onAorta},
	{"Docker Swarm", swarmHosts, onSwarm},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == checkCommand {
		exit(check(os.Args[2]))
	}
	runs := flag.Int("runs", 3, "how often each of the two is measured")
	rate := flag.Int("rate", 200, "requests a second, half of them GET and half POST")
	watch := flag.Duration("for", time.Minute, "how long requests are sent after the loss")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, *runs, contest{*rate, *watch}))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench failover:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run measures the two in turns: what the machine does besides meets both.
func run(ctx context.Context, runs int, c contest) error {
	costs := map[string][]cost{}
	for n := range runs {
		for _, p := range platforms {
			one, err := measure(ctx, p, c)
			if err != nil {
				return fmt.Errorf("%s, run %d: %w", p.name, n+1, err)
			}
			fmt.Printf("%s, run %d: %s\n", p.name, n+1, one)
			costs[p.name] = append(costs[p.name], one)
		}
	}
	fmt.Print("\n", head)
	for _, p := range platforms {
		fmt.Println(line(p.name, costs[p.name]))
	}
	return nil
}

// measure makes a lab, loses n3 under load, and takes the lab away.
func measure(ctx context.Context, p platform, c contest) (_ cost, err error) {
	dir, err := os.MkdirTemp("/tmp", "ao")
	if err != nil {
		return cost{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	upCtx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	l, err := lab.Up(upCtx, lab.Options{Dir: filepath.Join(dir, "lab"), Tree: ".", Daemon: "bin/aortad", Client: "bin/aorta", Hosts: p.hosts()})
	if err != nil {
		return cost{}, err
	}
	defer func() {
		down := l.Down(context.WithoutCancel(ctx)) // detached: wanted all the more when ctx has ended
		if err == nil {
			err = down
		}
	}()
	if err := p.begin(upCtx, l, dir); err != nil {
		return cost{}, err
	}
	return c.hold(ctx, l)
}

// checkCommand makes this program the health check inside an image that has nothing else.
const checkCommand = "check"

func check(url string) error {
	client := http.Client{Timeout: checkEvery}
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
