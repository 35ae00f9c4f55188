package build

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"aorta/pacemaker/cluster"
)

// order is what the process of a build is told, as one line of JSON; the source
// follows it. Both ends are the same program, so values go as they are.
type order struct {
	Spec     cluster.BuildSpec
	Settings Settings
	Host     string        // address of the engine
	Dir      string        // for the spool
	Memory   int64         // bytes that the process may have
	CPU      time.Duration // processor time that it may take to read the source
}

// event is what the process of a build says, one line of JSON each. One of the
// fields is set; a result or an error is the last.
type event struct {
	Line   *string              `json:"line,omitempty"`
	Step   *step                `json:"step,omitempty"`
	Result *cluster.BuildResult `json:"result,omitempty"`
	Error  *fault               `json:"error,omitempty"`
}

// step says how far the build is.
type step struct {
	N    int    `json:"n"`
	Of   int    `json:"of"`
	Text string `json:"text"`
}

// fault is an error with its code. Its message is the whole text.
type fault struct {
	Code    cluster.Code `json:"code"`
	Message string       `json:"message"`
}

// ends tells whether the event is the last.
func (e event) ends() bool { return e.Result != nil || e.Error != nil }

// maxEvent is the longest event, in bytes. A result holds what aorta.yml,
// Procfile and app.json hold, of which each byte may take six.
const maxEvent = 4 << 20

var errNoEvent = errors.New("said what is no event")

// parseEvent reads one line.
func parseEvent(line []byte) (event, error) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		return e, errNoEvent
	}
	set := 0
	for _, is := range []bool{e.Line != nil, e.Step != nil, e.Result != nil, e.Error != nil} {
		if is {
			set++
		}
	}
	if set != 1 || e.Error != nil && e.Error.Message == "" {
		return e, errNoEvent
	}
	return e, nil
}

// reporter writes events. What can't be written is for nobody: the process ends
// with the one that reads.
type reporter struct {
	mu  sync.Mutex // guards out
	out *json.Encoder
}

func newReporter(out io.Writer) *reporter { return &reporter{out: json.NewEncoder(out)} }

func (r *reporter) send(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.out.Encode(e)
}

// Log is part of teller.
func (r *reporter) Log(line string) { r.send(event{Line: &line}) }

// Progress is part of teller.
func (r *reporter) Progress(n, m int, text string) { r.send(event{Step: &step{n, m, text}}) }

// end says how the build ended.
func (r *reporter) end(result cluster.BuildResult, err error) {
	if err != nil {
		r.send(event{Error: &fault{cluster.CodeOf(err), err.Error()}})
		return
	}
	r.send(event{Result: &result})
}
