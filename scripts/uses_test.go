package scripts_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"

	"github.com/moby/moby/client"

	"aorta/internal/testkit"
)

// refusesIPv6Alone: an app that takes no IPv4 can't be reached. The change that
// makes it so fails with what to do, and what served goes on.
func refusesIPv6Alone(v *visit) {
	v.refused([]string{"for IPv6 alone", "listen on 0.0.0.0, or on ::"}, "config", "set", "ONLY_V6=1")
	v.expect("after a change that could not be reached", "v1", "hello")
}

// survivesTerm: the app has no answer to SIGTERM, so that what ends it is the
// stop_grace of its aorta.yml.
func survivesTerm(v *visit) {
	engine := v.engine()
	for _, id := range v.leftovers().containers {
		_, err := engine.ContainerKill(v.Context(), id, client.ContainerKillOptions{Signal: "SIGTERM"})
		testkit.Must(v.T, err)
	}
	v.expect("after SIGTERM", "v1", "hello")
}

// transfers: large bodies in both ways, and one that is over the limit of the
// app's aorta.yml.
func transfers(v *visit) {
	const size = 150 << 20
	sent := make([]byte, size)
	want := fmt.Sprintf("%d %x", size, sha256.Sum256(sent))
	for form, length := range map[string]int64{"with its length": size, "in chunks": -1} {
		if got := v.do(v.T, v.app.name, "PUT", "/file", bytes.NewReader(sent), length); string(got) != want {
			v.Errorf("%d bytes up, %s: got %q, want %q", size, form, got, want)
		}
	}
	if got := v.do(v.T, v.app.name, "GET", fmt.Sprint("/file?size=", size), nil, 0); len(got) != size {
		v.Errorf("%d bytes down: got %d", size, len(got))
	}
	req := v.request(v.T, v.app.name, "PUT", "/file")
	req.Body, req.ContentLength = io.NopCloser(io.LimitReader(zeros{}, 300<<20)), 300<<20
	resp, err := sender.Do(req)
	testkit.Must(v.T, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		v.Errorf("300 MB where aorta.yml allows 200: got %s, want 413", resp.Status)
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
