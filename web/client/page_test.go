package client

import (
	"net/http"
	"strconv"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// threePages has seven apps in pages of three.
func threePages(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	var page wire.Page[wire.App]
	for i := at; i < min(at+3, 7); i++ {
		page.Items = append(page.Items, wire.App{Name: "app" + strconv.Itoa(i)})
	}
	if at+3 < 7 {
		page.Next = strconv.Itoa(at + 3)
	}
	sendJSON(w, 200, page)
}

func TestPages_AreWalkedToTheEnd(t *testing.T) {
	s := serve(t, threePages)
	c := connect(t, s.URL, Options{})

	apps, err := Collect(c.Apps(t.Context()), 0)

	if err != nil || len(apps) != 7 || apps[6].Name != "app6" {
		t.Errorf("got %d apps, %v, want seven", len(apps), err)
	}
}

func TestPages_StopWhenEnough(t *testing.T) {
	s := serve(t, threePages)
	c := connect(t, s.URL, Options{})

	apps, err := Collect(c.Apps(t.Context()), 2)

	if err != nil || len(apps) != 2 || len(s.requests()) != 1 {
		t.Errorf("got %d apps of %d pages, %v, want 2 of one", len(apps), len(s.requests()), err)
	}
}

func TestPages_SameCursorTwiceIsAnError(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 200, wire.Page[wire.App]{Next: "x"}) })
	c := connect(t, s.URL, Options{})

	_, err := Collect(c.Apps(t.Context()), 0)

	if err == nil || cluster.CodeOf(err) != cluster.CodeInternal || len(s.requests()) != 2 {
		t.Errorf("got %v after %d requests, want an error after two", err, len(s.requests()))
	}
}
