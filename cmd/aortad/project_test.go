package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"aorta/web/wire"
)

// project is a git repository with an app in it.
type project struct {
	c    *cluster
	name string
	dir  string
}

// newApp makes an app with its repository: program is one of the built ones,
// lines are further ones of its Dockerfile.
func (c *cluster) newApp(name, program string, lines ...string) *project {
	c.tb.Helper()
	p := &project{c: c, name: name, dir: filepath.Join(c.dir, "src-"+name)}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		c.tb.Fatal(err)
	}
	binary, err := os.ReadFile(filepath.Join(bin, program))
	if err != nil {
		c.tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "app"), binary, 0o755); err != nil {
		c.tb.Fatal(err)
	}
	p.write("Dockerfile", "FROM scratch\nCOPY app /app\n"+strings.Join(append(lines, ""), "\n")+"CMD [\"/app\"]\n")
	p.git("init", "-q", "-b", "main")
	p.commit("first")
	if r := c.run(p.dir, "aorta", "apps", "create", name); r.code != 0 {
		c.tb.Fatalf("apps create %s: %s", name, r.err)
	}
	return p
}

// attach lets the repository push to the app, which exists.
func (p *project) attach() {
	p.c.tb.Helper()
	if r := p.c.run(p.dir, "aorta", "git:remote", "-a", p.name); r.code != 0 {
		p.c.tb.Fatalf("git:remote -a %s: exit %d, %s", p.name, r.code, r.err)
	}
}

func (p *project) write(name, text string) {
	p.c.tb.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.c.tb.Fatal(err)
	}
}

func (p *project) git(args ...string) string {
	p.c.tb.Helper()
	r := p.c.run(p.dir, "git", args...)
	if r.code != 0 {
		p.c.tb.Fatalf("git %v: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return strings.TrimSpace(r.out)
}

// commit commits all there is, and an empty change too; it gives the id.
func (p *project) commit(message string) string {
	p.c.tb.Helper()
	p.git("add", "-A")
	p.git("commit", "-q", "--allow-empty", "-m", message)
	return p.git("rev-parse", "HEAD")
}

// push pushes main and gives what git said.
func (p *project) push() result {
	p.c.tb.Helper()
	return p.c.run(p.dir, "git", "push", "aorta", "main")
}

// deploy pushes and fails the test unless it serves.
func (p *project) deploy() string {
	p.c.tb.Helper()
	r := p.push()
	if r.code != 0 {
		p.c.tb.Fatalf("git push: exit %d\n%s", r.code, r.err)
	}
	return r.err
}

// get asks the app's own host through the router, and gives status and body.
func (p *project) get(path string) (int, string) {
	p.c.tb.Helper()
	resp, err := p.request("GET", path)
	if err != nil {
		p.c.tb.Fatalf("GET %s: %v", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.c.tb.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, string(body)
}

func (p *project) request(method, path string) (*http.Response, error) {
	req, err := http.NewRequest(method, p.c.router+path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = p.name + ".aorta.localhost"
	req.Header.Set("Accept", "application/json")
	return p.c.http().Do(req)
}

// release is the label of the release that answers.
func (p *project) release() string {
	p.c.tb.Helper()
	_, body := p.get("/")
	var answer struct{ Release string }
	_ = json.Unmarshal([]byte(body), &answer)
	return answer.Release
}

// containers lists the app's containers on the engine, running or not.
func (p *project) containers() []string {
	p.c.tb.Helper()
	info := asJSON[wire.App](p.c, "apps", "info", "-a", p.name)
	r := p.c.run(p.c.dir, "docker", "-H", p.c.docker, "ps", "-aq", "--no-trunc", "--filter", "label=aorta.app-id="+info.ID)
	return strings.Fields(r.out)
}
