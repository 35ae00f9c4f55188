package main

import (
	"testing"

	"aorta/web/wire"
)

func TestSetBy_SaysWhereALimitComesFrom(t *testing.T) {
	for name, c := range map[string]struct {
		route         wire.Route
		timeout, idle string
	}{
		"nobody":                           {wire.Route{Timeout: 300, IdleTimeout: 3600}, "default", "default"},
		"a person, and the file":           {wire.Route{Timeout: 60, IdleTimeout: 1800, Set: []string{"timeout", "idle_timeout"}, Source: []string{"idle_timeout"}}, "hand", "aorta.yml"},
		"the other, by being long":         {wire.Route{Timeout: 7200, IdleTimeout: 7200, Set: []string{"timeout"}}, "hand", "timeout"},
		"the other, by being so short":     {wire.Route{Timeout: 60, IdleTimeout: 60, Set: []string{"idle_timeout"}}, "idle timeout", "hand"},
		"the other, which changes nothing": {wire.Route{Timeout: 300, IdleTimeout: 1800, Set: []string{"idle_timeout"}}, "default", "hand"},
	} {
		if timeout, idle := setBy(c.route, "timeout"), setBy(c.route, "idle_timeout"); timeout != c.timeout || idle != c.idle {
			t.Errorf("set by %s: got %q and %q, want %q and %q", name, timeout, idle, c.timeout, c.idle)
		}
	}
}

func TestDomains_SayWhatComesFromTheFile(t *testing.T) {
	api := shop(t)
	api.on("GET /apps/blog/domains", 200, wire.Page[wire.Domain]{Items: []wire.Domain{{Host: "hand.example"}, {Host: "file.example", Source: true}}})
	api.on("DELETE /apps/blog/domains/hand.example", 204, nil)
	api.on("DELETE /apps/blog/domains/file.example", 204, nil)
	c := newCLI(t, api)

	list := c.run("domains", "-a", "blog")
	hand := c.run("domains", "remove", "hand.example", "-a", "blog")
	file := c.run("domains", "remove", "File.example", "-a", "blog")

	wantIn(t, "stdout", list.out, "hand.example  added", "file.example  aorta.yml")
	if hand.code != 0 || hand.err != "removed domain hand.example from blog\n" {
		t.Errorf("one added by hand: got %+v", hand)
	}
	wantIn(t, "stderr", file.err, "removed domain file.example from blog\n", "the next deploy adds it again")
}
