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
