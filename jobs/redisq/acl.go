package redisq

import (
	"strings"

	"aorta/jobs"
)

// NodeACL are the rules, as ACL SETUSER takes them, of the user under which the
// worker of a node's own queue logs in. The caller adds "on" and a password. The
// user can take and finish that node's jobs and do nothing else: no scripts, no
// other queue, no writing of what the keeper wrote for it.
func NodeACL(nodeID string) []string { return queueACL(jobs.NodeQueue(nodeID)) }

// RoleACL are the rules of one role's queue, like NodeACL's. A user that works
// for several queues gets the sum of both, from the second on without the
// resets at the beginning.
func RoleACL(role string) []string { return queueACL(jobs.RoleQueue(role)) }

// queueACL gives each kind of key the commands for it alone: a key that does not exist
// would be made by others as what it is not, and nobody could read it.
func queueACL(q jobs.Queue) []string {
	k := keysOf(q)
	streams := []string{"+xreadgroup", "+xgroup|create", "+xack", "+xdel"}
	for p := range priorities {
		streams = append(streams, "~"+k.stream(p)) // each by name: nobody would clear away another one
	}
	return []string{
		"resetkeys", "resetchannels", "nocommands", "clearselectors",
		"&" + string(k) + "*",
		"+multi", "+exec", "+publish", "+subscribe", "+unsubscribe", "+ping",
		"+command", "+cluster|slots", // where keys lie: without it no client can work on a Redis Cluster
		selector(streams...),
		selector("+hincrby", "+hdel", "~"+k.beat()),
		selector("+hmget", "%R~"+string(k)+"j:*"),
		// Its queue is not what it says things in: only the keeper adds there.
		selector("+xadd", "%W~"+k.out(), "%W~"+string(k)+"j:*:log"),
	}
}

func selector(rules ...string) string { return "(" + strings.Join(rules, " ") + ")" }
