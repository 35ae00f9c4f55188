package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// layer says what one folder may import of this module. Folders are those of the
// module, without its path; a trailing "/..." takes the folders below too.
type layer struct {
	dirs    []string
	may     []string
	because string
}

// layers are the arrows of the tree: they point towards the vocabulary.
var layers = []layer{
	{
		[]string{"pacemaker/cluster"},
		nil,
		"the vocabulary is imported by everyone, so it imports nothing of ours",
	},
	{
		[]string{"jobs"},
		nil,
		"the job tree can be lifted out as a library",
	},
	{
		[]string{"router"},
		[]string{"pacemaker/cluster"},
		"the routing table is plain values, so that both sides of Redis and the tests share it",
	},
	{
		[]string{"pacemaker/place", "pacemaker/plan"},
		[]string{"pacemaker/cluster", "pacemaker/place", "router"},
		"deciding takes values and returns values; doing is someone else's work",
	},
	{
		[]string{"web/client"},
		[]string{"pacemaker/cluster", "web/wire"},
		"the client is what other programs import; the server's parts must not come with it",
	},
	{
		[]string{"cmd/aorta"},
		[]string{"pacemaker/cluster", "web/wire", "web/client/..."},
		"the CLI has no way in but the REST API",
	},
	{
		[]string{"internal/procs", "internal/testkit", "internal/testkit/browser", "internal/atomicfile", "internal/pause"},
		[]string{"internal/atomicfile", "internal/pause", "internal/testkit"},
		"plumbing knows nothing of what runs through it",
	},
}

// adapters each own one technology and never import one another: cmd/aortad
// joins them, through interfaces that their users declare.
var adapters = []string{
	"pacemaker/store", "pacemaker/logstore", "heart/docker", "heart/build", "router/table",
	"router/stats", "router/openresty", "router/accesslog", "router/ipvs", "jobs/redisq",
	"web/api", "web/git", "web/client",
}

// rigs are packages for tests alone.
var rigs = []string{"internal/testkit", "internal/testkit/browser", "heart/internal/rig"}

const adapterReason = "adapters meet in cmd/aortad only; declare a small interface where it is used"

// joined are the pairs that may: the left one is built on the right one.
var joined = map[string][]string{
	// An image that is built is one that is inspected, tagged and run.
	"heart/build": {"heart/docker"},
	// The tailer adds up in the units that the statistics keep.
	"router/accesslog": {"router/stats"},
	// The API shows the pacemaker's state and logs, and knows their queries.
	"web/api": {"pacemaker/store", "pacemaker/logstore"},
}

// home says which folders alone may import a library.
type home struct {
	library string // path or prefix of paths
	dirs    []string
	because string
}

var homes = []home{
	{"gorm.io", []string{"pacemaker/store"}, "pacemaker/store is the only package that knows SQL"},
	{"github.com/pressly/goose", []string{"pacemaker/store", "migrations"}, "pacemaker/store is the only package that knows SQL"},
	{"modernc.org/sqlite", []string{"pacemaker/store"}, "sqlite takes a minute to compile and belongs to the store"},
	{"github.com/moby/moby", []string{"heart/docker", "heart/build"}, "the Docker client stays behind two packages"},
	{"github.com/redis/go-redis", []string{
		"router/table", "router/stats", "jobs/redisq", "web/...", "internal/redisd",
		"internal/testkit", "cmd/aortad", "scripts/...",
	}, "each Redis has one package that knows its keys"},
	{"github.com/hpcloud/tail", []string{"router/accesslog"}, "bare, it loses lines; the follower around it does not"},
	{"github.com/go-chi/chi", []string{"web/...", "cmd/aortad"}, "HTTP routing belongs to web"},
	{"github.com/danielgtaylor/huma", []string{"web/..."}, "the REST API belongs to web"},
	{"github.com/spf13/cobra", []string{"cmd/..."}, "flags and arguments belong to programs"},
	{"github.com/chromedp", []string{"internal/testkit/browser"}, "tests speak of roles and names, not of a browser's protocol"},
	{"log", []string{"router/accesslog"}, "log/slog is the one logger (hpcloud/tail speaks through the old one)"},
}

// holds tells whether p belongs to the library. A name without a dot is a
// package of the standard library and stands for itself alone.
func (h home) holds(p string) bool {
	return p == h.library || strings.Contains(h.library, ".") && strings.HasPrefix(p, h.library+"/")
}

// pure packages do no I/O and read no clock, so that equal input gives equal
// output and a simulation of years takes milliseconds.
var pure = []string{"pacemaker/cluster", "pacemaker/place", "pacemaker/plan", "router", "jobs"}

const pureReason = "pure packages take the time, ids and chance as arguments and do no I/O"

var impure = []string{
	"net", "net/http", "os", "os/exec", "os/signal", "syscall", "database/sql",
	"math/rand", "math/rand/v2", "crypto/rand", "log/slog",
}

// checkImports applies to code that ships: tests may reach for what they assert.
func checkImports(module string, s source) []Finding {
	if s.test {
		return nil
	}
	var found []Finding
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		rule, reason := judge(s.dir, p, module)
		if rule != "" {
			found = append(found, s.finding(spec, rule, reason))
		}
	}
	return found
}

// judge returns the rule that folder dir breaks by importing p, "" for none.
func judge(dir, p, module string) (rule, reason string) {
	if ours, ok := strings.CutPrefix(p, module+"/"); ok {
		return judgeOurs(dir, ours)
	}
	if slices.Contains(pure, dir) && slices.Contains(impure, p) {
		return fmt.Sprintf("%s must not import %s", dir, p), pureReason
	}
	for _, h := range homes {
		if h.holds(p) && !within(dir, h.dirs) {
			return fmt.Sprintf("%s must not import %s", dir, p), h.because
		}
	}
	return "", ""
}

func judgeOurs(dir, ours string) (rule, reason string) {
	rule = fmt.Sprintf("%s must not import %s", dir, ours)
	switch {
	case strings.HasPrefix(ours, "cmd/"):
		return rule, "programs are the ends of all arrows"
	case slices.Contains(rigs, ours) && !slices.Contains(rigs, dir) && !within(dir, []string{"scripts/..."}):
		return rule, "what it starts dies with its parent; nothing that ships may use it"
	case slices.Contains(adapters, dir) && slices.Contains(adapters, ours) && !slices.Contains(joined[dir], ours):
		return rule, adapterReason
	}
	for _, l := range layers {
		if within(dir, l.dirs) && !within(ours, l.may) {
			return rule, l.because
		}
	}
	return "", ""
}

// within tells whether dir is one of dirs, or below one that ends in "/...".
func within(dir string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool {
		top, below := strings.CutSuffix(d, "/...")
		return dir == top || below && strings.HasPrefix(dir, top+"/")
	})
}
