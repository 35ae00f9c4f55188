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

func queueACL(q jobs.Queue) []string {
	k := keysOf(q)
	rules := []string{"resetkeys", "resetchannels", "nocommands", "clearselectors"}
	for p := range priorities {
		rules = append(rules, "~"+k.stream(p)) // each by name: nobody would clear away another one
	}
	return append(
		rules,
		"%R~"+string(k)+"j:*",
		"~"+k.beat(),
		"&"+string(k)+"*",
		"+xreadgroup", "+xgroup|create", "+xack", "+xdel",
		"+hmget", "+hincrby", "+hdel", "+multi", "+exec",
		"+publish", "+subscribe", "+unsubscribe", "+ping",
		"+command", "+cluster|slots", // where keys lie: without it no client can work on a Redis Cluster
		// Its queue is not what it says things in: only the keeper adds there.
		"("+strings.Join([]string{"+xadd", "%W~" + k.out(), "%W~" + string(k) + "j:*:log"}, " ")+")",
	)
}
