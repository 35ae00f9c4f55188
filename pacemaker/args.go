package pacemaker

import (
	"encoding/json"
	"fmt"

	"aorta/pacemaker/cluster"
)

// opArgs is what an operation was asked with, kept in SQL; each kind uses its
// own part.
type opArgs struct {
	// Deploys and releases.
	Build   cluster.ID `json:"build,omitempty"`
	Commit  string     `json:"commit,omitempty"`
	Message string     `json:"message,omitempty"`
	Cause   string     `json:"cause,omitempty"`
	Domains []string   `json:"domains,omitempty"`
	// Deploys by push: the ref to move once the release serves.
	Ref string `json:"ref,omitempty"`
	Old string `json:"old,omitempty"`
	// Restarts and changes of limits: the instances that give way.
	Replace []cluster.ID `json:"replace,omitempty"`
	// Replacements: the process types that it is about; none: all.
	Types []string `json:"types,omitempty"`
	// Restarts of a stopped app set it going again.
	Revive bool `json:"revive,omitempty"`
	// Repeats of an operation that did not succeed name it.
	Retries cluster.ID `json:"retries,omitempty"`
}

func (a opArgs) encode() []byte {
	raw, err := json.Marshal(a)
	if err != nil {
		panic(fmt.Sprintf("encode the arguments of an operation: %v", err)) // strings only: it can't fail
	}
	return raw
}

func argsOf(op cluster.Operation) (opArgs, error) {
	var a opArgs
	if err := json.Unmarshal(op.Args, &a); err != nil {
		return a, fmt.Errorf("read the arguments of operation %s: %w", op.ID, err)
	}
	return a, nil
}
