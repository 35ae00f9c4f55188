package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

func connectNode(tb testing.TB, urls ...string) *Node {
	tb.Helper()
	n, err := NewNode(urls, "n1", nil)
	if err != nil {
		tb.Fatalf("NewNode(%v): %v", urls, err)
	}
	tb.Cleanup(n.Close)
	return n
}

func TestNode_SpeaksEachEndpoint(t *testing.T) {
	cases := []struct {
		name   string
		status int
		call   func(ctx context.Context, n *Node) error
		want   called
	}{
		{"hello", 200, func(ctx context.Context, n *Node) error {
			_, err := n.Hello(ctx, cluster.Hello{Session: "s"})
			return err
		}, called{"POST", "/hello", "", `{"session":"s","hostname":"","pid":0,"roles":null,"address":"","version":""}`}},
		{"report", 200, func(ctx context.Context, n *Node) error {
			_, err := n.Report(ctx, cluster.Report{Counter: 7})
			return err
		}, called{"POST", "/report", "", ""}},
		{"spec", 200, func(ctx context.Context, n *Node) error { _, err := n.Spec(ctx, "i1"); return err }, called{"GET", "/instances/i1/spec", "", ""}},
		{"output", 200, func(ctx context.Context, n *Node) error {
			_, err := n.ShipLogs(ctx, []cluster.LogPart{{Instance: "i1", To: "1", Lines: []cluster.LogText{{Time: time.Unix(0, 7), Stream: "stdout", Text: "x"}}}})
			return err
		}, called{"POST", "/output", "", `[{"instance":"i1","type":"","release":"","from":"","to":"1","times":[7],"streams":["stdout"],"texts":["x"]}]`}},
		{"images", 200, func(ctx context.Context, n *Node) error {
			_, err := n.Images(ctx, []cluster.EngineImage{{ID: "sha256:0a", Origin: cluster.ImageBuilt}})
			return err
		}, called{"POST", "/images", "", ""}},
		{"build", 200, func(ctx context.Context, n *Node) error { _, err := n.BuildSpec(ctx, "b1"); return err }, called{"GET", "/builds/b1", "", ""}},
		{"build done", 204, func(ctx context.Context, n *Node) error {
			return n.BuildDone(ctx, "b1", cluster.BuildResult{State: cluster.BuildFailed, Error: "no"})
		}, called{"PUT", "/builds/b1", "", `{"state":"failed","error":"no"}`}},
		{"router", 204, func(ctx context.Context, n *Node) error {
			return n.RouterReport(ctx, cluster.RouterReport{Epoch: 1, Generation: 2, Workers: 3})
		}, called{"POST", "/router", "", `{"epoch":1,"generation":2,"workers":3}`}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.status == 204 {
					w.WriteHeader(204)
					return
				}
				sendJSON(w, tc.status, map[string]any{})
			})
			n := connectNode(t, s.URL)

			err := tc.call(t.Context(), n)
			if err != nil {
				t.Fatalf("got error %v, want none", err)
			}
			r := s.requests()[0]
			got := called{r.method, strings.TrimPrefix(r.path, "/api/v1/nodes/n1"), r.query, r.body}
			if tc.want.Body == "" {
				got.Body = ""
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNode_BuildSourceIsAStream(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "tar bytes") })
	n := connectNode(t, s.URL)

	r, err := n.BuildSource(t.Context(), "b1")
	if err != nil {
		t.Fatalf("got %v, want a stream", err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "tar bytes" {
		t.Errorf("got %q, %v, want the source", b, err)
	}
}

func TestNode_ErrorsCarryTheirCodeAndNothingIsRepeated(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		sendProblem(w, wire.Problem{Status: 409, Code: "conflict", Detail: "node n1 is in use by host a since noon"})
	})
	n := connectNode(t, s.URL)

	_, err := n.Hello(t.Context(), cluster.Hello{})

	if cluster.CodeOf(err) != cluster.CodeConflict || err.Error() != "node n1 is in use by host a since noon" || len(s.requests()) != 1 {
		t.Errorf("got %v after %d requests, want the conflict after one", err, len(s.requests()))
	}
}

func TestNode_GoesToTheNextAddress(t *testing.T) {
	away := "http://" + testkit.FreeAddr(t)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 200, cluster.ReportAnswer{Revision: 3}) })
	n := connectNode(t, away, s.URL)

	_, first := n.Report(t.Context(), cluster.Report{})
	answer, second := n.Report(t.Context(), cluster.Report{})

	if cluster.CodeOf(first) != cluster.CodeUnavailable || !strings.Contains(first.Error(), away) {
		t.Errorf("got %v, want unavailable with the address named", first)
	}
	if second != nil || answer.Revision != 3 {
		t.Errorf("got %+v, %v, want the second address's answer", answer, second)
	}
}

func TestNewNode_RefusesWhatCantWork(t *testing.T) {
	for _, tc := range []struct {
		urls []string
		id   string
	}{{nil, "n1"}, {[]string{"nowhere"}, "n1"}, {[]string{"http://h"}, ""}, {[]string{"http://h"}, ".."}} {
		_, err := NewNode(tc.urls, tc.id, nil)

		if err == nil || cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("NewNode(%v, %q): got %v, want invalid", tc.urls, tc.id, err)
		}
	}
}
