package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// waitedKey is the attribute by which a test says how long it was kept waiting, as
// testkit.WaitTurn writes it.
const waitedKey = "waited-for-turn"

// event is one line of `go test -json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build output, instead of Package
	Test        string // "" for the package itself
	Elapsed     float64
	Output      string
	FailedBuild string
	Key, Value  string // of an attribute
}

// key names a test, or a package when test is "".
type key struct{ pkg, test string }

// timing is how long a test took, the time left out in which it waited for its
// turn among the parallel ones.
type timing struct {
	key
	seconds float64
}

// report adds up the events of one run. A test with subtests is not counted
// beside them, unless it alone failed.
type report struct {
	out                     io.Writer
	passed, failed, skipped int
	skips                   []string
	times                   []timing // of the tests without their subtests, which they contain

	output  map[key][]string  // what was printed, until the outcome is known
	parents map[key]bool      // tests that have subtests
	broken  map[key]bool      // tests and packages below which something failed
	waited  map[key]float64   // seconds that a test was waited for its turn
	running map[string][]key  // started and unfinished tests, by package
	builds  map[string]string // compiler output, by import path
}

func newReport(out io.Writer) *report {
	return &report{
		out: out, output: map[key][]string{}, parents: map[key]bool{}, broken: map[key]bool{},
		waited: map[key]float64{}, running: map[string][]key{}, builds: map[string]string{},
	}
}

// read takes events to the end of the stream. Lines that are none are printed
// as they are.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the test events: %w", err)
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		fmt.Fprintf(r.out, "%s\n", strings.TrimRight(string(line), "\n"))
		return
	}
	r.add(e)
}

func (r *report) add(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] += e.Output
	case "output":
		r.output[k] = append(r.output[k], e.Output)
	case "run":
		r.running[e.Package] = append(r.running[e.Package], k)
		if parent, ok := parentOf(k); ok {
			r.parents[parent] = true
		}
	case "attr":
		if d, err := time.ParseDuration(e.Value); err == nil && e.Key == waitedKey {
			r.waited[k] += d.Seconds()
		}
	case "pass", "fail", "skip":
		r.end(k, e)
	}
}

// end takes the outcome of a test or of a package.
func (r *report) end(k key, e event) {
	if k.test == "" {
		r.endPackage(k, e)
		return
	}
	r.finish(k)
	if _, inside := parentOf(k); !inside {
		r.times = append(r.times, timing{k, e.Elapsed - r.waited[k]})
	}
	switch {
	case e.Action == "fail":
		r.fail(k)
	case r.parents[k]: // its subtests are counted
	case e.Action == "skip":
		r.skipped++
		r.skips = append(r.skips, k.pkg+" "+k.test+": "+reason(r.output[k]))
	default:
		r.passed++
	}
	delete(r.output, k)
}

// fail prints a failed test with all that it wrote, and marks what is above it.
func (r *report) fail(k key) {
	if !r.broken[k] {
		r.failed++
	}
	for up, ok := parentOf(k); ok; up, ok = parentOf(up) {
		r.broken[up] = true
	}
	r.broken[key{pkg: k.pkg}] = true
	fmt.Fprintf(r.out, "--- FAIL: %s %s\n%s", k.pkg, k.test, strings.Join(r.output[k], ""))
}

// endPackage prints a package's closing line. A package can fail with no test
// of its own at fault: it does not compile, panics, or runs out of time.
func (r *report) endPackage(k key, e event) {
	if e.Action == "fail" {
		if !r.broken[k] {
			r.failed++
		}
		fmt.Fprint(r.out, r.builds[e.FailedBuild])
		for _, unfinished := range r.running[k.pkg] {
			fmt.Fprintf(r.out, "--- UNFINISHED: %s %s\n%s", k.pkg, unfinished.test, strings.Join(r.output[unfinished], ""))
		}
		fmt.Fprintf(r.out, "%sFAIL\t%s\t%.1fs\n", strings.Join(r.output[k], ""), k.pkg, e.Elapsed)
	} else if e.Action == "pass" {
		fmt.Fprintf(r.out, "ok  \t%s\t%.1fs\n", k.pkg, e.Elapsed)
	}
	delete(r.output, k)
	delete(r.running, k.pkg)
}

func (r *report) finish(k key) {
	left := r.running[k.pkg][:0]
	for _, other := range r.running[k.pkg] {
		if other != k {
			left = append(left, other)
		}
	}
	r.running[k.pkg] = left
}

// verdict is why the run as a whole is no success, "" when it is one.
func (r *report) verdict(short bool) string {
	switch {
	case r.failed > 0:
		return "FAIL: see above"
	case r.passed == 0:
		return "FAIL: no test ran"
	case r.skipped > 0 && !short:
		return "FAIL: skipped, and nothing may be skipped here:\n  " + strings.Join(r.skips, "\n  ")
	}
	return ""
}

// slowest are up to ten lines about the tests that took the longest, of those
// that took more than a second.
func (r *report) slowest() []string {
	slices.SortStableFunc(r.times, func(a, b timing) int { return cmp.Compare(b.seconds, a.seconds) })
	var lines []string
	for _, t := range r.times[:min(10, len(r.times))] {
		if t.seconds > 1 {
			lines = append(lines, fmt.Sprintf("%6.1fs  %s %s", t.seconds, t.pkg, t.test))
		}
	}
	return lines
}

func (r *report) summary() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", r.passed, r.failed, r.skipped)
}

// parentOf is the test that a subtest belongs to.
func parentOf(k key) (key, bool) {
	i := strings.LastIndexByte(k.test, '/')
	if i < 0 {
		return key{}, false
	}
	return key{k.pkg, k.test[:i]}, true
}

// reason is what a skipped test said, without go test's own lines.
func reason(output []string) string {
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}
