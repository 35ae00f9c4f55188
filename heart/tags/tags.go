// Package tags finds a node's own tags: those of its configuration, of an
// executable of the operator's, of the cloud that it runs in, and of its system.
// They are for preferences and for display. What placement must rely on is set by
// people on the cluster.
package tags

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"aorta/internal/backoff"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

const (
	// maxValue is the longest value of a tag that was found, in bytes.
	maxValue = 64
	// programEvery is the interval between two runs of the executable.
	programEvery = 5 * time.Minute
)

// Config says where tags come from.
type Config struct {
	Configured map[string]string
	Program    string // executable that prints tags; empty: none
	Cloud      *Cloud // nil: not asked
	Log        *slog.Logger
}

// Found are tags with where each comes from.
type Found struct {
	Tags    map[string]string
	Sources map[string]cluster.TagSource
}

// Finder knows a node's tags. Make it with New.
type Finder struct {
	cfg Config

	mu     sync.Mutex // guards all of the rest
	layers map[cluster.TagSource]map[string]string
	fault  error // of the program, as it failed last; nil where it did not
}

// New finds what can be found at once.
func New(cfg Config) *Finder {
	return &Finder{cfg: cfg, layers: map[cluster.TagSource]map[string]string{
		cluster.TagPlatform: platform(), cluster.TagConfigured: cfg.Configured,
	}}
}

// Found are the tags as they are known now: where two sources have the same, the
// operator's program stands over the cloud and the system, the configuration over
// all.
func (f *Finder) Found() Found {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := Found{map[string]string{}, map[string]cluster.TagSource{}}
	for _, source := range []cluster.TagSource{cluster.TagPlatform, cluster.TagCloud, cluster.TagProgram, cluster.TagConfigured} {
		for key, value := range f.layers[source] {
			all.Tags[key], all.Sources[key] = value, source
		}
	}
	return all
}

// Fault is what is wrong with the operator's program, nil for nothing, and what of its
// tags there is meanwhile: what it gave is kept in memory alone.
func (f *Finder) Fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil {
		return nil
	}
	if f.layers[cluster.TagProgram] == nil {
		return cluster.Unavailable("%s; it has given no tags since aortad started", f.fault)
	}
	return cluster.Unavailable("%s; the tags that it gave before hold", f.fault)
}

// AskCloud asks the metadata service until it has answered once: a machine stays
// where it is while it runs.
func (f *Finder) AskCloud(ctx context.Context) error {
	if f.cfg.Cloud == nil || !f.cfg.Cloud.Known() {
		<-ctx.Done()
		return ctx.Err()
	}
	again := backoff.New(time.Second, time.Hour)
	for {
		found, err := f.cfg.Cloud.Find(ctx)
		if err == nil {
			f.set(cluster.TagCloud, found, nil)
			<-ctx.Done()
			return ctx.Err()
		}
		if ctx.Err() == nil {
			f.cfg.Log.Warn("the cloud's metadata service gives no tags; asking it again later", "err", err)
		}
		if !again.Pause(ctx) {
			return ctx.Err()
		}
	}
}

// RunProgram runs the operator's program again and again. While it fails, what it
// printed last since the start holds.
func (f *Finder) RunProgram(ctx context.Context) error {
	for {
		found, err := runProgram(ctx, f.cfg.Program)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.set(cluster.TagProgram, found, err)
		if !pause.For(ctx, programEvery) {
			return ctx.Err()
		}
	}
}

func (f *Finder) set(source cluster.TagSource, found map[string]string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.layers[source] = found
	}
	if source == cluster.TagProgram {
		f.fault = err
	}
}

// platform are the tags of the system.
func platform() map[string]string {
	found := map[string]string{"os": runtime.GOOS, cluster.ArchTag: runtime.GOARCH}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		found["kernel"] = clean(string(bytes.TrimSpace(data)))
	}
	if name, err := os.Hostname(); err == nil {
		found["hostname"] = clean(name)
	}
	return found
}

// clean makes a value of what a machine says: letters, digits and ._- of it, and
// its first maxValue bytes.
func clean(value string) string {
	value = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, value)
	return value[:min(len(value), maxValue)]
}
