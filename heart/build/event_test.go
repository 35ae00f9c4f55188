package build

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"aorta/pacemaker/cluster"
)

func TestParseEvent_TakesOneThingAtATime(t *testing.T) {
	for text, good := range map[string]bool{
		`{"line":""}`: true,
		`{"step":{"n":1,"of":2,"text":"RUN make"}}`:   true,
		`{"result":{"State":"ready"}}`:                true,
		`{"error":{"code":"invalid","message":"no"}}`: true,
		`{"error":{"code":"invalid","message":""}}`:   false,
		`{"line":"a","step":{"n":1}}`:                 false,
		`{"line":null}`:                               false,
		`{"line":1}`:                                  false,
		`{}`:                                          false,
		`[]`:                                          false,
		``:                                            false,
		`{"line":"a"} {"line":"b"}`:                   false,
	} {
		if _, err := parseEvent([]byte(text)); (err == nil) != good {
			t.Errorf("%s: got %v, want it taken: %t", text, err, good)
		}
	}
}

// What a process says arrives as it said it.
func TestReporter_IsReadByParseEvent(t *testing.T) {
	var out strings.Builder
	say := newReporter(&out)

	say.Log("a\xffb\n")
	say.Progress(1, 2, "RUN make")
	say.end(cluster.BuildResult{}, cluster.Invalid("Procfile:1", "no"))

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q, want three lines", lines)
	}
	line, _ := parseEvent([]byte(lines[0]))
	step, _ := parseEvent([]byte(lines[1]))
	end, _ := parseEvent([]byte(lines[2]))
	if line.Line == nil || *line.Line != "a\ufffdb\n" || step.Step == nil || step.Step.Text != "RUN make" || end.Error == nil || *end.Error != (fault{cluster.CodeInvalid, "Procfile:1: no"}) {
		t.Errorf("got %+v, %+v, %+v", line, step, end)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"line":"a"}`))
	f.Add([]byte(`{"result":{"State":"ready","Processes":[{"Name":"web","Quantity":1}]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := parseEvent(line)
		if err == nil && e.Line != nil && !utf8.ValidString(*e.Line) {
			t.Errorf("let %q in, which is no text", line)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
	})
}
