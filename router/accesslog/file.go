package accesslog

import (
	"os"
	"strings"

	"aorta/internal/fileid"
	"aorta/router/stats"
)

// copyMark follows the key of a log that is a copy of another one in a position.
const copyMark = "~"

// file is one log: on disk, or known from a stored position only. Fields above
// the line are guarded by session.mu, those below belong to the session's loop.
type file struct {
	offset    int64               // end of the last line that was taken
	skip      [stats.Shards]int64 // up to here the shard has counted already
	maxSkip   int64               // the largest of skip
	src       *source             // nil when nothing more is expected
	truncated bool                // the tail came to the truncation, after its last line
	// ---
	id        fileid.ID
	copyOf    *file    // its beginning is counted there
	fd        *os.File // nil when it wasn't found on disk
	name      string   // where it was seen last
	size      int64    // as last seen
	drained   int64    // size at which all of it had been read; -1 before
	missed    int      // scans in a row that didn't find it
	doubts    int      // scans in a row that found another log in its place
	emptied   int      // scans that found the same log after a truncation
	kept      bool     // deleting it failed; the next session tries again
	deletable bool     // waiting for Redis' disk, then to be deleted
	unasable  bool     // whether it has writers can't be found out
}

// from is a shard's position in the file.
func (f *file) from(shard int) int64 { return max(f.offset, f.skip[shard]) }

// rewind puts the reading point to where the shard that is furthest behind is.
func (f *file) rewind() {
	f.offset, f.maxSkip = f.skip[0], f.skip[0]
	for _, at := range f.skip {
		f.offset, f.maxSkip = min(f.offset, at), max(f.maxSkip, at)
	}
}

// inherit takes over what was counted of the log that f is a copy of.
func (f *file) inherit() {
	for shard := range f.skip {
		f.skip[shard] = max(f.skip[shard], f.copyOf.from(shard))
	}
	f.copyOf = nil
	f.rewind()
}

// known makes files of what a router's stored positions name.
func known(positions [stats.Shards]stats.Position) []*file {
	files := map[string]*file{}
	copies := map[*file]bool{}
	for shard, position := range positions {
		for key, offset := range position {
			f := files[key]
			if f == nil {
				bare, isCopy := strings.CutSuffix(key, copyMark)
				id, ok := fileid.Parse(bare)
				if !ok {
					continue
				}
				f = &file{id: id, drained: -1}
				files[key], copies[f] = f, isCopy
			}
			f.skip[shard] = offset
		}
	}
	all := make([]*file, 0, len(files))
	for _, f := range files {
		f.rewind()
		all = append(all, f)
	}
	for _, f := range all {
		for _, of := range all {
			if copies[f] && !copies[of] && of.id.Head == f.id.Head {
				f.copyOf = of
			}
		}
	}
	return all
}

// positions is each shard's position once everything taken is committed. All
// shards share one map unless some had counted further than the rest.
func positions(files []*file) (at [stats.Shards]stats.Position) {
	level := true
	for _, f := range files {
		level = level && f.maxSkip <= f.offset
	}
	for shard := range at {
		if level && shard > 0 {
			at[shard] = at[0]
			continue
		}
		at[shard] = stats.Position{}
		for _, f := range files {
			key, of := f.id.Key(), f
			if f.copyOf != nil {
				key, of = key+copyMark, f.copyOf
			}
			if offset := of.from(shard); offset > 0 {
				at[shard][key] = offset
			}
		}
	}
	return at
}
