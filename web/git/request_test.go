package git

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"aorta/internal/gitrepo"
)

func TestEndpoint_RefusesWithTextThatGitShows(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	cases := map[string]struct {
		app, token string
		push       bool
		want       []string
	}{
		"wrong token":  {"shop", "wrong", true, []string{"remote: this token is not known", "remote: to let git use your login, run: aorta git:remote -a shop", "Authentication failed"}},
		"unknown app":  {"shoe", goodToken, true, []string{`remote: app "shoe" does not exist (create it: aorta apps create shoe)`, "not found"}},
		"may not push": {"shop", readToken, true, []string{`remote: this token may only read app "shop"`, "403"}},
		"busy":         {"shop", "down", false, []string{"remote: the database is busy", "503"}},
		"parent":       {"..", goodToken, false, []string{"not found"}},
		"option":       {"-x", goodToken, false, []string{"remote: no repository at this address", "not found"}},
		"slash":        {"a%2fshop", goodToken, false, []string{"not found"}},
		"upper case":   {"Shop", goodToken, false, []string{"not found"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := []string{"ls-remote", l.remote(c.app, c.token)}
			if c.push {
				args = []string{"push", l.remote(c.app, c.token), "main"}
			}

			out, ok := l.try(t, args...)

			if ok {
				t.Errorf("git succeeded, want a failure")
			}
			wantText(t, out, c.want...)
		})
	}
	if got := l.seen(); len(got) != 0 {
		t.Errorf("pushes that reached the backend: got %+v, want none", got)
	}
}

func TestEndpoint_Statuses(t *testing.T) {
	l := newLab(t, 0)
	const result = "application/x-git-upload-pack-request"
	cases := []struct {
		method, path, kind string
		want               int
	}{
		{"GET", "/git/shop.git/info/refs?service=git-upload-pack", "", 200},
		{"GET", "/git/shop.git/info/refs?service=git-receive-pack", "", 200},
		{"GET", "/git/shop.git/info/refs", "", 403},
		{"GET", "/git/shop.git/info/refs?service=git-upload-archive", "", 403},
		{"GET", "/git/shop.git/HEAD", "", 404},
		{"GET", "/git/shop.git/objects/info/packs", "", 404},
		{"GET", "/git/shop/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/../git/shop.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/%2e%2e.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/-x.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/shop%00.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/a%2fshop.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/shop.git%2finfo/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/shop.git/x.git/info/refs?service=git-upload-pack", "", 404},
		{"GET", "/git/" + strings.Repeat("a", 4000) + ".git/info/refs?service=git-upload-pack", "", 404},
		{"POST", "/git/shop.git/info/refs?service=git-upload-pack", "", 405},
		{"GET", "/git/shop.git/git-upload-pack", "", 405},
		{"POST", "/git/shop.git/git-upload-pack", "text/plain", 415},
		{"POST", "/git/shop.git/git-receive-pack", result, 415},
		{"POST", "/git/shop.git/git-upload-pack", result, 200},
	}
	for _, c := range cases {
		resp := l.request(t, c.method+" "+c.path, strings.NewReader("0000"), map[string]string{"Content-Type": c.kind})

		if resp.code != c.want {
			t.Errorf("%s %.80s: got %d, want %d", c.method, c.path, resp.code, c.want)
		}
	}
}

func TestEndpoint_AsksForAPassword(t *testing.T) {
	l := newLab(t, 0)

	resp, err := http.Get(l.url + "/git/shop.git/info/refs?service=git-upload-pack")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()

	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, string(body), "aorta login URL --token -", "aorta git:remote -a shop")
	if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || !strings.HasPrefix(got, "Basic ") {
		t.Errorf("answer: got %d with %q, want 401 with a Basic challenge", resp.StatusCode, got)
	}
}

func TestEndpoint_TakesGzipBodies(t *testing.T) {
	l := newLab(t, 0)
	id := l.commit(t, "one")
	l.git(t, "push", "-q", "aorta", "main")
	want := string(appendPacket(nil, "want "+id+"\n")) + flushPacket + string(appendPacket(nil, "done\n"))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, want)
	_ = z.Close()
	head := map[string]string{"Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip"}

	resp := l.request(t, "POST /git/shop.git/git-upload-pack", &zipped, head)
	bad := l.request(t, "POST /git/shop.git/git-upload-pack", strings.NewReader("not gzip"), head)

	if resp.code != 200 || !strings.Contains(resp.body, "PACK") {
		t.Errorf("gzip body: got %d with %d bytes, want 200 with a pack", resp.code, len(resp.body))
	}
	if bad.code != 400 {
		t.Errorf("broken gzip: got %d, want 400", bad.code)
	}
}

func TestEndpoint_AnswersMalformedRequestsWithTheCause(t *testing.T) {
	l := newLab(t, 0)
	id := strings.Repeat("1", 40)
	main := gitrepo.NoCommit + " " + id + " refs/heads/main"
	both := []string{"", "zzzz", "0003", "0005", "ffff", "0006x", strings.Repeat("0004", 1000), "0009hello", "\x00\x00", "PACK"}
	for service, bodies := range map[string]map[string]int{
		"receive-pack": {
			"0000": 200,
			string(appendPacket(nil, main+"\x00report-status")):                                 400,
			string(appendPacket(nil, main+"\x00report-status")) + "0000PACKgarbage":             200,
			string(appendPacket(nil, main+"\x00report-status")) + "0000":                        200,
			string(appendPacket(nil, gitrepo.NoCommit+" "+id+" ../../etc/passwd\x00")) + "0000": 200,
			string(appendPacket(nil, "1 2 refs/heads/main\x00")) + "0000":                       400,
			string(appendPacket(nil, "shallow "+id)) + string(appendPacket(nil, main)):          400,
		},
		"upload-pack": {
			"0000": 200,
			string(appendPacket(nil, "want "+id+"\n")) + "0000" + string(appendPacket(nil, "done\n")): 200,
			string(appendPacket(nil, "want nothing\n")) + "0000":                                      400,
			string(appendPacket(nil, "command=ls-refs\n")) + "0000":                                   400,
		},
	} {
		for _, body := range both {
			bodies[body] = 400
		}
		for body, want := range bodies {
			resp := l.request(t, "POST /git/shop.git/git-"+service, strings.NewReader(body),
				map[string]string{"Content-Type": "application/x-git-" + service + "-request"})

			if resp.code != want || want == 400 && !strings.Contains(resp.body, "not a request of git's") {
				t.Errorf("%s of %.60q: got %d %q, want %d", service, body, resp.code, resp.body, want)
			}
		}
	}
	if got := l.seen(); len(got) != 0 {
		t.Errorf("pushes that reached the backend: got %+v, want none", got)
	}
}

type response struct {
	code int
	body string
}

// request sends "METHOD path", the path exactly as written, with the good token.
func (l *lab) request(tb testing.TB, call string, body io.Reader, head map[string]string) response {
	tb.Helper()
	method, path, _ := strings.Cut(call, " ")
	req, err := http.NewRequestWithContext(tb.Context(), method, l.url+path, body)
	if err != nil {
		tb.Fatal(err)
	}
	req.SetBasicAuth("me", goodToken)
	for k, v := range head {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response{code: resp.StatusCode, body: string(b)}
}
