package jobs

import (
	"errors"
	"fmt"
	"regexp"
)

var ownerPattern = regexp.MustCompile(`^[nr]:[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Queue names where a job runs: the one node, or any worker of a role.
type Queue struct {
	Owner string `json:"owner"` // "n:<node id>" or "r:<role>"
}

// NodeQueue is the queue of one node's worker.
func NodeQueue(id string) Queue { return Queue{Owner: "n:" + id} }

// RoleQueue is the queue that every worker of a role takes from.
func RoleQueue(role string) Queue { return Queue{Owner: "r:" + role} }

// IsNode says whether the queue belongs to a single node.
func (q Queue) IsNode() bool { return len(q.Owner) > 2 && q.Owner[0] == 'n' }

// Validate refuses owners that could not be part of a key or an access rule.
func (q Queue) Validate() error {
	if q.Owner == "" {
		return errors.New(`the queue is missing (want "n:<node>" or "r:<role>")`)
	}
	if !ownerPattern.MatchString(q.Owner) {
		return fmt.Errorf(`queue %q is not "n:<node>" or "r:<role>" of letters, digits, dots, dashes and underscores`, q.Owner)
	}
	return nil
}
