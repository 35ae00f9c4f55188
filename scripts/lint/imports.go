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
		[]string{"pacemaker/place", "pacemaker/plan", "pacemaker/liveness"},
		[]string{"pacemaker/cluster", "pacemaker/place", "router"},
		"deciding takes values and returns values; doing is someone else's work",
	},
	{
		[]string{"pacemaker/routing"},
		[]string{"pacemaker/cluster", "pacemaker/store", "router", "internal/broadcast", "internal/pause", "internal/tick"},
		"routes follow SQL; who may be served is decided elsewhere",
	},
	{
		[]string{"pacemaker/nodes"},
		[]string{"pacemaker/cluster", "pacemaker/store", "pacemaker/plan", "pacemaker/liveness"},
		"a node's report changes SQL; what follows from it is the reconciler's work",
	},
	{
		[]string{"pacemaker/membership"},
		[]string{"pacemaker/cluster", "pacemaker/store", "internal/pki"},
		"who belongs to the cluster is SQL and a signature; sessions and operations are reached through interfaces",
	},
	{
		[]string{"pacemaker/sources"},
		[]string{"pacemaker/cluster", "pacemaker/store", "internal/gitrepo", "internal/atomicfile", "internal/disk"},
		"sources are kept for deploys and know nothing of how one goes on",
	},
	{
		[]string{"pacemaker/registry"},
		[]string{"pacemaker/cluster", "internal/disk"},
		"the registry keeps images; who may have them, and which stay, is decided elsewhere",
	},
	{
		[]string{"heart/cutoff"},
		[]string{"internal/atomicfile", "internal/pause"},
		"what ends containers of a node that is cut off asks neither engine nor daemon",
	},
	{
		[]string{"heart/images"},
		[]string{"pacemaker/cluster", "heart/docker", "internal/backoff"},
		"what carries images knows engine and registry, and neither builds nor instances",
	},
	{
		[]string{"pacemaker/steps"},
		[]string{"pacemaker/cluster", "jobs"},
		"what people see of a tree is words for values: push, CLI and pages take it from here",
	},
	{
		[]string{"pacemaker/following"},
		[]string{"pacemaker/cluster", "pacemaker/steps", "pacemaker/store", "jobs", "internal/broadcast"},
		"whoever follows an operation changes nothing of it",
	},
	{
		[]string{"pacemaker/overview"},
		[]string{"pacemaker/cluster", "pacemaker/store", "pacemaker/plan", "pacemaker/nodes", "pacemaker/routing"},
		"the overview shows what SQL, nodes and routers say, and changes nothing",
	},
	{
		[]string{"web/access"},
		[]string{"pacemaker/cluster"},
		"who may do what is decided from values alone",
	},
	{
		[]string{"web/rest"},
		[]string{"pacemaker/cluster", "pacemaker/store", "web/access", "web/wire", "internal/disk", "internal/strictjson"},
		"what all operations share knows none of them, and no user",
	},
	{
		[]string{"web/auth"},
		[]string{"pacemaker/cluster", "pacemaker/store", "web/access", "web/attempts", "web/rest", "web/wire"},
		"the gate stands in front of every operation, so it knows none but signing in",
	},
	{
		[]string{"web/push"},
		[]string{"pacemaker", "pacemaker/cluster", "internal/gitrepo", "web/access", "web/auth", "web/git"},
		"a push is admitted and handed on, and goes on in the pacemaker",
	},
	{
		[]string{"web/live/hub"},
		nil,
		"the hub shares what it can't read: it knows no HTTP and none of what its topics are about",
	},
	{
		[]string{"web/view"},
		[]string{"jobs", "pacemaker", "pacemaker/...", "web/rest", "web/wire"},
		"what is shown of a thing is the same in lists, pages and streams, whoever asks",
	},
	{
		[]string{"web/live"},
		[]string{"internal/quota", "jobs", "pacemaker", "pacemaker/...", "web/access", "web/auth", "web/live/hub", "web/rest", "web/view", "web/wire"},
		"web/api mounts what is followed, not the other way round",
	},
	{
		[]string{"web/nodewire"},
		[]string{"pacemaker/cluster", "internal/jsontext"},
		"what nodes and the pacemaker send each other is values in JSON; both ends import it, so it imports neither",
	},
	{
		[]string{"web/nodeapi"},
		[]string{"pacemaker", "pacemaker/...", "web/access", "web/attempts", "web/nodewire", "web/rest", "web/wire", "internal/pki"},
		"what nodes ask has a listener of its own and shares no operation with what people ask",
	},
	{
		[]string{"web/client/..."},
		[]string{"pacemaker/cluster", "web/nodewire", "web/wire", "web/client", "internal/atomicfile", "internal/backoff", "internal/pause", "internal/pki"},
		"the client is what other programs import; the server's parts must not come with it, plumbing that imports nothing may",
	},
	{
		[]string{"cmd/aorta"},
		[]string{"pacemaker/cluster", "pacemaker/steps", "web/wire", "web/client/...", "internal/dockerignore", "internal/dotenv"},
		"the CLI has no way in but the REST API; its words for steps are those of a push",
	},
	{
		[]string{"router/agent"},
		[]string{"pacemaker/cluster", "router/...", "internal/..."},
		"a router joins its parts and reports through an interface; how the pacemaker is reached is not its business",
	},
	{
		[]string{"jobs/redisconn"},
		[]string{"pacemaker/cluster", "jobs", "jobs/redisq", "internal/..."},
		"it connects pacemaker and nodes to the jobs, so it knows neither of them",
	},
	{
		[]string{"heart/firewall"},
		[]string{"pacemaker/cluster", "internal/testkit", "internal/tick"},
		"rules are values of a policy; whose bridges and addresses are in that is found out elsewhere",
	},
	{
		[]string{"internal/dockerignore"},
		nil,
		"CLI and builder leave out the same files, so what decides it knows neither",
	},
	{
		[]string{"internal/procs", "internal/testkit", "internal/testkit/browser", "internal/atomicfile", "internal/pause", "internal/tick", "internal/broadcast", "internal/backoff", "internal/listeners", "internal/claim", "internal/fileid", "internal/strictjson", "internal/cgroup", "internal/pki"},
		[]string{"internal/atomicfile", "internal/backoff", "internal/pause", "internal/tick", "internal/testkit"},
		"plumbing knows nothing of what runs through it",
	},
	{
		[]string{"internal/testkit/lab"},
		[]string{"internal/..."},
		"a lab runs the programs that ship, as people do, and knows none of their parts",
	},
}

