package redisd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
)

// mendEvery is how often it is looked whether somebody took from the running server
// what it was started with.
const mendEvery = 5 * time.Second

// keep mends the running server until ctx ends. What can't be mended is tried again;
// that the server does not answer is for others to tell.
func (s *Server) keep(ctx context.Context) {
	failing := ""
	for tick.Next(ctx, mendEvery) {
		said := ""
		if err := s.mend(ctx); err != nil {
			said = err.Error()
		}
		if said != "" && said != failing && ctx.Err() == nil {
			s.log.Warn("the server lacks what it was started with", "err", said)
		}
		failing = said
	}
}

// mend gives the server its socket, its users and its scripts back, if they are gone.
func (s *Server) mend(ctx context.Context) error {
	if s.Pid() == 0 {
		return nil // it is being started
	}
	if _, err := os.Lstat(s.Socket()); errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the server's socket is gone; restarting it", "path", s.Socket())
		return s.daemon.Restart(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	client := redis.NewClient(s.options()) // who is logged in already would not notice
	defer func() { _ = client.Close() }()
	there, err := client.ACLUsers(bounded).Result()
	if isWrongPassword(err) {
		s.log.Warn("the server does not know its administrator any more; restarting it")
		return s.daemon.Restart(ctx)
	}
	if err != nil {
		return nil
	}
	for _, name := range s.conf.Load().order {
		if !slices.Contains(there, name) {
			if err := s.restoreUser(bounded, name); err != nil {
				return err
			}
		}
	}
	return s.mendScripts(bounded)
}

// restoreUser makes a user again. One whose gate was opened for this run of the
// server may come in again.
func (s *Server) restoreUser(ctx context.Context, name string) error {
	run, err := s.RunID(ctx)
	if err != nil {
		return err
	}
	rules := append([]string{"reset"}, s.conf.Load().users[name]...)
	s.mu.Lock()
	if s.opened[name] == run {
		rules = append(rules, "on")
	}
	s.mu.Unlock()
	if err := s.client.ACLSetUser(ctx, name, rules...).Err(); err != nil {
		return fmt.Errorf("make user %s again: %w", name, err)
	}
	s.log.Warn("a user was gone and is made again", "user", name)
	return nil
}
