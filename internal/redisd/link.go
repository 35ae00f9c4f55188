package redisd

import (
	"context"
	"time"

	"aorta/internal/pause"
)

// Adopted says whether the server ran before it was opened.
func (s *Server) Adopted() bool { return s.daemon.Adopted() }

// AwaitLink waits until a replica follows its master, and says whether it does when ctx
// ends. What the master had by then is there a moment later.
func (s *Server) AwaitLink(ctx context.Context) bool {
	for {
		if _, up, err := link(s.client.InfoMap(ctx, "replication")); up && err == nil {
			return true
		}
		if !pause.For(ctx, 20*time.Millisecond) {
			return false
		}
	}
}
