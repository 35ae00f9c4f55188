package firewall

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"aorta/internal/tick"
)

// interval is how soon what somebody has removed is there again.
const interval = 5 * time.Second

// Keeper keeps a policy in force until it ends; the rules stay then.
type Keeper struct {
	policy func(context.Context) (Policy, error)
	log    *slog.Logger
	nudged chan struct{}

	// What was in force when it was looked last; Keep alone uses these.
	kept   Policy
	seen   uint32 // the generation of the kernel's rules, 0 for none
	counts *bool  // whether the tools' rules are counted by that; nil: not known yet

	mu    sync.Mutex // guards fault
	fault error
}

// NewKeeper makes one of a policy that is asked for at each look.
func NewKeeper(policy func(context.Context) (Policy, error), log *slog.Logger) *Keeper {
	return &Keeper{policy: policy, log: log, nudged: make(chan struct{}, 1)}
}

// Run looks every 5 s, and when it is nudged.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		k.Keep(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tick.Until(interval)):
		case <-k.nudged:
		}
	}
}

// Nudge has Run look now: the policy may be another.
func (k *Keeper) Nudge() {
	select {
	case k.nudged <- struct{}{}:
	default:
	}
}

// Fault is why the policy is not in force, nil when it is.
func (k *Keeper) Fault() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault
}

// Keep looks once, and mends what is not as it should be.
func (k *Keeper) Keep(ctx context.Context) {
	err := k.keep(ctx)
	if err != nil && ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = err
}

func (k *Keeper) keep(ctx context.Context) error {
	policy, err := k.policy(ctx)
	if err != nil {
		return err
	}
	policy = policy.sorted()
	same := reflect.DeepEqual(policy, k.kept)
	// Asked for before the look, so that no change in between goes unseen.
	now := k.generation(ctx)
	if same && k.Fault() == nil && now != 0 && now == k.seen {
		return nil
	}
	changed, err := policy.set(ctx)
	if err != nil {
		return err
	}
	switch {
	case changed && same:
		k.log.Warn("somebody has removed firewall rules between containers and this machine; they are there again")
	case changed:
		k.log.Info("the firewall rules between containers and this machine are set", "bridges", len(policy.Bridges), "nodes", len(policy.Nodes))
	}
	k.kept, k.seen = policy, now
	return nil
}

// set has the kernel have the policy, in each family that it speaks.
func (p Policy) set(ctx context.Context) (changed bool, err error) {
	for _, f := range families {
		if f.name == "ip6tables" && !speaksIPv6() {
			continue
		}
		c, failed := p.apply(ctx, f)
		changed, err = changed || c, errors.Join(err, failed)
	}
	return changed, err
}

// speaksIPv6 is false for a kernel that has it not, or switched off when it began.
func speaksIPv6() bool {
	_, err := os.Stat("/proc/self/net/if_inet6")
	return !errors.Is(err, fs.ErrNotExist)
}

// generation is 0 where the kernel does not count changes of what the tools set, as
// with those that don't use nftables.
func (k *Keeper) generation(ctx context.Context) uint32 {
	if k.counts == nil {
		said, err := run(ctx, nil, families[0].name, "-V")
		if err != nil {
			return 0
		}
		counts := strings.Contains(said, "nf_tables")
		k.counts = &counts
	}
	if !*k.counts {
		return 0
	}
	n, err := generation()
	if err != nil {
		return 0
	}
	return n
}
