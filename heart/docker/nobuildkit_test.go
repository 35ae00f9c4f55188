package docker_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/heart/internal/rig"
	"aorta/pacemaker/cluster"
)

// Engines that build by their classic builder alone are told from one that is
// away, and why they do is said. No engine here is one of them, so they are played.
func TestEngine_SaysWhyItHasNoBuildKit(t *testing.T) {
	for name, c := range map[string]struct{ api, builder, want string }{
		"too old":      {"1.38", "", "the engine's API 1.38 is older than BuildKit in it"},
		"switched off": {"1.45", "1", "BuildKit is switched off in the engine's daemon.json"},
		"not offered":  {"1.41", "1", "offers none: no BuildKit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("API-Version", c.api)
				w.Header().Set("Builder-Version", c.builder)
				switch {
				case strings.HasSuffix(r.URL.Path, "/_ping"):
				case strings.HasSuffix(r.URL.Path, "/info"):
					_, _ = fmt.Fprint(w, "{}")
				default:
					w.WriteHeader(http.StatusNotFound) // as where the path is not known
				}
			}))
			t.Cleanup(engine.Close)
			e := rig.EngineAt(t, "tcp://"+strings.TrimPrefix(engine.URL, "http://"), cluster.NewID())

			err := e.BuildKit(t.Context(), dockerfile.Recipe{Dockerfile: "Dockerfile", Text: []byte("FROM scratch\n"), Line: func(string) {}})

			var none *docker.NoBuildKit
			if !errors.As(err, &none) || !strings.Contains(none.Why, c.want) {
				t.Errorf("got %v, want no BuildKit and why: %q", err, c.want)
			}
		})
	}
}
