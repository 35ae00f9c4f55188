// Package nodeapi is what nodes ask of the pacemaker, on a listener of its own
// which containers can't reach: sessions and reports, what an instance needs,
// builds and their sources, log lines. A node speaks for itself alone.
package nodeapi
