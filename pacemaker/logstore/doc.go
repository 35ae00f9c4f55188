// Package logstore keeps what apps print, on disk, across their containers,
// releases and nodes: appended in batches, searched, followed live, and thrown
// away by age and size.
//
// Each app has a directory of segments. The newest one is plain lines, one
// record each, with a checksum; older ones are compressed. The names of the
// files are the index. With the lines lie the positions in their instances'
// output up to which they are stored, so that what is sent again is stored once.
// A kill -9 loses nothing that Append accepted; a machine that loses power may
// lose the last second, and asks for it again where the node still has it.
//
// It is not for access logs or traffic statistics, and it does not know which
// apps exist.
package logstore
