// Package rig starts the HTTP front over a real store and a real pacemaker, for
// the tests of web's packages: it asks, signs in, and reads event streams. It is
// for tests only.
package rig
