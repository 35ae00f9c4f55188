package main_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// said is an answer of the API.
type said struct {
	status int
	header http.Header
	body   string
}

// call asks the API of people as its admin, once.
func (c *cluster) call(method, path, body string) said {
	c.tb.Helper()
	return c.callAt(c.api, c.adminToken(), method, path, "application/json", strings.NewReader(body))
}

func (c *cluster) callAt(base, token, method, path, kind string, body io.Reader) said {
	c.tb.Helper()
	req, err := http.NewRequest(method, base+"/api/v1"+path, body)
	if err != nil {
		c.tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return said{resp.StatusCode, resp.Header, string(raw)}
}

// seen is all that may not change when nothing was changed.
func (c *cluster) seen(app string) string {
	c.tb.Helper()
	var all strings.Builder
	for _, path := range []string{
		"/apps", "/apps/" + app, "/apps/" + app + "/config", "/apps/" + app + "/domains", "/apps/" + app + "/formation",
		"/apps/" + app + "/instances", "/apps/" + app + "/releases", "/nodes?limit=1000", "/jobs",
	} {
		a := c.call("GET", path, "")
		if a.status != http.StatusOK {
			c.tb.Fatalf("GET %s: got %d %s", path, a.status, a.body)
		}
		switch path {
		case "/apps/" + app + "/instances":
			a.body = withoutMeasured(a.body, func(in *wire.Instance) { in.CPU, in.Memory = nil, nil })
		case "/nodes?limit=1000":
			a.body = withoutMeasured(a.body, func(n *wire.Node) { n.Score, n.HeardAgo, n.ScoreParts = nil, nil, nil })
		}
		all.WriteString(path + ": " + a.body + "\n")
	}
	return all.String()
}

// withoutMeasured is a page from whose items is taken what changes by itself.
func withoutMeasured[T any](body string, take func(*T)) string {
	var page wire.Page[T]
	_ = json.Unmarshal([]byte(body), &page)
	for i := range page.Items {
		take(&page.Items[i])
	}
	raw, _ := json.Marshal(page)
	return string(raw)
}

// Whatever is wrong with what the API is sent, it says what and where, and
// nothing has changed.
func TestDoors_API(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	c.nothingLeft()
	long := strings.Repeat("a", 5<<20)
	before := c.seen("shop")

	for _, tt := range []struct{ method, path, body, says string }{
		{"POST", "/apps", `{"name":"Shop"}`, "name"},
		{"POST", "/apps", `{"name":"a--b"}`, "name"},
		{"POST", "/apps", `{"name":"../x"}`, "name"},
		{"POST", "/apps", `{"name":"-rf"}`, "name"},
		{"POST", "/apps", `{"name":""}`, "name"},
		{"POST", "/apps", `{"name":"` + strings.Repeat("a", 41) + `"}`, "name"},
		{"POST", "/apps", `{"name":"shop"}`, "shop"},
		{"POST", "/apps", `{"name":5}`, "name"},
		{"POST", "/apps", `{"name":null}`, "name"},
		{"POST", "/apps", `{}`, "name"},
		{"POST", "/apps", `{"name":"ok","colour":1}`, "colour"},
		{"POST", "/apps", `["ok"]`, ""},
		{"POST", "/apps", `{"name":"ok"`, ""},
		{"POST", "/apps", ``, "body"},
		{"POST", "/apps", `{"name":"` + long + `"}`, ""},
		{"POST", "/apps?x=1", `{"name":"ok"}`, "x"},
		{"GET", "/apps?limit=0", "", "limit"},
		{"GET", "/apps?limit=99999999999999999999", "", "limit"},
		{"GET", "/apps/" + strings.Repeat("a", 200), "", "app"},
		{"GET", "/apps/..%2f..%2fetc", "", ""},
		{"PATCH", "/apps/shop", `{"name":"Blog"}`, "name"},
		{"PATCH", "/apps/shop", `{"name":"blog","version":-7}`, ""},
		{"DELETE", "/apps/shop?confirm=blog", "", "confirm"},
		{"DELETE", "/apps/shop", "", "confirm"},
		{"POST", "/apps/shop/domains", `{"host":"EXAMPLE.com"}`, "host"},
		{"POST", "/apps/shop/domains", `{"host":"a..b"}`, "host"},
		{"POST", "/apps/shop/domains", `{"host":"shop.example.com:80"}`, "host"},
		{"POST", "/apps/shop/domains", `{"host":"*."}`, "host"},
		{"POST", "/apps/shop/domains", `{"host":"a\nb.example.com"}`, "host"},
		{"POST", "/apps/shop/domains", `{"host":"other.aorta.localhost"}`, "host"},
		{"DELETE", "/apps/shop/domains/shop.aorta.localhost", "", ""},
		{"DELETE", "/apps/shop/domains/not.there.example", "", ""},
		{"PATCH", "/apps/shop/config", `{"set":{"1A":"x"}}`, "1A"},
		{"PATCH", "/apps/shop/config", `{"set":{"AORTA_APP":"x"}}`, "AORTA_APP"},
		{"PATCH", "/apps/shop/config", `{"set":{"PORT":"1"}}`, "PORT"},
		{"PATCH", "/apps/shop/config", `{"set":{"A":"x\u0000y"}}`, "A"},
		{"PATCH", "/apps/shop/config", `{"set":{"A":7}}`, "A"},
		{"PATCH", "/apps/shop/config", `{"set":{"A":"` + long[:33<<10] + `"}}`, "A"},
		{"PATCH", "/apps/shop/config", `{"unset":["a b"]}`, "unset"},
		{"PATCH", "/apps/shop/config", `{}`, "set"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":-1}}}`, "quantity"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":1e400}}}`, ""},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":99999999999999999999}}}`, ""},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":1000000}}}`, "quantity"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"quantity":1.5}}}`, "quantity"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"memory":1}}}`, "memory"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"memory":9223372036854775807}}}`, "memory"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"cpus":-1}}}`, "cpus"},
		{"PATCH", "/apps/shop/formation", `{"types":{"web":{"cpus":1e300}}}`, "cpus"},
		{"PATCH", "/apps/shop/formation", `{"types":{"no such":{"quantity":1}}}`, "no such"},
		{"PATCH", "/apps/shop/formation", `{"types":{"worker":{"quantity":1}}}`, "worker"},
		{"PATCH", "/apps/shop/formation", `{"types":{}}`, "types"},
		{"POST", "/apps/shop/deploys", `{"image":"-v /:/host"}`, "image"},
		{"POST", "/apps/shop/deploys", `{"image":""}`, "image"},
		{"POST", "/apps/shop/rollback", `{"release":"v99"}`, ""},
		{"POST", "/apps/shop/rollback", `{"release":"12; drop table"}`, "release"},
		{"POST", "/apps/shop/restart", `{"instance":"../../x"}`, ""},
		{"POST", "/jobs/not-an-id/abort", ``, ""},
		{"GET", "/jobs?cursor=%00%ff", "", ""},
		{"GET", "/jobs?state=happy", "", "state"},
		{"GET", "/apps/shop/stats?since=yesterday", "", "since"},
		{"GET", "/apps/shop/logs?lines=-5", "", ""},
		{"POST", "/node-tokens", `{"name":"n 2","roles":["heart"]}`, "name"},
		{"POST", "/node-tokens", `{"name":"n3","roles":["king"]}`, "roles"},
		{"POST", "/node-tokens", `{"roles":["pacemaker"]}`, "roles"},
		{"POST", "/node-tokens", `{"expires":"never"}`, "expires"},
		{"DELETE", "/nodes/" + here, "", here},
	} {
		a := c.call(tt.method, tt.path, tt.body)
		name := tt.method + " " + tt.path + " " + tail(tt.body, 60)
		var p wire.Problem
		if err := json.Unmarshal([]byte(a.body), &p); a.status < 400 || a.status >= 500 || err != nil || p.Status != a.status || p.Detail == "" {
			t.Errorf("%s: got %d %.200s (%v), want a problem document with 4xx", name, a.status, a.body, err)
		}
		if !strings.Contains(a.body, tt.says) {
			t.Errorf("%s: got %.300s, want %q named in it", name, a.body, tt.says)
		}
	}

	if after := c.seen("shop"); after != before {
		t.Errorf("got, after refusals only:\n%s\nwant as before:\n%s", after, before)
	}
	shop.serve(1)
}

