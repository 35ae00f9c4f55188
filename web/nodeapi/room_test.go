package nodeapi_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

// maxRequests is how many requests a node may have under way.
const maxRequests = 64

// begins asks to send a body of that size, and gives the status once the server wants the
// body or has answered. The connection lasts as long as the test, or until it is ended.
func begins(t *testing.T, r *rig.Rig, node, path string, size int) (status int, end func()) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(r.NodesURL, "https://"), r.Trust(node))
	testkit.Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s/nodes/%s/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", rest.Prefix, node, path, size)
	testkit.Must(t, err)
	_, err = fmt.Fscanf(bufio.NewReader(conn), "HTTP/1.1 %d", &status)
	testkit.Must(t, err)
	return status, func() { _ = conn.Close() }
}

func TestNodeAPI_ANodeHasSoManyBytesUnderWay(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, one := r.NewNode("n1", cluster.RoleHeart)
	_, other := r.NewNode("n2", cluster.RoleHeart)
	const size = 4<<20 - 100

	first, end := begins(t, r, one, "output", size)
	second, _ := begins(t, r, one, "output", size)
	third, _ := begins(t, r, one, "output", size)
	others, _ := begins(t, r, other, "output", size)
	end()

	if first != http.StatusContinue || second != first || third != http.StatusTooManyRequests || others != first {
		t.Errorf("got %d, %d, %d and %d for another node, want the third alone refused before its body is read", first, second, third, others)
	}
	testkit.Eventually(t, "room again once one has ended", func() bool {
		again, _ := begins(t, r, one, "output", size)
		return again == http.StatusContinue
	})
}

func TestNodeAPI_ANodeHasSoManyRequestsUnderWay(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	_, one := r.NewNode("n1", cluster.RoleHeart)
	statuses := make(chan int, maxRequests+1)

	// At once: each is given up when its body does not come.
	for range cap(statuses) {
		go func() { // ends with the server's answer
			status := 0
			defer func() { statuses <- status }()
			status, _ = begins(t, r, one, "report", 100)
		}()
	}

	got := map[int]int{}
	for range cap(statuses) {
		got[<-statuses]++
	}
	if got[http.StatusContinue] != maxRequests || got[http.StatusTooManyRequests] != 1 {
		t.Errorf("got %v by status, want one more than %d refused", got, maxRequests)
	}
}

func TestNodeAPI_ReportsAreAsLargeAsANodeCanBe(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	node, token := r.NewNode("n1", cluster.RoleHeart)
	post := func(path, body string) rig.Answer {
		return r.Do(rig.Ask{Method: "POST", Path: "/nodes/" + string(node.ID) + "/" + path, Token: token, Nodes: true, Body: body})
	}
	says := func(more string) rig.Answer {
		return post("report", `{"session":"s","counter":1,"epoch":1,"revision":0,"roles":[],"address":"","load":{"score":0,"cpu":0,"cpus":1,"memory_used":0,"memory_total":0,"disk_used":0,"disk_free":0,"load_average1":0},"digest":"","full":true,`+more+`}`)
	}
	report := func(instances string) rig.Answer { return says(`"instances":[` + instances + `]`) }
	list := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	const part = `{"kind":"disk","name":"x"}`
	const instance, image = `{"id":"x","state":"running"}`, `{"id":"x","size":1,"created_at":"2026-01-02T03:04:05Z","origin":"built"}`

	rig.WantProblem(t, report(list(2000, instance)), http.StatusConflict) // no session
	rig.WantProblem(t, report(list(2001, instance)), http.StatusUnprocessableEntity)
	rig.WantProblem(t, report(`{"id":"`+strings.Repeat("x", 41)+`","state":"running"}`), http.StatusUnprocessableEntity)
	rig.WantProblem(t, report(list(100_000, "{}")), http.StatusBadRequest)
	rig.WantProblem(t, report(list(1, `{"id":"x","state":"running","error":"`+strings.Repeat("x", 2<<20)+`"}`)), http.StatusRequestEntityTooLarge)
	rig.WantProblem(t, says(`"parts":[`+list(64, part)+`]`), http.StatusConflict) // no session
	rig.WantProblem(t, says(`"parts":[`+list(65, part)+`]`), http.StatusUnprocessableEntity)
	rig.WantProblem(t, says(`"parts":[{"kind":"disk","name":"`+strings.Repeat("x", 101)+`"}]`), http.StatusUnprocessableEntity)
	rig.WantProblem(t, post("images", "["+list(2001, image)+"]"), http.StatusUnprocessableEntity)
	if got := post("images", "["+list(2000, image)+"]"); got.Status != http.StatusOK || !json.Valid(got.Body) {
		t.Errorf("got %d %.200s, want two thousand images taken", got.Status, got.Body)
	}
}

func TestNodeAPI_WrongJoinTokensAreBounded(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	ask := func() rig.Answer {
		return r.Do(rig.Ask{Method: "POST", Path: "/join", Token: "join_x", Nodes: true, Body: `{}`})
	}
	var last rig.Answer
	for i := 0; i < 100 && last.Status != http.StatusTooManyRequests; i++ {
		last = ask()
	}

	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %v, want it refused after some dozens, with when to come again", last.Status, last.Header)
	}
}
