package cluster

// The kinds of job, and what their arguments hold: ids only, so that a job in
// Redis carries no secret and no state that could be out of date.
const (
	JobBuild         = "build"          // builder: source → image
	JobRelease       = "release"        // pacemaker: image → numbered release
	JobPlace         = "place"          // pacemaker: chooses nodes, grafts the starts
	JobInstanceStart = "instance.start" // heart: image, container, health
	JobPublish       = "publish"        // pacemaker: traffic to the new release, acks
	JobDeploy        = "deploy"         // pacemaker: the root of every operation that rolls out
	JobDrain         = "drain"          // pacemaker: requests in flight on an instance done
	JobInstanceStop  = "instance.stop"  // heart: SIGTERM, SIGKILL, container gone
	JobFinish        = "finish"         // pacemaker: the root of operations whose end needs nothing more
	JobImagePrune    = "image.prune"    // heart: images that nothing keeps
	JobDestroy       = "destroy"        // pacemaker: the root of an app's end
	JobTidy          = "tidy"           // pacemaker, now and then: what has had its time goes
	JobPrune         = "prune"          // pacemaker, now and then: begins image.prune on every node
)

// OperationArgs are the arguments of the pacemaker's own jobs.
type OperationArgs struct {
	Operation ID `json:"operation"`
}

// InstanceArgs are the arguments of instance.start, drain and instance.stop.
type InstanceArgs struct {
	Operation ID `json:"operation"`
	Instance  ID `json:"instance"`
}

// BuildArgs are the arguments of a build.
type BuildArgs struct {
	Operation ID `json:"operation"`
	Build     ID `json:"build"`
}

// PruneArgs are the arguments of image.prune.
type PruneArgs struct {
	Node ID `json:"node"`
}

// BuildSpec is what a builder needs to know of a build; the source itself is a
// tar stream of its own.
type BuildSpec struct {
	ID      ID         `json:"id"`
	AppID   ID         `json:"app_id"`
	App     string     `json:"app"`
	Kind    SourceKind `json:"kind"`
	Source  string     `json:"source"`
	State   BuildState `json:"state"`
	Image   Image      `json:"image,omitzero"`
	Cluster ID         `json:"cluster"`
}

// BuildResult is how a build ended: its image and process types, or its cause.
type BuildResult struct {
	State     BuildState    `json:"state"` // ready or failed
	Image     Image         `json:"image,omitzero"`
	Processes []ProcessType `json:"processes,omitempty"`
	Domains   []string      `json:"domains,omitempty"` // that aorta.yml asks for
	Error     string        `json:"error,omitempty"`
}

// KeepImages names the images of an engine that must stay: those of running
// instances and of each app's last ten releases.
type KeepImages struct {
	IDs []string `json:"ids"`
	// Builds are at work, or just ready and not yet in a release: an image with
	// the label of one of them stays too.
	Builds []ID `json:"builds"`
}

// Labels that containers and images of ours carry. Only the three that hold
// ids are trusted for adoption; the others are names as they were at the start.
const (
	LabelCluster  = "aorta.cluster"
	LabelInstance = "aorta.instance"
	LabelAppID    = "aorta.app-id"
	LabelApp      = "aorta.app"
	LabelRelease  = "aorta.release"
	LabelProcess  = "aorta.process"
	LabelNode     = "aorta.node"
	LabelBuild    = "aorta.build"
)
