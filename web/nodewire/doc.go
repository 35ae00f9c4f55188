// Package nodewire holds the JSON that nodes and the pacemaker send each other,
// shared by the server (web/nodeapi) and the nodes' client (web/client). Ids and
// states are the vocabulary's own, times are RFC 3339, durations nanoseconds and
// sizes bytes.
//
// Each shape comes from the value of package cluster that it carries, by a
// function FromX, and gives it back with Domain. Two versions of the programs
// read each other's shapes while a cluster is upgraded, so a field is added, and
// never renamed or given another meaning.
package nodewire
