package redisd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/disk"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

const (
	// staleLink is how long a replica may be without a word from its master, which
	// says one every two seconds.
	staleLink = 7 * time.Second
	// linkGrace is the time in which a master that was started again is verified,
	// and its replicas let in.
	linkGrace = 5 * time.Second
)

// Check uses the server as its clients do: it connects, reads, and asks for a
// write that changes nothing. A replica says how its link is instead.
func (s *Server) Check(ctx context.Context) error {
	client := redis.NewClient(s.options()) // a new connection: those that are open may work when no other one can be had
	defer func() { _ = client.Close() }()
	if s.cfg.ReplicaOf != nil {
		return s.checkLink(client.InfoMap(ctx, "replication"))
	}
	// Refused like any other write (the disk, the memory), but a key that is not
	// there is not written.
	err := client.SetArgs(ctx, "aorta:check", "", redis.SetArgs{Mode: "XX"}).Err()
	if err != nil && !errors.Is(err, redis.Nil) && !refused(err) {
		return err
	}
	if full := s.checkMemory(client.InfoMap(ctx, "memory")); full != nil {
		return full
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return cluster.Unavailable("the %s refuses to write: %v%s", s.cfg.title(), err, s.room())
	}
	if err := client.Get(ctx, "aorta:check").Err(); !errors.Is(err, redis.Nil) {
		return err
	}
	return nil
}

// checkMemory says whether writes are refused for want of memory, or large ones
// are while small ones still fit.
func (s *Server) checkMemory(info *redis.InfoCmd) error {
	if err := info.Err(); err != nil {
		return err
	}
	used, err := strconv.ParseInt(info.Item("Memory", "used_memory"), 10, 64)
	limit, failed := strconv.ParseInt(info.Item("Memory", "maxmemory"), 10, 64)
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if limit == 0 || used < limit-limit/20 {
		return nil
	}
	return cluster.Unavailable("the %s is full: it holds %s of the %s that it may and refuses to write until some of it is deleted (a machine with more memory lets it hold more)",
		s.cfg.title(), cluster.Size(used), cluster.Size(limit))
}

// refused tells what the server answered from what the connection failed by.
func refused(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

// room adds what the disk has against it to the refusal of a server, or how much room
// there is.
func (s *Server) room() string {
	if refused := disk.Try(s.cfg.DataDir); disk.Refused(refused) {
		return fmt.Sprintf(" (%s)", disk.Reason(s.cfg.DataDir, refused))
	}
	room, err := disk.At(s.cfg.DataDir)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%d bytes are free at %s)", room.Free, s.cfg.DataDir)
}

func (s *Server) checkLink(info *redis.InfoCmd) error {
	quiet, up, err := link(info)
	if err != nil {
		return err
	}
	master := s.cfg.ReplicaOf.Addr
	switch {
	case !up:
		return cluster.Unavailable("the %s does not follow its master at %s, so this router learns of no change: see whether the pacemaker's node runs and can be reached", s.cfg.title(), master)
	case quiet > staleLink:
		return cluster.Unavailable("the %s hears nothing from its master at %s, so this router learns of no change: see whether the pacemaker's node runs and can be reached", s.cfg.title(), master)
	}
	return nil
}

// Quiet says for how long a replica has not heard its master; negative when it never
// has.
func (s *Server) Quiet(ctx context.Context) (time.Duration, error) {
	quiet, _, err := link(s.client.InfoMap(ctx, "replication"))
	return quiet, err
}

// link is for how long a replica has not heard its master, and whether it is connected
// to it with all of its data.
func link(info *redis.InfoCmd) (quiet time.Duration, up bool, err error) {
	if err := info.Err(); err != nil {
		return 0, false, err
	}
	up = info.Item("Replication", "master_link_status") == "up"
	name := "master_last_io_seconds_ago"
	if !up {
		name = "master_link_down_since_seconds"
	}
	seconds, err := strconv.Atoi(info.Item("Replication", name))
	if err != nil {
		return 0, up, fmt.Errorf("read how old the link to the master is: %w", err)
	}
	return time.Duration(seconds) * time.Second, up, nil
}

// Probe uses the server by Check, for the roles that need it.
func (s *Server) Probe(roles ...cluster.Role) watch.Probe {
	p := watch.Probe{
		Kind: cluster.PartRedis, Name: s.cfg.title(), Roles: roles, Use: s.Check,
		Silent: fmt.Sprintf("The %s does not answer: see its log, %s.", s.cfg.title(), s.logPath()),
	}
	if s.cfg.ReplicaOf != nil {
		p.Grace = linkGrace
	}
	return p
}

func (c Config) title() string { return cmp.Or(c.Title, c.Name+" Redis") }
