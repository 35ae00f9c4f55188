// Package redisconn connects the pacemaker and the nodes to the jobs Redis: the
// managed one, or one of the operator's own, which may be away, be a Redis
// Cluster or turn out to be no good. It finds out what that Redis is, refuses
// what can't keep jobs, gives each node a user there, and runs keeper and
// workers wherever the jobs are. The content of that Redis is redisq's alone.
package redisconn
