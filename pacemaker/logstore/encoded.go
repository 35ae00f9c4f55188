package logstore

import "aorta/pacemaker/cluster"

// encoded is a batch of one app in its stored form.
type encoded struct {
	lines      [][]byte
	nanos      []int64
	instances  []cluster.ID
	isFresh    []bool // not stored yet; set by fresh
	byInstance map[cluster.ID][][]byte
}

func encode(lines []cluster.LogLine) *encoded {
	e := &encoded{
		lines:      make([][]byte, 0, len(lines)),
		nanos:      make([]int64, 0, len(lines)),
		instances:  make([]cluster.ID, 0, len(lines)),
		isFresh:    make([]bool, len(lines)),
		byInstance: map[cluster.ID][][]byte{},
	}
	var buf []byte
	for _, l := range lines {
		start := len(buf)
		buf = appendLine(buf, l)
		// A later growth of buf leaves this part where it was: still good.
		stored := buf[start:len(buf):len(buf)]
		e.lines = append(e.lines, stored)
		e.nanos = append(e.nanos, l.Time.UnixNano())
		e.instances = append(e.instances, l.Instance)
		e.byInstance[l.Instance] = append(e.byInstance[l.Instance], stored)
	}
	return e
}

// fresh joins the lines that are not stored yet.
func (e *encoded) fresh(known *batches) []byte {
	skip := map[cluster.ID]int{}
	for id, own := range e.byInstance {
		skip[id] = known.known(id, own)
	}
	var buf []byte
	for i, l := range e.lines {
		if skip[e.instances[i]] > 0 {
			skip[e.instances[i]]--
			continue
		}
		e.isFresh[i] = true
		buf = append(buf, l...)
	}
	return buf
}
