package router

// Limits of one record. They bound what a worker parses in one go, and a
// record beyond them is broken.
const (
	MaxRecordBytes = 1 << 20 // of its JSON
	MaxGroups      = 64
	MaxInstances   = 2000 // over all groups
	MaxWeight      = 10000
	MaxSeconds     = 86400   // of a timeout
	MaxBodyLimit   = 1 << 50 // of MaxBody
)

// Record is one hostname's route, as it is kept in Redis as JSON. Unknown fields
// are ignored, so that older routers read newer records; an absent or null
// field is its zero value.
type Record struct {
	// Host is an exact canonical name, or "*.b.c" for every name under b.c.
	Host string `json:"host"`
	Pair
	App         string  `json:"app"`      // the app's id, a UUID
	AppName     string  `json:"app_name"` // what people call it
	Groups      []Group `json:"groups"`
	Maintenance bool    `json:"maintenance,omitempty"` // answers 503 with Retry-After
	// Limits of one request; zero is the router's default. No wait is longer than
	// IdleTimeout.
	Timeout     int   `json:"timeout,omitempty"`      // seconds until an answer begins
	IdleTimeout int   `json:"idle_timeout,omitempty"` // seconds of silence on a connection in use
	MaxBody     int64 `json:"max_body,omitempty"`     // bytes of a request's body
}

// Group is one release's share of a host's requests.
type Group struct {
	Release     string     `json:"release"`      // the release's id, a UUID
	ReleaseName string     `json:"release_name"` // "v12"
	Weight      int        `json:"weight"`       // 0..10000, relative to its siblings; 0 gets no request
	Instances   []Instance `json:"instances"`
}

// Instance is one address that answers for a release.
type Instance struct {
	ID       string `json:"id"`        // a UUID, never used again
	Type     string `json:"type"`      // process type, "web"
	Node     string `json:"node"`      // the node's id, a UUID
	NodeName string `json:"node_name"` // what people call it
	Addr     string `json:"addr"`      // "10.77.0.3:20017" or "[fd00::3]:20017"
}

// Table is every record by its host name.
type Table map[string]Record