// An archive that has what no source may have fails its deploy with the entry
// that is wrong; nothing else happens.
func TestDoors_Archives(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	container := shop.containers()
	dockerfile := tar.Header{Name: "Dockerfile", Size: 13, Mode: 0o644}

	for name, tt := range map[string]struct {
		entries []tar.Header
		raw     string
		says    string
	}{
		"absolute":        {entries: []tar.Header{dockerfile, {Name: "/etc/passwd"}}, says: "/etc/passwd"},
		"out by dots":     {entries: []tar.Header{dockerfile, {Name: "a/../../x"}}, says: "a/../../x"},
		"link out":        {entries: []tar.Header{dockerfile, {Name: "l", Linkname: "../../etc", Typeflag: tar.TypeSymlink}}, says: "../../etc"},
		"through a link":  {entries: []tar.Header{dockerfile, {Name: "l", Linkname: "../etc", Typeflag: tar.TypeSymlink}, {Name: "l/passwd"}}, says: "../etc"},
		"hard link out":   {entries: []tar.Header{dockerfile, {Name: "l", Linkname: "../x", Typeflag: tar.TypeLink}}, says: "../x"},
		"device":          {entries: []tar.Header{dockerfile, {Name: "sda", Typeflag: tar.TypeBlock, Devmajor: 8}}, says: "sda"},
		"pipe":            {entries: []tar.Header{dockerfile, {Name: "fifo", Typeflag: tar.TypeFifo}}, says: "fifo"},
		"no Dockerfile":   {entries: []tar.Header{{Name: "README"}}, says: "Dockerfile"},
		"not a tar":       {raw: strings.Repeat("not a tar ", 200), says: "tar"},
		"empty":           {raw: "", says: "empty"},
		"cut in a header": {raw: strings.Repeat("\x01", 300), says: "tar"},
	} {
		a := c.upload("shop", archive(t, tt.entries, tt.raw))
		why := a.body
		if a.status == http.StatusAccepted {
			var accepted wire.Accepted
			_ = json.Unmarshal([]byte(a.body), &accepted)
			r := c.run(c.dir, "aorta", "jobs", "follow", accepted.Job)
			if why = r.out + r.err; r.code == 0 {
				t.Errorf("%s: deployed, want it refused", name)
			}
		} else if a.status >= 500 {
			t.Errorf("%s: got %d, want 4xx", name, a.status)
		}
		if !strings.Contains(why, tt.says) {
			t.Errorf("%s: got %q, want %q named in it", name, why, tt.says)
		}
	}

	if after := shop.containers(); strings.Join(after, " ") != strings.Join(container, " ") || shop.release() != "v1" {
		t.Errorf("got containers %v and release %s, want %v and v1", after, shop.release(), container)
	}
}

