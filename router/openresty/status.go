package openresty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"aorta/router"
)

const (
	statusTimeout = 2 * time.Second
	statusPoll    = 5 * time.Millisecond
)

// Status is what nginx's workers say of themselves.
type Status struct {
	Cluster string `json:"cluster"`
	// Pair is the lowest over the live workers that take new requests, zero
	// while one of them has no table.
	router.Pair
	// Digest names the configuration of the worker that answered.
	Digest  string         `json:"digest"`
	Workers []WorkerStatus `json:"workers"`
	// Lost are the addresses of machines that do not answer: requests for their
	// instances go to others.
	Lost []string `json:"lost"`
	// InFlight counts requests by instance id, for instances that have left a
	// worker's table (or whose worker exits) and still have some.
	InFlight map[string]int `json:"inflight"`
}

// WorkerStatus is one live worker process.
type WorkerStatus struct {
	PID int `json:"pid"`
	router.Pair
	Records  int     `json:"records"`
	Broken   int     `json:"broken"`    // records whose newest text cannot be read
	LoadedAt float64 `json:"loaded_at"` // Unix seconds of the last change that it took
	SyncedAt float64 `json:"synced_at"` // Unix seconds when its table last equalled the replica's
	LookedAt float64 `json:"looked_at"` // Unix seconds when it last looked for changes, whatever came of it
	Exiting  bool    `json:"exiting"`   // takes no new requests
	Digest   string  `json:"digest"`    // of its configuration

	Connections int     `json:"connections"` // that it can have; 0 where that is not known
	Free        int     `json:"free"`        // of these, unused ones
	Limits      []Limit `json:"limits"`      // who was at its limit within the last minute
}

// Looked is when the worker last looked for changes of the table.
func (w WorkerStatus) Looked() time.Time {
	return time.UnixMilli(int64(w.LookedAt * 1000))
}

// Synced is when the table of each worker that takes requests last equalled the
// replica's; zero where one of them has none.
func (s Status) Synced() time.Time {
	var oldest time.Time
	for _, w := range s.Workers {
		at := time.UnixMilli(int64(w.SyncedAt * 1000))
		if w.Exiting || !oldest.IsZero() && at.After(oldest) {
			continue
		}
		if w.SyncedAt == 0 {
			return time.Time{}
		}
		oldest = at
	}
	return oldest
}

// Slowest is a worker that has the lowest pair of those that take requests; 0
// where there is none.
func (s Status) Slowest() int {
	pid, low := 0, router.Pair{}
	for _, w := range s.Workers {
		if !w.Exiting && (pid == 0 || w.Less(low)) {
			pid, low = w.PID, w.Pair
		}
	}
	return pid
}

// Limit is an app or a client that had as many of a worker's connections as it
// may.
type Limit struct {
	Kind    string `json:"kind"`    // "app" or "client"
	Name    string `json:"name"`    // of the app, or the client's address
	Held    int    `json:"held"`    // connections, a request taking two
	Refused int    `json:"refused"` // requests and connections, while it is listed
}

// statusClient asks over the socket, whatever address the status has.
func statusClient(runDir string) *http.Client {
	socket := filepath.Join(runDir, "status.sock")
	return &http.Client{
		Timeout: statusTimeout,
		Transport: &http.Transport{
			// A kept connection would tie all answers to one worker, and to an
			// exiting one after a reload.
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}
}

// Status asks nginx which table its workers have.
func (n *Nginx) Status(ctx context.Context) (Status, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://router/status", nil)
	if err != nil {
		return Status{}, fmt.Errorf("ask nginx for its status: %w", err)
	}
	answer, err := n.client.Do(request)
	if err != nil {
		return Status{}, fmt.Errorf("ask nginx for its status: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Status{}, fmt.Errorf("ask nginx for its status: it answered %s", answer.Status)
	}
	var s Status
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return Status{}, fmt.Errorf("read nginx's status: %w", err)
	}
	return s, nil
}

// WaitGeneration waits until every live worker has the pair or a higher one,
// and returns the lowest that they have. When the context ends first, it
// returns what they had last, with an error.
func (n *Nginx) WaitGeneration(ctx context.Context, pair router.Pair) (router.Pair, error) {
	var low router.Pair
	err := n.waitStatus(ctx, func(s Status) bool {
		low = s.Pair
		return !s.Less(pair)
	})
	if err != nil {
		return low, fmt.Errorf("wait for the workers to take routes %s (they have %s): %w", pair, low, err)
	}
	return low, nil
}

// waitStatus polls until done, or the context ends.
func (n *Nginx) waitStatus(ctx context.Context, done func(Status) bool) error {
	tick := time.NewTicker(statusPoll)
	defer tick.Stop()
	for {
		s, err := n.Status(ctx)
		if err == nil && done(s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}
