package cluster

import "time"

// The kinds of job, and what their arguments hold: ids only, so that a job in
// Redis carries no secret and no state that could be out of date.
const (
	JobBuild         = "build"          // builder: source → image
	JobTurn          = "turn"           // pacemaker: what a deploy waits for once it is built
	JobRelease       = "release"        // pacemaker: image → numbered release
	JobPlace         = "place"          // pacemaker: chooses nodes, grafts the starts
	JobPlaceAnew     = "place.anew"     // pacemaker: places one anew that was to start on a node that died, grafts its start
	JobInstanceStart = "instance.start" // heart: image, container, health
	JobStart         = "start"          // pacemaker: grafts the starts that waited for an image
	JobProvide       = "image.provide"  // pacemaker: finds who has or makes an image that a heart misses
	JobSwap          = "swap"           // pacemaker: ends what is exclusive, then starts what is to run in its place
	JobPublish       = "publish"        // pacemaker: traffic to the new release, acks
	JobDeploy        = "deploy"         // pacemaker: the root of every operation that rolls out
	JobDrain         = "drain"          // pacemaker: requests in flight on an instance done
	JobInstanceStop  = "instance.stop"  // heart: SIGTERM, SIGKILL, container gone
	JobFinish        = "finish"         // pacemaker: the root of operations whose end needs nothing more
	JobImagePrune    = "image.prune"    // heart: images that nothing keeps
	JobRegistryPrune = "registry.prune" // pacemaker: images in its registry that nothing keeps
	JobEmptyNode     = "node.empty"     // pacemaker: waits until nothing is left on a node
	JobDestroy       = "destroy"        // pacemaker: the root of an app's end
	JobTidy          = "tidy"           // pacemaker, now and then: deletes what has expired
	JobPrune         = "prune"          // pacemaker, now and then: begins image.prune on every node
	JobPack          = "pack"           // pacemaker, now and then: packs and prunes the git repositories
)

// OperationArgs are the arguments of the pacemaker's own jobs.
type OperationArgs struct {
	Operation ID `json:"operation"`
}

// InstanceArgs are the arguments of place.anew, instance.start, drain and instance.stop.
type InstanceArgs struct {
	Operation ID `json:"operation"`
	Instance  ID `json:"instance"`
	// Rebuilt marks a start that comes after its image was built again.
	Rebuilt bool `json:"rebuilt,omitempty"`
}

// SwapArgs are the arguments of swap.
type SwapArgs struct {
	Operation ID       `json:"operation"`
	Types     []string `json:"types"` // process types
}

// NodeArgs are the arguments of a start on one node, once its image is there, and of
// node.empty.
type NodeArgs struct {
	Node ID `json:"node"`
}

// ProvideArgs are the arguments of image.provide.
type ProvideArgs struct {
	Build ID `json:"build"`
	Node  ID `json:"node"` // that misses its image
}

// BuildArgs are the arguments of a build.
type BuildArgs struct {
	Operation ID `json:"operation"`
	Build     ID `json:"build"`
}

// PruneArgs are the arguments of image.prune.
type PruneArgs struct {
	Node ID `json:"node"`
	App  ID `json:"app,omitempty"` // whose images alone
}

// BuildSpec is what a builder needs to know of a build; the source itself is a
// tar stream of its own.
type BuildSpec struct {
	ID      ID
	AppID   ID
	App     string
	Kind    SourceKind
	Source  string
	State   BuildState
	Image   Image
	Cluster ID
	Secrets map[string]string // what its Dockerfile may mount, by id; for the builder alone
	Push    bool              // its image is to be in the cluster's registry: other nodes run instances
}

// BuildResult is how a build ended: its image and process types, or its cause.
type BuildResult struct {
	State     BuildState // ready or failed
	Image     Image
	Processes []ProcessType
	Domains   []string            // that aorta.yml asks for
	Route     RequestLimitsChange // likewise
	Error     string
	Steps     int           // of its Dockerfile; 0 for an image that existed
	Cached    int           // of those, how many were taken from the cache
	Took      time.Duration // without waiting for its turn
	// Replaces is the id of the image that this one is in the place of: a ready
	// build's, when it was gone from the engine. Empty for a first result.
	Replaces string
}

// Labels that containers and images of ours carry. Only the three that hold
// ids are trusted for adoption; the others are names as they were at the start.
const (
	LabelPrefix   = "aorta."
	LabelCluster  = "aorta.cluster"
	LabelInstance = "aorta.instance"
	LabelAppID    = "aorta.app-id"
	LabelApp      = "aorta.app"
	LabelRelease  = "aorta.release"
	LabelProcess  = "aorta.process"
	LabelNode     = "aorta.node"
	LabelBuild    = "aorta.build"
	LabelHealth   = "aorta.health" // "image": its image's HEALTHCHECK decides
)
