// Package agent is the router's side of the cluster on one machine: the replica
// of the routing table, its copy on disk, nginx, the tailer of nginx's log, and
// the reports of what the workers serve. It decides nothing about routes.
package agent