// adapters each own one technology and never import one another: cmd/aortad and the
// router's agent join them, through interfaces that their users declare.
var adapters = []string{
	"pacemaker/store", "pacemaker/logstore", "pacemaker/registry", "heart/docker", "heart/docker/buildkit", "heart/build", "heart/firewall", "router/table",
	"router/stats", "router/openresty", "router/accesslog", "router/ipvs", "jobs/redisq", "jobs/redisconn",
	"web/api", "web/nodeapi", "web/git", "web/client",
}

// rigs are packages for tests alone.
var rigs = []string{"internal/testkit", "internal/testkit/browser", "internal/testkit/lab", "internal/testkit/race", "heart/internal/rig", "pacemaker/internal/rig", "web/internal/rig"}

const adapterReason = "adapters meet in cmd/aortad, those of a router in router/agent; declare a small interface where it is used"

// joined are the pairs that may: the left one is built on the right one.
var joined = map[string][]string{
	// BuildKit is a part of the engine, and is reached through it.
	"heart/docker": {"heart/docker/buildkit"},
	// An image that is built is one that is inspected, tagged and run.
	"heart/build": {"heart/docker"},
	// The tailer adds up in the units that the statistics keep.
	"router/accesslog": {"router/stats"},
	// What connects to the jobs Redis runs keeper and workers there.
	"jobs/redisconn": {"jobs/redisq"},
	// The API shows the pacemaker's state and logs, and knows their queries.
	"web/api": {"pacemaker/store", "pacemaker/logstore"},
	// Nodes show a token that the store knows, and ask the registry in its own words.
	"web/nodeapi": {"pacemaker/store", "pacemaker/registry"},
}

// home says which folders alone may import a library.
type home struct {
	library string // path or prefix of paths
	dirs    []string
	because string
}

var homes = []home{
	{"gorm.io/driver", []string{"pacemaker/store/sqlite"}, "a database has one folder that knows it"},
	{"gorm.io/gorm", []string{"pacemaker/store", "pacemaker/store/sqlite"}, "pacemaker/store is the only package that knows SQL"},
	{"github.com/pressly/goose", []string{"pacemaker/store", "pacemaker/store/sqlite", "migrations"}, "pacemaker/store is the only package that knows SQL"},
	{"modernc.org/sqlite", []string{"pacemaker/store/sqlite"}, "a database has one folder that knows it"},
	{"github.com/moby/moby", []string{"heart/docker", "heart/build"}, "the Docker client stays behind two packages"},
	{"github.com/moby/buildkit", []string{"heart/docker/buildkit"}, "BuildKit brings a hundred packages; one knows them"},
	{"github.com/tonistiigi/fsutil", []string{"heart/docker/buildkit"}, "files go to BuildKit alone in this way"},
	{"google.golang.org/grpc", []string{"heart/docker/buildkit"}, "BuildKit alone speaks it"},
	{"github.com/distribution/distribution", []string{"pacemaker/registry", "scripts/bench/registry"}, "the library of the registry brings forty packages; one knows it, and what measures it"},
	{"github.com/sirupsen/logrus", []string{"heart/docker/buildkit", "pacemaker/registry", "scripts/bench/registry"}, "log/slog is the one logger (two libraries speak through this one)"},
	{"github.com/moby/patternmatcher", []string{"internal/dockerignore"}, "what a build leaves out is decided in one place"},
	{"github.com/redis/go-redis", []string{
		"router/table", "router/stats", "router/agent", "jobs/redisq", "jobs/redisconn", "web/...", "internal/redisd",
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

// formats write a value of Go's as people do, and import nothing: all may use
// them.
var formats = []string{"internal/duration", "internal/size"}

// pure packages do no I/O and read no clock, so that equal input gives equal
// output and a simulation of years takes milliseconds.
var pure = []string{"pacemaker/cluster", "pacemaker/place", "pacemaker/plan", "pacemaker/liveness", "router", "jobs"}

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
	if slices.Contains(formats, ours) {
		return "", ""
	}
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
