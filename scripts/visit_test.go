package scripts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// visit is one app on its way, as its people see it.
type visit struct {
	*shipped
	*testing.T
	app  app
	repo string // its folder
}

// visit copies the app into a repository and creates it, with its first config.
func (s *shipped) visit(t *testing.T, a app) *visit {
	v := &visit{shipped: s, T: t, app: a, repo: filepath.Join(s.dir, a.name)}
	source := filepath.Join("apps", a.name)
	if err := os.CopyFS(v.repo, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	if a.program {
		testkit.Must(v.T, os.Remove(filepath.Join(v.repo, "main.go")))
		s.run(t, source, "go", "build", "-trimpath", "-o", filepath.Join(v.repo, "app"), ".")
	}
	s.repository(t, v.repo)
	config := []string{"config", "set", "GREETING=hello"}
	for name, value := range a.config {
		config = append(config, name+"="+value)
	}
	v.aorta(config...)
	return v
}

// aorta is the client in the app's repository.
func (v *visit) aorta(args ...string) string {
	v.Helper()
	return v.run(v.T, v.repo, v.client, args...)
}

// refused is aorta of a command that has to fail, and say all of the words.
func (v *visit) refused(words []string, args ...string) {
	v.Helper()
	said, err := v.try(v.T, v.repo, v.client, args...)
	missing := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.Contains(said, w) })
	if err == nil || len(missing) > 0 {
		v.Errorf("aorta %s: got %v and\n%s\nwant a failure that says %q", strings.Join(args, " "), err, said, missing)
	}
}

func (v *visit) push() string {
	v.Helper()
	return v.shipped.push(v.T, v.repo)
}

// write changes a file of the source.
func (v *visit) write(name, content string) {
	v.Helper()
	testkit.Must(v.T, os.WriteFile(filepath.Join(v.repo, name), []byte(content), 0o644))
}

// process is the type that is scaled.
func (v *visit) process() string {
	if v.app.process != "" {
		return v.app.process
	}
	return "web"
}

// line is what the app says of itself now.
func (v *visit) line() string {
	v.Helper()
	if v.app.says != nil {
		return v.app.says(v)
	}
	return string(v.do(v.T, v.app.name, "GET", "/", nil, 0))
}

// expect compares what the app says with a version and a greeting.
func (v *visit) expect(when, version, greeting string) {
	v.Helper()
	if line := v.line(); !strings.Contains(line, version) || !strings.Contains(line, greeting) {
		v.Errorf("%s: the app says %q, want %s and %s", when, line, version, greeting)
	}
}

// instances are those of the scaled type that run, as people list them.
func (v *visit) instances() []wire.Instance {
	v.Helper()
	var list []wire.Instance
	text := v.aorta("ps", "--json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		v.Fatalf("aorta ps --json: %v:\n%s", err, text)
	}
	return slices.DeleteFunc(list, func(i wire.Instance) bool { return i.State != "running" || i.Type != v.process() })
}

// expectInstances waits until as many run and, if they answer, each does.
func (v *visit) expectInstances(n int) {
	v.Helper()
	testkit.Eventually(v.T, fmt.Sprintf("%d instances run", n), func() bool { return len(v.instances()) == n })
	if v.app.says != nil {
		return
	}
	hosts := map[string]bool{}
	testkit.Eventually(v.T, fmt.Sprintf("%d instances answer", n), func() bool {
		_, host, _ := strings.Cut(strings.SplitN(v.line(), "\n", 2)[0], " from ")
		hosts[host] = true
		return len(hosts) == n
	})
}
