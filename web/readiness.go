package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Readiness knows which roles work and what the others wait for.
type Readiness struct {
	mu     sync.Mutex // guards states and checks
	states map[string]string
	checks map[string]func() error
}

const stateReady = "ready"

// NewReadiness begins with every role starting.
func NewReadiness(roles []string) *Readiness {
	r := &Readiness{states: map[string]string{}, checks: map[string]func() error{}}
	for _, role := range roles {
		r.states[role] = "starting"
	}
	return r
}

// Ready marks a role as working.
func (r *Readiness) Ready(role string) { r.set(role, stateReady) }

// Waiting says what a role waits for.
func (r *Readiness) Waiting(role, what string) { r.set(role, "waiting for "+what) }

func (r *Readiness) set(role, state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[role] = state
}

// Check is asked at each request for readiness; its error makes the role
// unready as long as it lasts, and is told of one that is not ready yet.
func (r *Readiness) Check(role string, check func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks[role] = check
}

func (r *Readiness) snapshot() (map[string]string, bool) {
	r.mu.Lock()
	states := make(map[string]string, len(r.states))
	checks := make(map[string]func() error, len(r.checks))
	for k, v := range r.states {
		states[k] = v
	}
	for k, v := range r.checks {
		checks[k] = v
	}
	r.mu.Unlock()
	all := true
	for role, state := range states {
		if check := checks[role]; check != nil {
			switch err := check(); {
			case err != nil && state == stateReady:
				states[role] = err.Error()
			case err != nil:
				states[role] += ": " + err.Error()
			}
		}
		all = all && states[role] == stateReady
	}
	return states, all
}

// MountHealth puts /healthz, /readyz and /metrics on a router.
func MountHealth(router chi.Router, ready *Readiness) {
	router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	router.Get("/readyz", ready.answer)
	router.Handle("/metrics", promhttp.Handler())
}

// answer says what each role is at: in JSON, or in lines for who asks for text.
func (r *Readiness) answer(w http.ResponseWriter, req *http.Request) {
	roles, all := r.snapshot()
	text := strings.HasPrefix(req.Header.Get("Accept"), "text/plain")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept")
	if text {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if !all {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if text {
		for _, role := range slices.Sorted(maps.Keys(roles)) {
			fmt.Fprintf(w, "%s: %s\n", role, roles[role])
		}
		return
	}
	_ = json.NewEncoder(w).Encode(struct {
		Ready bool              `json:"ready"`
		Roles map[string]string `json:"roles"`
	}{all, roles})
}