func archive(t *testing.T, entries []tar.Header, raw string) []byte {
	t.Helper()
	if len(entries) == 0 {
		return []byte(raw)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range entries {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = io.WriteString(w, "FROM scratch\n")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (c *cluster) upload(app string, body []byte) said {
	c.tb.Helper()
	return c.callAt(c.api, c.adminToken(), "POST", "/apps/"+app+"/deploys/archive", "application/x-tar", bytes.NewReader(body))
}

// A push that may not be is refused with its reason, and moves nothing.
func TestDoors_Pushes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.commit("second")
	before := shop.git("ls-remote", "aorta")
	at, err := url.Parse(c.api)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "http://x:aorta_wrong@" + at.Host + "/git/shop.git"

	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"wrong token":    {[]string{wrong, "main"}, "Authentication failed"},
		"another branch": {[]string{"aorta", "main:other"}, "main"},
		"a note":         {[]string{"aorta", "main:refs/notes/v1"}, "main"},
		"a hidden ref":   {[]string{"aorta", "main:refs/aorta/x"}, "main"},
		"a deletion":     {[]string{"aorta", ":main"}, ""},
		"two, or none":   {[]string{"--atomic", "aorta", "main", "main:other"}, "atomic"},
		"unknown app":    {[]string{c.api + "/git/nosuch.git", "main"}, "nosuch"},
		"path upwards":   {[]string{c.api + "/git/../../etc.git", "main"}, ""},
	} {
		r := c.run(shop.dir, "git", append([]string{"push"}, tt.args...)...)
		if r.code == 0 || !strings.Contains(r.err, tt.says) {
			t.Errorf("%s: exit %d\n%s\nwant it refused with %q", name, r.code, r.err, tt.says)
		}
	}

	testkit.Eventually(t, "all refused", c.idle)
	if after := shop.git("ls-remote", "aorta"); after != before {
		t.Errorf("got refs %q, want %q", after, before)
	}
	if got := shop.release(); got != "v1" {
		t.Errorf("got %s, want v1", got)
	}
}

// A Host header is read as browsers write it; what is no host name, or no
// app's, gets an answer of the router's own.
func TestDoors_HostHeaders(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	own := "shop.aorta.localhost"

	for host, want := range map[string]string{
		own: "200", own + ":8080": "200", own + ".": "200", strings.ToUpper(own): "200",
		"blog.aorta.localhost": "404", "aorta.localhost": "404", "": "400", "127.0.0.1": "404", "x." + own: "404",
		own + "..": "400", own + "/": "400", own + "\\": "400", "shop..aorta.localhost": "400", "../" + own: "400",
		own + "\x00": "400", own + "\"": "400", own + " x": "400", "routes:meta": "400", "shop*": "400", strings.Repeat("a", 300): "400",
	} {
		if got := c.raw("GET /echo HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"); got != want {
			t.Errorf("Host %.60q: got %s, want %s", host, got, want)
		}
	}
	for _, head := range []string{"Host: " + own + "\r\nHost: blog.aorta.localhost", "X: y", "Host : " + own} {
		if got := c.raw("GET /echo HTTP/1.1\r\n" + head + "\r\nConnection: close\r\n\r\n"); got != "400" {
			t.Errorf("%q: got %s, want 400", head, got)
		}
	}
}

// raw sends a request as it is to the router, and gives the answer's status.
func (c *cluster) raw(request string) string {
	c.tb.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.router, "http://"))
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(testkit.Hang))
	if _, err := io.WriteString(conn, request); err != nil {
		c.tb.Fatal(err)
	}
	answer, _ := io.ReadAll(conn) // a reset ends it too
	fields := strings.Fields(string(answer))
	if len(fields) < 2 {
		return string(answer)
	}
	return fields[1]
}
