package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// testModule runs the program over a small module and returns what it printed
// and its exit code.
func testModule(t *testing.T, text string, args ...string) (string, int) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module m\n\ngo 1.26.0\n", "m_test.go": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatalf("write the fixture: %v", err)
		}
	}
	cmd := exec.Command(os.Args[0], append(args, "./...")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TESTREPORT_MAIN=1", "GOFLAGS=", "GOWORK=off", "GORACE=halt_on_error=1")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("start the program: %v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestMain(m *testing.M) {
	if os.Getenv("TESTREPORT_MAIN") != "" {
		_ = os.Unsetenv("TESTREPORT_MAIN")
		main()
		return
	}
	os.Exit(m.Run())
}

// head begins every module of the table below; it keeps the imports used.
const head = "package m\nimport (\"testing\"; \"os\"; \"time\")\nvar _ = os.Exit\nvar _ time.Duration\nvar _ testing.TB\n"

// runs are modules with what is said of them.
var runs = []struct {
	name, text string
	args       []string
	code       int
	last       string
	says       []string
}{
	{
		"passing", head + `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Run("x", func(*testing.T) {}); t.Run("y", func(*testing.T) {}) }`,
		nil, 0, "3 passed, 0 failed, 0 skipped",
		[]string{"ok  \tm\t"},
	},
	{
		"failing", head + `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Log("some context"); t.Error("got 1, want 2") }`,
		nil, 1, "1 passed, 1 failed, 0 skipped",
		[]string{"some context", "got 1, want 2", "--- FAIL: m TestB", "FAIL\tm\t"},
	},
	{
		"failing subtest", head + `func TestB(t *testing.T) { t.Run("x", func(t *testing.T) { t.Fatal("deep") }); t.Run("y", func(*testing.T) {}) }`,
		nil, 1, "1 passed, 1 failed, 0 skipped",
		[]string{"deep"},
	},
	{
		"parent alone fails", head + `func TestB(t *testing.T) { t.Run("x", func(*testing.T) {}); t.Error("after") }`,
		nil, 1, "1 passed, 1 failed, 0 skipped",
		[]string{"after"},
	},
	{
		"skipped", head + `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Skip("needs a moon") }`,
		nil, 1, "1 passed, 0 failed, 1 skipped",
		[]string{"m TestB", "needs a moon"},
	},
	{
		"skipped in a short run", head + `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Skip("needs a moon") }`,
		[]string{"-short"},
		0, "1 passed, 0 failed, 1 skipped", nil,
	},
	{
		"told of the race detector", head + `func TestA(t *testing.T) { if got := os.Getenv("GORACE"); got != "halt_on_error=1 atexit_sleep_ms=0" { t.Errorf("GORACE is %q", got) } }`,
		nil, 0, "1 passed, 0 failed, 0 skipped", nil,
	},
	{"no test", head, nil, 1, "0 passed, 0 failed, 0 skipped", []string{"no test ran"}},
	{
		"does not compile", head + "func TestA(t *testing.T) { return 1 }",
		nil, 1, "0 passed, 1 failed, 0 skipped",
		[]string{"too many return values", "FAIL\tm\t"},
	},
	{
		"panics", head + `func TestA(t *testing.T) { panic("boom") }`,
		nil, 1, "0 passed, 1 failed, 0 skipped",
		[]string{"boom"},
	},
	{
		"exits", head + `func TestA(t *testing.T) { os.Exit(3) }`,
		nil, 1, "0 passed, 1 failed, 0 skipped",
		[]string{"--- UNFINISHED: m TestA"},
	},
	{
		"out of time", head + `func TestA(t *testing.T) { <-make(chan int) }; func init() { go func() { for range time.Tick(time.Hour) {} }() }`,
		[]string{"-timeout", "100ms"},
		1, "0 passed, 1 failed, 0 skipped",
		[]string{"panic: test timed out", "TestA"},
	},
}

func TestMain_CountsAndEnds(t *testing.T) {
	for _, tt := range runs {
		t.Run(tt.name, func(t *testing.T) {
			out, code := testModule(t, tt.text, tt.args...)

			lines := strings.Split(strings.TrimSpace(out), "\n")
			if got := lines[len(lines)-1]; got != tt.last {
				t.Errorf("last line: got %q, want %q in\n%s", got, tt.last, out)
			}
			if code != tt.code {
				t.Errorf("exit code: got %d, want %d", code, tt.code)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("got %q, want %q in it", out, want)
				}
			}
		})
	}
}

func TestReport_PassesOtherLinesOn(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out)

	err := r.read(strings.NewReader("go: downloading x\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\"}\nno newline"))
	if err != nil {
		t.Fatalf("read: %v", err)
	}

	if got, want := out.String(), "go: downloading x\nno newline\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := r.summary(), "1 passed, 0 failed, 0 skipped"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReport_LeavesOutWhatATestHasWaitedForItsTurn(t *testing.T) {
	r := newReport(&bytes.Buffer{})
	for _, waited := range []string{"1m2s", "3s"} {
		r.add(event{Action: "attr", Package: "p", Test: "TestA", Key: testkit.Waited, Value: waited})
	}
	r.add(event{Action: "attr", Package: "p", Test: "TestA", Key: "other", Value: "1m"})
	r.add(event{Action: "pass", Package: "p", Test: "TestA", Elapsed: 70})

	got := r.slowest()

	if len(got) != 1 || got[0] != "   5.0s  p TestA" {
		t.Errorf("got %q, want TestA with 5 s", got)
	}
}

func TestReport_NamesTheSlowestTests(t *testing.T) {
	r := newReport(&bytes.Buffer{})
	for i := range 12 {
		r.add(event{Action: "pass", Package: "p", Test: fmt.Sprintf("Test%d", i), Elapsed: float64(i)})
		r.add(event{Action: "pass", Package: "p", Test: fmt.Sprintf("Test%d/part", i), Elapsed: 100})
	}
	r.add(event{Action: "pass", Package: "p", Elapsed: 1000})

	got := r.slowest()

	if len(got) != 10 || got[0] != "  11.0s  p Test11" || got[9] != "   2.0s  p Test2" {
		t.Errorf("got %q, want ten, from Test11 on", got)
	}
}

func FuzzReport_Read(f *testing.F) {
	f.Add([]byte(`{"Action":"run","Package":"p","Test":"T/x"}` + "\n" + `{"Action":"fail","Package":"p","Test":"T/x"}`))
	f.Add([]byte(`{"Action":"fail","Package":"p"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := newReport(&bytes.Buffer{})

		err := r.read(bytes.NewReader(in))

		if err != nil || r.passed < 0 || r.failed < 0 || r.skipped < 0 {
			t.Errorf("got %v, %s", err, r.summary())
		}
	})
}
