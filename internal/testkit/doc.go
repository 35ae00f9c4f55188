// Package testkit starts real daemons for tests and waits on conditions.
//
// It is for tests only: everything it starts dies with the test, and nothing
// here may be imported by code that ships. Daemons that must outlive us belong
// to internal/procs.
package testkit
