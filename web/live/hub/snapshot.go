package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// State is what a topic says at one moment: one value, or rows.
type State struct {
	Event string // name of the event
	Value any    // of a topic that is one thing
	Rows  []Row  // of a topic that is a list
	List  bool
}

// Row is one row of a list. Its value is encoded as JSON.
type Row struct {
	Key   string
	Value any
}

// snapshot is what a topic said last, encoded. Only the hub's goroutine uses it.
type snapshot struct {
	at    time.Time // when it was computed
	event string
	rows  map[string][]byte // of a list
	order []string
	whole []byte // the full event; of a list made when first asked for
}

// change is an event's data; nil when nothing has changed.
type change = []byte

// update takes over a new state and gives what changed since the last. A snapshot
// that said nothing yet, or another kind of event, gives the whole.
func (b *snapshot) update(s State, now time.Time) (change, error) {
	if !s.List {
		return b.updateValue(s, now)
	}
	changed, gone, err := b.updateRows(s)
	if err != nil {
		return nil, err
	}
	first := b.event != s.Event
	b.at, b.event = now, s.Event
	switch {
	case first:
		b.whole = nil
		return b.full(), nil
	case len(changed)+len(gone) == 0:
		return nil, nil
	}
	b.whole = nil
	return rowsJSON(false, changed, gone), nil
}

func (b *snapshot) updateValue(s State, now time.Time) (change, error) {
	raw, err := json.Marshal(s.Value)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", s.Event, err)
	}
	same := b.event == s.Event && bytes.Equal(raw, b.whole)
	b.at, b.event, b.whole = now, s.Event, raw
	if same {
		return nil, nil
	}
	return raw, nil
}

func (b *snapshot) updateRows(s State) (changed [][]byte, gone []string, err error) {
	fresh, order := make(map[string][]byte, len(s.Rows)), make([]string, 0, len(s.Rows))
	for _, r := range s.Rows {
		raw, err := json.Marshal(r.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("encode %s of %s: %w", r.Key, s.Event, err)
		}
		if before := b.rows[r.Key]; !bytes.Equal(before, raw) {
			changed = append(changed, raw)
		}
		fresh[r.Key], order = raw, append(order, r.Key)
	}
	for key := range b.rows {
		if _, still := fresh[key]; !still {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	b.rows, b.order = fresh, order
	return changed, gone, nil
}

// full is the event that says everything.
func (b *snapshot) full() []byte {
	if b.whole != nil {
		return b.whole
	}
	all := make([][]byte, len(b.order))
	for i, key := range b.order {
		all[i] = b.rows[key]
	}
	b.whole = rowsJSON(true, all, nil)
	return b.whole
}

// rowsJSON puts rows that are encoded already into one event.
func rowsJSON(all bool, rows [][]byte, gone []string) []byte {
	names, err := json.Marshal(append([]string{}, gone...))
	if err != nil {
		panic(fmt.Sprintf("encode names: %v", err)) // strings only: it can't fail
	}
	out := fmt.Appendf(nil, `{"all":%t,"rows":[`, all)
	out = append(out, bytes.Join(rows, []byte{','})...)
	return fmt.Appendf(out, `],"gone":%s}`, names)
}
