package buildkit

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/solver/pb"

	"aorta/heart/docker/dockerfile"
	"aorta/internal/cgroup"
)

// look is how often bounds looks for steps that begin. A step's runtime takes
// longer to get ready than this, and a step longer to take much memory.
const look = 10 * time.Millisecond

// bounds limits the steps of a build from outside, since the BuildKit of all but
// the newest engines can't. Each runs in a control group, which the configuration
// in its bundle names; the bundle is on this machine's disk, or nothing is bounded.
type bounds struct {
	bundles string // the folder of BuildKit with one for each step that runs
	limits  cgroup.Limits

	mu   sync.Mutex      // guards own
	own  map[string]bool // the commands of this build's steps: others build there too
	done map[string]bool // bundles that need nothing any more; follow alone uses it
}

func newBounds(r dockerfile.Recipe, bundles string) *bounds {
	return &bounds{
		bundles: bundles, own: map[string]bool{}, done: map[string]bool{},
		limits: cgroup.Limits{Memory: r.Memory, CPUQuota: r.CPUQuota(), Period: dockerfile.CPUPeriod},
	}
}

// expect notes a step of this build.
func (b *bounds) expect(op *pb.ExecOp) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.own[command(op.GetMeta().GetArgs())] = true
}

func (b *bounds) expects(args []string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.own[command(args)]
}

func command(args []string) string { return strings.Join(args, "\x00") }

// follow limits steps until ctx ends.
func (b *bounds) follow(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		entries, _ := os.ReadDir(b.bundles) // none while nothing was ever built
		for _, e := range entries {
			if e.IsDir() && !b.done[e.Name()] {
				b.done[e.Name()] = b.bound(filepath.Join(b.bundles, e.Name()))
			}
		}
	}
}

// bundle is what counts here of a step's configuration.
type bundle struct {
	Process struct{ Args []string }
	Linux   struct{ CgroupsPath string }
}

// bound says whether nothing more is to be done for a bundle: not while its
// configuration is being written, or its group is not there yet.
func (b *bounds) bound(dir string) (done bool) {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return false
	}
	var c bundle
	if json.Unmarshal(text, &c) != nil {
		return false
	}
	if !b.expects(c.Process.Args) {
		return true
	}
	group, err := cgroup.Find(cgroup.Root, c.Linux.CgroupsPath)
	if err == nil {
		err = group.Limit(b.limits)
	}
	return !errors.Is(err, cgroup.ErrNone)
}
