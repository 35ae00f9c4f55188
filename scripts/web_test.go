//go:build apps

package scripts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"aorta/internal/testkit"
)

// send makes one exchange with the app and follows no redirect.
func (v *visit) send(method, path string, header map[string]string, body string) (*http.Response, string) {
	v.Helper()
	req := v.request(v.T, v.app.name, method, path)
	if body != "" {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := sender.Transport.RoundTrip(req)
	testkit.Must(v.T, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	testkit.Must(v.T, err)
	return resp, string(answer)
}

// origin is what a browser that shows the app calls it.
func (v *visit) origin() string {
	v.Helper()
	return "http://" + v.request(v.T, v.app.name, "GET", "/").Host
}

// readsAsBrowsersDo: a part of a file, and a file that has not changed.
func readsAsBrowsersDo(v *visit) {
	whole, text := v.send("GET", "/GPL-3", nil, "")
	if len(text) < 10_000 {
		v.Errorf("a file: got %d bytes", len(text))
	}
	part, text := v.send("GET", "/GPL-3", map[string]string{"Range": "bytes=20-39"}, "")
	if part.StatusCode != http.StatusPartialContent || len(text) != 20 {
		v.Errorf("a part: got %s and %d bytes, want 206 and 20", part.Status, len(text))
	}
	same, _ := v.send("GET", "/GPL-3", map[string]string{"If-None-Match": whole.Header.Get("ETag")}, "")
	if same.StatusCode != http.StatusNotModified {
		v.Errorf("the same file: got %s, want 304", same.Status)
	}
}

func uploadsAForm(v *visit) {
	content := bytes.Repeat([]byte("php\n"), 250_000)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "letter.txt")
	testkit.Must(v.T, err)
	_, err = part.Write(content)
	testkit.Must(v.T, err)
	testkit.Must(v.T, w.Close())

	_, got := v.send("POST", "/upload.php", map[string]string{"Content-Type": w.FormDataContentType()}, form.String())

	if want := fmt.Sprintf("letter.txt %d %x", len(content), sha256.Sum256(content)); got != want {
		v.Errorf("a form with a file: got %q, want %q", got, want)
	}
}

// isRedirected: the app makes an address of the host that it was asked by.
func isRedirected(v *visit) {
	resp, _ := v.send("POST", "/form", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "name=Ada")
	if got, want := resp.Header.Get("Location"), v.origin()+"/thanks?name=Ada"; got != want {
		v.Fatalf("a form: got sent on to %q, want %q", got, want)
	}
	if _, got := v.send("GET", "/thanks?name=Ada", nil, ""); got != "thanks, Ada" {
		v.Errorf("the page after the form: got %q", got)
	}
}

var csrfField = regexp.MustCompile(`name="csrfmiddlewaretoken" value="([^"]+)"`)

// passesItsGuards: Django takes a form from its own origin, with its port, and
// none without the cookie that goes with it.
func passesItsGuards(v *visit) {
	page, html := v.send("GET", "/form", nil, "")
	found := csrfField.FindStringSubmatch(html)
	if found == nil {
		v.Fatalf("the form: got %s and %q, want a token", page.Status, html)
	}
	form := url.Values{"csrfmiddlewaretoken": {found[1]}, "name": {"Ada"}}.Encode()
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": v.origin()}
	if forged, _ := v.send("POST", "/form", header, form); forged.StatusCode != http.StatusForbidden {
		v.Errorf("the form without its cookie: got %s, want 403", forged.Status)
	}
	header["Cookie"], _, _ = strings.Cut(page.Header.Get("Set-Cookie"), ";")
	if resp, got := v.send("POST", "/form", header, form); got != "thanks, Ada, at "+v.origin()+"/" {
		v.Errorf("the form: got %s and %.300q, want thanks by the address that it was sent to", resp.Status, got)
	}
}

// postsJSON: the app sees whose request it is.
func postsJSON(v *visit) {
	_, text := v.send("POST", "/sum", map[string]string{"Content-Type": "application/json"}, `{"numbers":[1,2,3]}`)
	var got struct {
		Sum int
		By  string
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Sum != 6 || !strings.HasSuffix(got.By, "127.0.0.1") {
		v.Errorf("a sum: got %q, %v; want 6, for 127.0.0.1", text, err)
	}
}

// scalesAWorker: the second line of a Procfile runs when it is asked for.
func scalesAWorker(v *visit) {
	v.aorta("ps", "scale", "worker=1")
	testkit.Eventually(v.T, "the worker works", func() bool {
		return strings.Contains(v.aorta("logs", "-p", "worker"), "worker of v1 did job 2")
	})
}

// isServedByChildren: processes come and go behind one port.
func isServedByChildren(v *visit) {
	children := map[string]bool{}
	for range 30 {
		_, child, _ := strings.Cut(v.line(), "child ")
		children[child] = true
	}
	if len(children) < 6 {
		v.Errorf("30 requests, five a child: got %d children, want 6 or more", len(children))
	}
}

// logsToFiles: of a file nothing is seen, unless it is a link to the output.
func logsToFiles(v *visit) {
	testkit.Eventually(v.T, "the linked file is in the log", func() bool {
		return strings.Contains(v.aorta("logs"), "a line in a link to the standard output")
	})
	if log := v.aorta("logs"); strings.Contains(log, "a line in a file") || strings.Contains(log, "GET / HTTP") {
		v.Errorf("the log has what went to a file of the container:\n%s", log)
	}
}

// isJudgedByItsCheck: an instance whose HEALTHCHECK fails gets no requests, and
// the list of instances says why; it gets them again.
func isJudgedByItsCheck(v *visit) {
	v.send("GET", "/break", nil, "")
	testkit.Eventually(v.T, "nobody is sent to the broken one", func() bool {
		resp, _ := v.send("GET", "/", nil, "")
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	if list := v.aorta("ps"); !strings.Contains(list, "HEALTHCHECK") {
		v.Errorf("aorta ps of an instance with a failing HEALTHCHECK: got\n%s", list)
	}
	v.inside("rm", "/tmp/broken")
	testkit.Eventually(v.T, "the mended one is asked again", func() bool {
		resp, _ := v.send("GET", "/", nil, "")
		return resp.StatusCode == http.StatusOK
	})
}

// keepsUploads: what is in a VOLUME belongs to one instance.
func keepsUploads(v *visit) {
	if line := v.line(); !strings.Contains(line, "stage set") {
		v.Errorf("the entry point's environment: got %q", line)
	}
	v.send("PUT", "/second", nil, "a picture")
	if _, got := v.send("GET", "/uploads", nil, ""); got != "first second" {
		v.Errorf("the volume: got %q, want what the image has and the upload", got)
	}
	v.aorta("ps", "restart")
	if _, got := v.send("GET", "/uploads", nil, ""); got != "first" {
		v.Errorf("the volume of the next instance: got %q, want what the image has", got)
	}
}

// startsAtOnceNow: the first push took its two minutes, the others need not.
func startsAtOnceNow(v *visit) { v.aorta("config", "set", "START_SECONDS=1") }
