package git

// The environment of a hook: where to call, and the one-time token that says
// for which push.
const (
	envSocket = "AORTA_HOOK_SOCKET"
	envToken  = "AORTA_HOOK_TOKEN"
)

// maxHello bounds what a hook may say, in bytes.
const maxHello = 8 << 20

// hello is the one JSON value that a hook sends.
type hello struct {
	Token    string    `json:"token"`
	Commands []command `json:"commands"`
}

// frame is one JSON value of the answer: a line for the pusher, or the
// results, which end it.
type frame struct {
	Line    string   `json:"line,omitempty"`
	Results []result `json:"results,omitempty"`
}

// result is the fate of one ref; no error means that it was moved, or that git is
// to move it.
type result struct {
	Ref   string `json:"ref"`
	Error string `json:"error,omitempty"`
	ByGit bool   `json:"by_git,omitempty"`
}
