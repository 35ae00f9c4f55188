package redisd

import (
	"context"
	"fmt"
	"maps"
)

// SetUsers gives the running server other users than it was made with: new ones can
// log in, or wait for OpenGate; who is no longer named loses its connections at once.
// Users that stay as they are notice nothing. After an error it is to be called again.
func (s *Server) SetUsers(ctx context.Context, users []User) error {
	cfg := s.cfg
	cfg.Users = users
	if err := cfg.validateUsers(); err != nil {
		return fmt.Errorf("redis %s: %w", s.cfg.Name, err)
	}
	conf, err := cfg.render()
	if err != nil {
		return fmt.Errorf("redis %s: %w", s.cfg.Name, err)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	now := conf.applied().Users
	if maps.Equal(s.users, now) {
		return nil
	}
	s.conf.Store(&conf) // first, so that a server that is started meanwhile has them
	if err := s.prepareDisk(); err != nil {
		return err
	}
	if err := s.updateUsers(ctx, s.users, now); err != nil {
		return fmt.Errorf("set the users of redis %s: %w", s.cfg.Name, err)
	}
	s.users = now
	return s.writeApplied()
}
