package logstore

import (
	"bytes"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"time"

	"aorta/pacemaker/cluster"
)

// A commit ends each batch in a segment, and begins each segment: a commitMark,
// the checksum of the rest (8 hex digits), and for each instance whose position
// it moves three fields with tabs in front: the instance, when it was moved (Unix
// seconds), the position. It is no line and has no number.
//
// What stands behind the last commit is half a batch, which counts as never
// written: lines and positions are there together or not at all. The commit at
// a segment's beginning repeats every position, so that older segments can go.
const commitMark = '#'

// positionTTL is for how long the position of an instance is kept that says
// nothing of itself. Hearts name those of living instances every hour.
const positionTTL = 7 * 24 * time.Hour

// position is up to where an instance's output is stored.
type position struct {
	at    string
	moved int64 // Unix seconds
}

// positions are those of an app, by instance.
type positions map[cluster.ID]position

// maxCommit is how many instances one commit names, so that it stays shorter
// than maxStored.
const maxCommit = 100

// since leaves out those that were not moved since t.
func (p positions) since(t time.Time) positions {
	young := make(positions, len(p))
	for id, at := range p {
		if at.moved >= t.Unix() {
			young[id] = at
		}
	}
	return young
}

// appendHead appends what a segment begins with: commits of all positions, one
// at least.
func appendHead(buf []byte, p positions) []byte {
	if len(p) == 0 {
		return appendCommit(buf, p, nil)
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(p)), maxCommit) {
		buf = appendCommit(buf, p, ids)
	}
	return buf
}

// appendCommit appends the stored form of a commit of these instances.
func appendCommit(buf []byte, p positions, ids []cluster.ID) []byte {
	start := len(buf)
	buf = append(buf, "#00000000"...)
	for _, id := range ids {
		buf = appendEscaped(append(buf, '\t'), string(id))
		buf = strconv.AppendInt(append(buf, '\t'), p[id].moved, 10)
		buf = appendEscaped(append(buf, '\t'), p[id].at)
	}
	putSum(buf[start+1:], crc32.Checksum(buf[start+9:], castagnoli))
	return append(buf, '\n')
}

// isCommit says whether a stored line is a commit, broken or not.
func isCommit(b []byte) bool { return len(b) > 0 && b[0] == commitMark }

// parseCommit reads a commit, without its newline.
func parseCommit(b []byte) (positions, bool) {
	if len(b) < 9 || !isCommit(b) || !sumFits(b[1:9], b[9:]) {
		return nil, false
	}
	p := positions{}
	if len(b) == 9 {
		return p, true
	}
	fields := bytes.Split(b[10:], []byte{'\t'})
	if b[9] != '\t' || len(fields)%3 != 0 {
		return nil, false
	}
	for f := range slices.Chunk(fields, 3) {
		moved, err := strconv.ParseInt(string(f[1]), 10, 64)
		if err != nil {
			return nil, false
		}
		p[cluster.ID(unescape(f[0]))] = position{at: unescape(f[2]), moved: moved}
	}
	return p, true
}
