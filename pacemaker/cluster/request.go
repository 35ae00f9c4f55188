package cluster

import (
	"encoding/json"
	"fmt"
)

// Request is what an operation was asked with, kept as its Args; each kind uses
// its own part.
type Request struct {
	// Deploys and releases.
	Build   ID       `json:"build,omitempty"`
	Commit  string   `json:"commit,omitempty"`
	Message string   `json:"message,omitempty"`
	Author  string   `json:"author,omitempty"`
	Cause   string   `json:"cause,omitempty"`
	Domains []string `json:"domains,omitempty"`
	// Changes of config vars: the release is made of the build that serves when
	// their turn has come, and of the one above only while nothing does.
	Serving bool `json:"serving,omitempty"`
	// Deploys by push: the ref to move once the release serves.
	Ref string `json:"ref,omitempty"`
	Old string `json:"old,omitempty"`
	// Rollbacks: the branch moves back to the commit once it serves.
	Rollback bool `json:"rollback,omitempty"`
	// Restarts: the instances to replace.
	Replace []ID `json:"replace,omitempty"`
	// Changes of limits: the process types of which all instances are replaced that
	// are there when their turn has come.
	Relimited []string `json:"relimited,omitempty"`
	// Changes of required tags: the process types of which the instances are replaced
	// that are where they may not be any more when their turn has come.
	Retagged []string `json:"retagged,omitempty"`
	// Replacements: the process types that it is about; none: all.
	Types []string `json:"types,omitempty"`
	// how many instances of each there is room for; none: any number.
	AtMost map[string]int `json:"at_most,omitempty"`
	// of something that is to run elsewhere: why, see plan.MoveCause.
	Move string `json:"move,omitempty"`
	// and what made them necessary, in words.
	Reason string `json:"reason,omitempty"`
	// Removals of images: the nodes; none: that of the operation.
	Nodes []ID `json:"nodes,omitempty"`
	// Removals of images: also from the registry.
	Registry bool `json:"registry,omitempty"`
	// Restarts of a stopped app start it again.
	Revive bool `json:"revive,omitempty"`
	// Repeats of an operation that did not succeed name it.
	Retries ID `json:"retries,omitempty"`
}

// Encode gives the request as an operation's Args.
func (r Request) Encode() []byte {
	raw, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("encode the request of an operation: %v", err)) // strings only: it can't fail
	}
	return raw
}

// Request reads what the operation was asked with.
func (op Operation) Request() (Request, error) {
	var r Request
	if err := json.Unmarshal(op.Args, &r); err != nil {
		return r, fmt.Errorf("read the request of operation %s: %w", op.ID, err)
	}
	return r, nil
}
