// Package redisd runs a managed redis-server: it renders its configuration,
// starts or adopts it, applies what changed, and opens its replication gate.
//
// It does not know the server's data: key names and scripts belong to
// the packages that use it, and so does the choice of users and their rules,
// apart from the few sets of rules in rules.go. It needs Redis 7.0 or later.
package redisd
