package redisd

import (
	"context"
	"fmt"
	"slices"
)

// OpenGate lets a user of the configuration log in. The user that replicas
// follow their master with is off in the master's configuration, so that each
// start of the master shuts them out: an empty or older master would wipe them.
// Whoever has verified the master's data opens the gate, for the run of the
// server that was verified (see RunID): a server that was started again
// meanwhile, perhaps empty, stays shut.
func (s *Server) OpenGate(ctx context.Context, user, runID string) error {
	if err := s.knownUser(user); err != nil {
		return err
	}
	// One connection ends with the run of the server that it was made to.
	conn := s.client.Conn()
	defer func() { _ = conn.Close() }()
	info := conn.InfoMap(ctx, "server")
	if err := info.Err(); err != nil {
		return fmt.Errorf("let %s into redis %s: %w", user, s.cfg.Name, err)
	}
	if now := info.Item("Server", "run_id"); now != runID {
		return fmt.Errorf("let %s into redis %s: it was started again, run %s is now %s (verify its data anew)", user, s.cfg.Name, runID, now)
	}
	if err := conn.ACLSetUser(ctx, user, "on").Err(); err != nil {
		return fmt.Errorf("let %s into redis %s: %w", user, s.cfg.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened[user] = runID
	return nil
}

// knownUser guards against ACL SETUSER, which makes a user that isn't there.
func (s *Server) knownUser(user string) error {
	if slices.Contains(s.conf.Load().order, user) {
		return nil
	}
	return fmt.Errorf("redis %s has no user %q in its configuration", s.cfg.Name, user)
}
