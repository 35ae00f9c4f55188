package wire

import "time"

// LiveHello is the first event of a live stream.
type LiveHello struct {
	Cluster string    `json:"cluster"`
	Version string    `json:"version"`
	Epoch   uint64    `json:"epoch"`
	Time    time.Time `json:"time"`
}

// Rates are of the last ten whole seconds, null without traffic.
type Rates struct {
	Requests   *float64 `json:"requests_per_s"`
	ErrorRatio *float64 `json:"error_ratio" doc:"share of 5xx, 0 to 1"`
	P95        *float64 `json:"p95_ms"`
	Stale      bool     `json:"stale,omitempty" doc:"the statistics do not answer: the rates are unknown"`
}

// LiveRef names an operation that is under way.
type LiveRef struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// LiveOverview is the cluster at a glance.
type LiveOverview struct {
	State     string          `json:"state" enum:"ok,warn,bad"`
	Text      string          `json:"text" doc:"the same as a sentence"`
	Since     *time.Time      `json:"since,omitempty" doc:"left out where it lasts for longer than anybody has watched"`
	Stale     bool            `json:"stale,omitempty" doc:"the database does not answer: apps, nodes and routers are as last known"`
	Attention []LiveAttention `json:"attention" doc:"the worst first, at most 50"`
	More      int             `json:"attention_more,omitempty" doc:"how many more there are"`
	Apps      LiveApps        `json:"apps"`
	Rates     Rates           `json:"rates"`
	Nodes     []LiveNode      `json:"nodes"`
	Routers   LiveRouters     `json:"routers"`
}

// LiveAttention is one thing that somebody should look at.
type LiveAttention struct {
	Text  string     `json:"text"`
	State string     `json:"state" doc:"warn or bad"`
	Kind  string     `json:"kind" doc:"job, node, app, router, redis, sql, engine or disk"`
	ID    string     `json:"id,omitempty" doc:"of the job or node; of a part its name and node"`
	App   string     `json:"app,omitempty" doc:"name"`
	Node  string     `json:"node,omitempty" doc:"name, of what is wrong with one node, or can't leave it"`
	Since *time.Time `json:"since,omitempty" doc:"left out where it lasts for longer than anybody has watched"`
}

// LiveApps counts apps.
type LiveApps struct {
	Total   int `json:"total"`
	Serving int `json:"serving"`
	Stopped int `json:"stopped"`
}

// LiveRouters counts routers.
type LiveRouters struct {
	Live  int `json:"live"`
	Total int `json:"total"`
}

// LiveNode is one node at a glance. It has a time where Node has seconds: those
// would make it another one at each look.
type LiveNode struct {
	NodeFacts
	HeardAt *time.Time `json:"heard_at"`
}

// LiveApp is one app at a glance.
type LiveApp struct {
	Name     string `json:"name"`
	State    string `json:"state" doc:"serving, running (without a web process), deploying, stopped, failed or empty"`
	Severity string `json:"severity" enum:"ok,warn,bad"`
	Verdict  string `json:"verdict" doc:"how the app is, in words"`
	Release  string `json:"release"`
	URL      string `json:"url"`
	Running  int    `json:"running"`
	Wanted   int    `json:"wanted"`
	Rates
	Spark     []uint32 `json:"spark" nullable:"true" doc:"requests per ten seconds of the last ten minutes, oldest first; null if unknown"`
	Operation *LiveRef `json:"operation"`
}

// LiveRows is an event of a topic that is a list. The rows are LiveApp, or Job
// without children.
type LiveRows[T any] struct {
	All  bool     `json:"all" doc:"all rows; otherwise those that changed"`
	Rows []T      `json:"rows"`
	Gone []string `json:"gone" doc:"names or ids of removed rows"`
}

// LiveAppPage is all about one app.
type LiveAppPage struct {
	App       App        `json:"app"`
	State     string     `json:"state" doc:"as the app's"`
	Instances []Instance `json:"instances"`
	Formation []Process  `json:"formation"`
	Releases  []Release  `json:"releases" doc:"the newest 20"`
	Domains   []Domain   `json:"domains"`
	Rates     Rates      `json:"rates"`
	Spark     []uint32   `json:"spark" nullable:"true" doc:"as in the list of apps"`
	Operation *LiveRef   `json:"operation"`
}

// LiveNodePage is all about one node.
type LiveNodePage struct {
	LiveNode
	NodeDetails
	Attention []LiveAttention `json:"attention" doc:"what is wrong with the node, the worst first"`
	Drain     *LiveRef        `json:"drain" doc:"the operation that empties it; null while none does"`
	Residents []NodeInstance  `json:"residents"`
}

// NodeInstance is an instance on a node, with what becomes of it.
type NodeInstance struct {
	Instance
	Work *LiveRef `json:"work" doc:"moves, replaces or stops it; null while nothing does"`
	Next string   `json:"next,omitempty" doc:"what it waits for that is to leave its node, in words"`
}

// LiveGone says that what a topic is of is no more, or never was.
type LiveGone struct {
	App   string `json:"app,omitempty" doc:"name, of the topic app:NAME"`
	Node  string `json:"node,omitempty" doc:"name, of the topic node:NAME"`
	Topic string `json:"topic,omitempty" doc:"of a job or a log, without its query and position"`
	Text  string `json:"text,omitempty" doc:"why, and what to do"`
}
