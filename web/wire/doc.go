// Package wire holds the shapes of the REST API's JSON, shared by the server
// (web/api) and the Go client (web/client). It has no behaviour; ids are
// strings as in cluster.ID, times are RFC 3339, durations are seconds unless
// the name says otherwise.
package wire

//go:generate go run ../../scripts/tstypes -o ../dashboard/ui/src/types.ts
