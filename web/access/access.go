// Package access says who may do what: each operation names the least role
// that it needs and the subject that it is on, and Allowed decides. It knows no
// HTTP and reads nothing; web/auth finds out who asks, and about what.
package access

import "aorta/pacemaker/cluster"

// Role is the least role that an operation needs.
type Role string

// The roles. A higher one may do all that a lower one may.
const (
	Viewer    Role = "viewer"
	Developer Role = "developer"
	Admin     Role = "admin"
	// Node is for nodes alone, on a listener of their own.
	Node Role = "node"
	// Anyone is for who has yet to show a credential.
	Anyone Role = "anyone"
)

var rank = map[Role]int{Viewer: 1, Developer: 2, Admin: 3}

// User is who asks.
type User struct {
	ID   string
	Name string
	Role Role // what the user was given
}

// Refusal is the error for a user who may not do what needs the role.
func Refusal(what string, user User, need Role) error {
	return cluster.Forbidden("%s needs the role %s; %s has %q", what, need, user.Name, user.Role)
}

// Allowed tells whether a user may do to a subject what needs the role. Roles
// hold for the whole cluster today; the subject is there so that the roles of a
// workspace or an app are a change of this function and of nothing else.
func Allowed(user User, need Role, on Subject) bool {
	return on.Kind != "" && rank[need] > 0 && rank[user.Role] >= rank[need]
}
