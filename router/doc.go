// Package router is the routing table as a value: what one hostname's record
// holds, which records are well formed, and what differs between two tables.
//
// It is pure: no I/O, no clock, no randomness. How a table gets into Redis and
// out again is router/table; who serves requests by it is router/openresty.
package router
