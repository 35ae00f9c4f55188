package redisd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aorta/internal/atomicfile"
)

// applied tells by digests which configuration the running server has. It lies
// beside redis.conf, which may be newer.
type applied struct {
	Static      string            `json:"static"`
	Replication string            `json:"replication"`
	Users       map[string]string `json:"users"`
}

func (r rendered) applied() applied {
	a := applied{
		Static: digest(r.static), Replication: digest(strings.Join(r.replication, "\n")),
		Users: map[string]string{},
	}
	for name, rules := range r.users {
		a.Users[name] = digest(strings.Join(rules, "\n"))
	}
	return a
}

func (s *Server) appliedPath() string { return filepath.Join(s.cfg.DataDir, "redis.applied.json") }

// readApplied returns nothing when nothing usable is there: that differs from
// every configuration.
func (s *Server) readApplied() (applied, error) {
	b, err := os.ReadFile(s.appliedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return applied{}, nil
	}
	if err != nil {
		return applied{}, fmt.Errorf("read applied configuration: %w", err)
	}
	var a applied
	if err := json.Unmarshal(b, &a); err != nil {
		s.log.Warn("record of the applied configuration is broken; the server is restarted", "path", s.appliedPath(), "error", err)
		return applied{}, nil
	}
	return a, nil
}

func (s *Server) writeApplied() error {
	b, err := json.Marshal(s.conf.Load().applied())
	if err == nil {
		err = atomicfile.Write(s.appliedPath(), b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write applied configuration %s: %w", s.appliedPath(), err)
	}
	return nil
}

// update brings an adopted server to this configuration.
func (s *Server) update(ctx context.Context) error {
	old, err := s.readApplied()
	if err != nil {
		return err
	}
	err = s.client.InfoMap(ctx, "server").Err()
	if old.Static != digest(s.conf.Load().static) || isWrongPassword(err) {
		s.log.Info("configuration changed; restarting the server")
		return s.daemon.Restart(ctx)
	}
	if err != nil {
		return err
	}
	now := s.conf.Load().applied()
	if err := s.updateUsers(ctx, old.Users, now.Users); err != nil {
		return err
	}
	if old.Replication == now.Replication {
		return nil
	}
	return s.updateReplication(ctx)
}

// updateUsers leaves users alone that never were in the configuration: others
// add them at run time.
func (s *Server) updateUsers(ctx context.Context, old, now map[string]string) error {
	for _, name := range s.conf.Load().order {
		if old[name] == now[name] {
			continue
		}
		rules := append([]string{"reset"}, s.conf.Load().users[name]...)
		if err := s.client.ACLSetUser(ctx, name, rules...).Err(); err != nil {
			return fmt.Errorf("set user %s: %w", name, err)
		}
		s.log.Info("user changed", "user", name)
	}
	for name := range old {
		if slices.Contains(s.conf.Load().order, name) {
			continue
		}
		if err := s.client.ACLDelUser(ctx, name).Err(); err != nil {
			return fmt.Errorf("delete user %s: %w", name, err)
		}
		s.log.Info("user deleted", "user", name)
	}
	return nil
}

func (s *Server) updateReplication(ctx context.Context) error {
	master := s.cfg.ReplicaOf
	if master == nil {
		if err := s.client.ReplicaOf(ctx, "NO", "ONE").Err(); err != nil {
			return fmt.Errorf("make it a master: %w", err)
		}
		s.log.Info("server follows no master any more")
		return nil
	}
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		return fmt.Errorf("follow %s: %w", master.Addr, err)
	}
	// The log-in first, since REPLICAOF connects with it.
	for _, set := range [][2]string{{"masteruser", master.User}, {"masterauth", master.Password}} {
		if err := s.client.ConfigSet(ctx, set[0], set[1]).Err(); err != nil {
			return fmt.Errorf("set %s: %w", set[0], err)
		}
	}
	if err := s.client.ReplicaOf(ctx, host, port).Err(); err != nil {
		return fmt.Errorf("follow %s: %w", master.Addr, err)
	}
	s.log.Info("server follows another master", "master", master.Addr)
	return nil
}
