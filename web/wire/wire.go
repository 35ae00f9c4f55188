package wire

import "time"

// Page is one page of a list. Next is the cursor of the page after it, empty
// on the last one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	Total int    `json:"total,omitempty" doc:"how many there are on all pages; only of a list that was asked to count, and nothing for none"`
}

// Problem is an error as an RFC 9457 problem document.
type Problem struct {
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail"`
	Code   string          `json:"code,omitempty"` // cluster.Code
	Errors []ProblemDetail `json:"errors,omitempty"`
}

// ProblemDetail is one wrong field of a request.
type ProblemDetail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"` // path, such as body.name
}

// Accepted answers a request that started work, or that needed none.
type Accepted struct {
	Job     string `json:"job,omitempty" doc:"id of the job; empty if there was nothing to do"`
	Message string `json:"message,omitempty"`
}

// Whoami is the caller as the server knows it.
type Whoami struct {
	User    string `json:"user"`
	Role    string `json:"role"`
	Cluster string `json:"cluster"`
	Version string `json:"version"`
}

// App is an application.
type App struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Release   string    `json:"release" doc:"label of the current release, empty before the first deploy"`
	Stopped   bool      `json:"stopped"`
	Hosts     []string  `json:"hosts"`
	Grants    []string  `json:"grants,omitempty" doc:"capabilities that an admin granted"`
	URL       string    `json:"url" doc:"URL of the app's default domain, empty while its release has no web process"`
	GitHTTP   string    `json:"git_http"`
	State     string    `json:"state" doc:"serving, running (without a web process), deploying, stopped, failed or empty"`
	Severity  string    `json:"severity" enum:"ok,warn,bad"`
	Verdict   string    `json:"verdict" doc:"how the app is, in words"`
	Instances int       `json:"instances" doc:"running now"`
	Wanted    int       `json:"wanted"`
	CreatedAt time.Time `json:"created_at"`
	Version   int       `json:"version"`
}

// NewApp asks for an app.
type NewApp struct {
	Name string `json:"name"`
}

// RenameApp gives an app another name. Version is the one that was read.
type RenameApp struct {
	Name    string `json:"name"`
	Version int    `json:"version,omitempty"`
}

// Deploy asks for a deploy of an image that exists.
type Deploy struct {
	Image   string `json:"image"`
	Message string `json:"message,omitempty"`
}

// Config is an app's config vars in the clear.
type Config struct {
	Vars map[string]string `json:"vars"`
}

// ConfigChange sets and unsets config vars in one step.
type ConfigChange struct {
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

// Dotenv is the text of a file of config vars.
type Dotenv struct {
	Text string `json:"text" maxLength:"524288"`
}

// BuildSecrets are the names of what an app's builds may mount as secrets. The
// values are never shown.
type BuildSecrets struct {
	Names []string `json:"names"`
}

// BuildSecretsChange sets and unsets build secrets in one step.
type BuildSecretsChange struct {
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

// Build makes the image of a deploy. It goes by the id of its job.
type Build struct {
	ID        string     `json:"id" doc:"of its job"`
	Build     string     `json:"build" doc:"its own id"`
	App       string     `json:"app"`
	Kind      string     `json:"kind" enum:"commit,archive,image" doc:"what it is made of"`
	Source    string     `json:"source" doc:"the commit, the SHA-256 of the archive, or the image"`
	Title     string     `json:"title" doc:"of its job"`
	Message   string     `json:"message" doc:"of the commit"`
	User      string     `json:"user"`
	State     string     `json:"state" enum:"running,succeeded,failed,aborted" doc:"of the build alone: what comes after it may fail; running: or waiting for its turn"`
	Error     string     `json:"error"`
	Image     string     `json:"image" doc:"its reference; empty until there is one"`
	Size      int64      `json:"size" doc:"bytes of the image; 0 until there is one"`
	Steps     int        `json:"steps" doc:"of the Dockerfile; 0 for an image that existed, and when it failed"`
	Cached    int        `json:"cached" doc:"of those, how many were taken from the cache"`
	Duration  float64    `json:"duration_s" doc:"seconds, without the wait for its turn; 0 until it has ended"`
	Release   string     `json:"release" doc:"that was made of it; empty for none"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// Instance is one container of an app.
type Instance struct {
	ID        string     `json:"id"`
	App       string     `json:"app"`
	Release   string     `json:"release"`
	Type      string     `json:"type"`
	Node      string     `json:"node"`
	Address   string     `json:"address" doc:"ip:port, empty when the type takes no traffic"`
	State     string     `json:"state"`
	Verdict   string     `json:"verdict" doc:"how it is, in words"`
	Crashing  bool       `json:"crashing" doc:"it ended by itself, and has not run for five minutes since"`
	Unheard   bool       `json:"unheard"`
	Restarts  int        `json:"restarts"`
	Error     string     `json:"error,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	StartedAt *time.Time `json:"started_at"`

	CPU         *float64 `json:"cpu" doc:"cores in use, a mean of ten seconds; null when not known"`
	CPUs        float64  `json:"cpus" doc:"cores that it may use"`
	Memory      *int64   `json:"memory" doc:"bytes in use, without caches; null when not known"`
	MemoryLimit int64    `json:"memory_limit" doc:"bytes that it may use"`
}

// Process is a process type of an app with its formation.
type Process struct {
	Type      string   `json:"type"`
	Command   string   `json:"command"`
	Quantity  int      `json:"quantity"`
	Memory    int64    `json:"memory" doc:"bytes"`
	CPUs      float64  `json:"cpus"`
	Require   []string `json:"require" doc:"tags that a node must have, each KEY or KEY=VALUE"`
	Prefer    []string `json:"prefer" doc:"tags of nodes that are taken first, likewise"`
	Set       []string `json:"set" doc:"which of quantity, memory, cpus, require and prefer a person has set; the others are the source's, or defaults"`
	Exclusive bool     `json:"exclusive,omitempty" doc:"no two instances of it run at once"`

	StopWhenCutOff bool `json:"stop_when_cut_off,omitempty" doc:"it ends by itself where its node does not reach the pacemaker, so that another one may start once the node counts as dead"`
}

// Formation is an app's process types.
type Formation struct {
	Processes []Process `json:"processes"`
}

// FormationChange changes the named process types and leaves the others.
type FormationChange struct {
	Types map[string]ProcessChange `json:"types"`
}

// ProcessChange changes what is set of one process type.
type ProcessChange struct {
	Quantity *int     `json:"quantity,omitempty"`
	More     int      `json:"quantity_delta,omitempty" minimum:"-1000" maximum:"1000" doc:"how many more than now are to run, instead of a quantity; negative: fewer"`
	Memory   *int64   `json:"memory,omitempty" doc:"bytes"`
	CPUs     *float64 `json:"cpus,omitempty"`
	Require  []string `json:"require,omitempty" maxItems:"16" doc:"tags that a node must have, each KEY or KEY=VALUE; only those count that were set on it"`
	Prefer   []string `json:"prefer,omitempty" maxItems:"16" doc:"tags of nodes that are taken first, likewise; all that a node has count"`
	Reset    []string `json:"reset,omitempty" enum:"quantity,memory,cpus,require,prefer" doc:"what is set no more, so that the source's applies again"`
}

// Route is what requests to an app may take at the routers.
type Route struct {
	Timeout     int64    `json:"timeout" doc:"seconds until an answer begins, once the request has come"`
	IdleTimeout int64    `json:"idle_timeout" doc:"seconds of silence on a connection in use"`
	MaxBody     int64    `json:"max_body" doc:"bytes of a request's body; 0 for any size"`
	Set         []string `json:"set" doc:"which of them are the app's own; the others are defaults"`
	Source      []string `json:"source" doc:"which of those that are set are as aorta.yml says; the others were set by hand"`
}

// RouteChange changes what is set; 0 restores a default.
type RouteChange struct {
	Timeout     *int64 `json:"timeout,omitempty" doc:"seconds, 1 to 86400" minimum:"0" maximum:"86400"`
	IdleTimeout *int64 `json:"idle_timeout,omitempty" doc:"seconds, 1 to 86400" minimum:"0" maximum:"86400"`
	MaxBody     *int64 `json:"max_body,omitempty" doc:"bytes" minimum:"0" maximum:"1125899906842624"`
}

// Grants are the Linux capabilities that an app has beside those of each app.
type Grants struct {
	Capabilities []string `json:"capabilities"`
}

// GrantsChange grants capabilities to an app and revokes some.
type GrantsChange struct {
	Grant  []string `json:"grant,omitempty" maxItems:"64"`
	Revoke []string `json:"revoke,omitempty" maxItems:"64"`
}

// Restart names one instance to replace, or all when it names none.
type Restart struct {
	Instance string `json:"instance,omitempty"`
}

// Rollback names the release to go back to; when it names none, the newest one
// before the serving one that served well. CodeOnly leaves the config vars.
type Rollback struct {
	Release  string `json:"release,omitempty"`
	CodeOnly bool   `json:"code_only,omitempty"`
}

// RollbackPlan is what a rollback would change: config vars by name, and
// instances of the serving release.
type RollbackPlan struct {
	From      string   `json:"from"`
	Release   string   `json:"release"`
	Message   string   `json:"message"` // of the release to go back to
	Commit    string   `json:"commit,omitempty"`
	Set       []string `json:"set"`   // that get the value of then
	Unset     []string `json:"unset"` // that were not there then
	Instances int      `json:"instances"`
}

// Rebuild names the release whose image to build again; the one that serves
// when it names none.
type Rebuild struct {
	Release string `json:"release,omitempty"`
}

// CancelBuild names the build to end, by its id, its job's, or either in short;
// the app's only one when it names none.
type CancelBuild struct {
	Build string `json:"build,omitempty" maxLength:"64"`
}

// Release is one release of an app.
type Release struct {
	Release   string    `json:"release"`
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Traffic   float64   `json:"traffic" doc:"share of requests in percent"`
	Image     string    `json:"image"`
	Commit    string    `json:"commit,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	User      string    `json:"user" doc:"who made the release"`
	Message   string    `json:"message"`
	Author    string    `json:"author,omitempty" doc:"who wrote the commit; empty when it is of none"`
	Error     string    `json:"error,omitempty"`
}

// Image is an image on a node's engine or in the cluster's registry, and what becomes
// of it.
type Image struct {
	ID        string    `json:"id" doc:"that of the engine; in the registry the digest of its manifest"`
	Node      string    `json:"node" doc:"the name of the node, or registry"`
	App       string    `json:"app" doc:"empty when the app is gone"`
	Releases  []string  `json:"releases" doc:"labels, the newest first"`
	Names     []string  `json:"names"`
	Origin    string    `json:"origin" doc:"built or pulled, in the registry pushed"`
	Size      int64     `json:"size" doc:"bytes, what it shares with other images included; in the registry as they are sent"`
	CreatedAt time.Time `json:"created_at"`
	InUse     bool      `json:"in_use" doc:"a container, running or not, was made from it"`
	Collect   bool      `json:"collect" doc:"it will be removed"`
	Because   string    `json:"because" doc:"why it stays or will be removed"`
}

// Registry is the cluster's registry, from which nodes take images.
type Registry struct {
	Images int   `json:"images"`
	Size   int64 `json:"size" doc:"bytes on the pacemaker's disk, each layer once"`
}

// Domain is a hostname of an app.
type Domain struct {
	Host      string    `json:"host"`
	App       string    `json:"app"`
	Own       bool      `json:"own" doc:"the app's default domain, which can't be removed"`
	Former    bool      `json:"former" doc:"its default domain before the cluster's domain changed; it serves until it is removed"`
	Source    bool      `json:"source" doc:"aorta.yml asks for it: it goes when that does no more"`
	CreatedAt time.Time `json:"created_at"`
}

// NewDomain asks for a hostname.
type NewDomain struct {
	Host string `json:"host"`
}

// LogLine is one line of an app's output. Cursor resumes a stream after it.
type LogLine struct {
	Cursor   string    `json:"cursor,omitempty"`
	Time     time.Time `json:"time"`
	Instance string    `json:"instance"`
	Type     string    `json:"type"`
	Release  string    `json:"release"`
	Node     string    `json:"node"`
	Stream   string    `json:"stream"`
	Text     string    `json:"text"`
}

// Stats are an app's numbers. Counts are totals since the app was made, or since
// the release was; percentiles are of the last hour, or of the asked window, null
// without traffic. Window has the counts of that window.
type Stats struct {
	App      string           `json:"app"`
	Release  string           `json:"release,omitempty"`
	Since    string           `json:"since,omitempty"`
	Requests int64            `json:"requests"`
	Attempts int64            `json:"attempts"`
	Bytes    int64            `json:"bytes"`
	Status   map[string]int64 `json:"status" doc:"by class: 2xx (101 too), 3xx, 4xx, 5xx"`
	P50      *float64         `json:"p50_ms"`
	P95      *float64         `json:"p95_ms"`
	P99      *float64         `json:"p99_ms"`
	Window   StatsWindow      `json:"window"`
}

// StatsWindow is what was counted in the last Seconds.
type StatsWindow struct {
	Seconds   float64          `json:"seconds"`
	Requests  int64            `json:"requests"`
	Attempts  int64            `json:"attempts"`
	Bytes     int64            `json:"bytes"`
	Status    map[string]int64 `json:"status"`
	ErrorRate *float64         `json:"error_rate" doc:"share of requests answered 5xx, 0 to 1; null without traffic"`
}

// Job is one job of a tree, with its children. What is said of a root alone is
// left out, or false, for the jobs below it.
type Job struct {
	ID        string     `json:"id"`
	Parent    string     `json:"parent,omitempty"`
	Kind      string     `json:"kind"`
	Title     string     `json:"title"`
	App       string     `json:"app,omitempty"`
	Release   string     `json:"release,omitempty"`
	Node      string     `json:"node,omitempty"`
	State     string     `json:"state"`
	Attempt   int        `json:"attempt,omitempty"`
	Progress  Progress   `json:"progress"`
	Error     string     `json:"error"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Children  []Job      `json:"children"`

	Steps       []Step     `json:"steps,omitempty" doc:"of a root: the tree as people see it, in the order in which it happens"`
	Outcome     string     `json:"outcome,omitempty" doc:"of a root that has just failed or been aborted: what serves all the same, as a sentence"`
	AppID       string     `json:"app_id,omitempty" doc:"of a root: its app's id, also if the app was destroyed"`
	User        string     `json:"user,omitempty" doc:"of a root: the user who started it; empty: Aorta itself"`
	Cause       string     `json:"cause,omitempty" doc:"of a root: the job that has caused it, as a deploy causes the stop of what it replaces"`
	Reason      string     `json:"reason,omitempty" doc:"of a root that Aorta began by itself, such as a replacement: what made it necessary, in words"`
	RetryOf     string     `json:"retry_of,omitempty" doc:"of a root: the job that it retries"`
	WaitsFor    *Ahead     `json:"waits_for,omitempty" doc:"of a root: the job that has to end first"`
	Attention   bool       `json:"attention" doc:"of a root: it failed and was neither retried, discarded nor followed by a success"`
	DiscardedAt *time.Time `json:"discarded_at,omitempty" doc:"of a root: when it was discarded"`
	DiscardedBy string     `json:"discarded_by,omitempty"`
}

// Step is what people see of a job tree: one of its steps, or a line below one,
// such as an instance.
type Step struct {
	ID        string     `json:"id" doc:"unique in its tree"`
	Parent    string     `json:"parent,omitempty" doc:"of a line: its step"`
	Index     int        `json:"index" doc:"its place among those beside it"`
	Name      string     `json:"name"`
	State     string     `json:"state" doc:"as that of a job; superseded: its node died, and another instance takes its place"`
	Attempt   int        `json:"attempt,omitempty"`
	Progress  Progress   `json:"progress"`
	Error     string     `json:"error,omitempty" doc:"why it failed, or what takes its place and why"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Jobs      []string   `json:"jobs" doc:"ids of the jobs whose log lines are its own"`
	Children  []Step     `json:"children" doc:"its lines; none in an event, where each comes by itself"`
}

// Ahead is the job whose turn it is while another one waits.
type Ahead struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	User  string    `json:"user" doc:"the user who started it; empty: Aorta itself"`
	Since time.Time `json:"since" doc:"when it was created"`
}

// Progress is how far a job is: N of M, and a few words.
type Progress struct {
	N    int    `json:"n"`
	M    int    `json:"m"`
	Text string `json:"text,omitempty"`
}

// JobLogLine is one line of a job's log.
type JobLogLine struct {
	Cursor string    `json:"cursor,omitempty"`
	Job    string    `json:"job"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
}

// NodeFacts are what every shape of a node holds.
type NodeFacts struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Address   string            `json:"address"`
	Roles     []string          `json:"roles"`
	State     string            `json:"state"`
	Score     *float64          `json:"score" doc:"0 idle … 1 full; null before its first report"`
	Tags      map[string]string `json:"tags"`
	Instances int               `json:"instances"`
	Draining  bool              `json:"draining" doc:"it is emptied, or is to stay empty, also while it is silent"`
	Since     *time.Time        `json:"since" doc:"since when it is dead, or was not heard where it is suspect; null where it is heard"`
	HeldUntil *time.Time        `json:"held_until" doc:"it was dead and is back: it gets nothing new before that while others have room; null: it does"`
}

// Node is one machine.
type Node struct {
	NodeFacts
	NodeDetails
	HeardAgo *float64 `json:"heard_ago" doc:"seconds since its last report; null before the first"`
}

// NodeDetails are what is shown of a node by itself.
type NodeDetails struct {
	Generation uint64    `json:"generation,omitempty" doc:"of the routing table that its router uses"`
	CreatedAt  time.Time `json:"created_at"`
	// Capacity is of its machine, null before its first report.
	Capacity *NodeCapacity `json:"capacity"`
	// ScoreParts are empty before its first report.
	ScoreParts []ScorePart       `json:"score_parts" doc:"what the score is the largest of"`
	TagSources map[string]string `json:"tag_sources" doc:"where each tag comes from: set (by people or a join token), configured, program, cloud, platform"`
	// Unshown are addresses of which the node says that its machine has them.
	Unshown []string `json:"unshown_addresses,omitempty" doc:"no connection from there has reached the pacemaker, so nothing is sent there, and apps are not kept from them"`
}

// NodeCapacity is what a machine has, and what of it is promised to instances.
type NodeCapacity struct {
	CPUs          int   `json:"cpus" doc:"cores"`
	CPUOvercommit int   `json:"cpu_overcommit" doc:"how many times each core may be promised to instances"`
	Memory        int64 `json:"memory" doc:"bytes"`
	Promised      int64 `json:"promised" doc:"bytes of memory that its instances may take together"`
}

// ScorePart is one measure of how busy a node is.
type ScorePart struct {
	Name  string  `json:"name" enum:"cpu,load,memory,disk,instances"`
	Value float64 `json:"value" doc:"0 idle … 1 full"`
	Text  string  `json:"text" doc:"what was measured"`
}

// Status is the cluster at a glance.
type Status struct {
	Cluster    string   `json:"cluster"`
	State      string   `json:"state" doc:"ok or attention"`
	Severity   string   `json:"severity" doc:"ok, warn: it works, and somebody should check; bad: requests fail, or changes can't be made"`
	Reasons    []string `json:"reasons" doc:"what needs attention, each with its next step"`
	Critical   int      `json:"critical" doc:"how many of reasons are bad: the first ones; the others are warn"`
	Notes      []string `json:"notes" doc:"what is good to know besides"`
	Version    string   `json:"version"`
	Epoch      uint64   `json:"epoch"`
	Generation uint64   `json:"generation"`
	Nodes      int      `json:"nodes"`
	NodesReady int      `json:"nodes_ready" doc:"those that are heard, not held and not being emptied"`
	NodesText  string   `json:"nodes_text" doc:"the nodes counted by state, such as: 4 nodes: 1 ready, 1 suspect, 2 drained"`
	Apps       int      `json:"apps"`
	Instances  int      `json:"instances"`
	OpenJobs   []Job    `json:"open_jobs" doc:"running jobs, without their steps: up to 20, those that have their turn and the newest of those that wait"`
	// OpenJobsCount counts those that open_jobs leaves out, too.
	OpenJobsCount int `json:"open_jobs_count" doc:"how many are open, with those that open_jobs leaves out"`
}
