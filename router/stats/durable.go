package stats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ErrRestarted says that a server was restarted since, or another one has taken
// its place: what was committed may be gone, and with it the position. Read the
// positions again before anything is deleted.
var ErrRestarted = errors.New("the stats Redis was restarted meanwhile")

// Durable begins to make sure that everything committed before the call is on
// Redis' disk. The returned func is asked now and then until it says so; after
// an error of it the caller reads the positions again and calls Durable anew.
//
// With the AOF on, a restart loads the AOF and an RDB proves nothing, so it
// waits for a rewrite of the AOF that began later; without, for an RDB that
// did. Both write a whole copy: call it for many files at once.
func (s *Store) Durable(ctx context.Context) (mark func(context.Context) (bool, error), err error) {
	servers, err := s.servers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the servers of the stats Redis: %w", err)
	}
	var savers []*saver
	for _, server := range servers {
		sv := &saver{server: server}
		if sv.began, err = sv.read(ctx); err != nil {
			return nil, err
		}
		savers = append(savers, sv)
	}
	return func(ctx context.Context) (bool, error) {
		all := true
		for _, sv := range savers {
			done, err := sv.saved(ctx)
			if err != nil {
				return false, err
			}
			all = all && done
		}
		return all, nil
	}, nil
}

// infoServer is a server that can be asked about itself, and save.
type infoServer interface {
	InfoMap(ctx context.Context, section ...string) *redis.InfoCmd
	BgSave(ctx context.Context) *redis.StatusCmd
	BgRewriteAOF(ctx context.Context) *redis.StatusCmd
}

// servers are all masters: a position may lie on any of them.
func (s *Store) servers(ctx context.Context) ([]infoServer, error) {
	cluster, ok := s.rdb.(*redis.ClusterClient)
	if !ok {
		return []infoServer{s.rdb}, nil
	}
	var mu sync.Mutex // guards all: the masters are visited at the same time
	var all []infoServer
	err := cluster.ForEachMaster(ctx, func(_ context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, c)
		return nil
	})
	return all, err
}

// saver waits for one server to have saved.
type saver struct {
	server infoServer
	began  saveState // when Durable was called
	done   bool
}

// saveState is what INFO says of the way of saving that a restart would load.
type saveState struct {
	runID   string
	aof     bool
	saves   int64 // how many were begun since the server's start
	running bool
	ok      bool // the last finished one
}

func (sv *saver) saved(ctx context.Context) (bool, error) {
	if sv.done {
		return true, nil
	}
	now, err := sv.read(ctx)
	if err != nil {
		return false, err
	}
	if now.runID != sv.began.runID || now.aof != sv.began.aof || now.saves < sv.began.saves {
		return false, ErrRestarted
	}
	finished := now.saves
	if now.running {
		finished--
	}
	if finished > sv.began.saves && now.ok {
		sv.done = true
		return true, nil
	}
	if now.running {
		return false, nil
	}
	return false, sv.save(ctx)
}

// save starts one. A server that is busy saving something else refuses, and is
// asked again.
func (sv *saver) save(ctx context.Context) error {
	var err error
	if sv.began.aof {
		err = sv.server.BgRewriteAOF(ctx).Err()
	} else {
		err = sv.server.BgSave(ctx).Err()
	}
	if err != nil && !strings.Contains(err.Error(), "in progress") && !strings.Contains(err.Error(), "child process") {
		return fmt.Errorf("ask the stats Redis to save: %w", err)
	}
	return nil
}

func (sv *saver) read(ctx context.Context) (saveState, error) {
	info := sv.server.InfoMap(ctx)
	if err := info.Err(); err != nil {
		return saveState{}, fmt.Errorf("ask the stats Redis how it saves: %w", err)
	}
	saved := func(key string) string { return info.Item("Persistence", key) }
	st := saveState{runID: info.Item("Server", "run_id"), aof: saved("aof_enabled") == "1"}
	saves, running, status := "rdb_saves", "rdb_bgsave_in_progress", "rdb_last_bgsave_status"
	if st.aof {
		saves, running, status = "aof_rewrites", "aof_rewrite_in_progress", "aof_last_bgrewrite_status"
	}
	st.running, st.ok = saved(running) == "1", saved(status) == "ok"
	var err error
	if st.saves, err = strconv.ParseInt(saved(saves), 10, 64); err != nil || st.runID == "" {
		return saveState{}, fmt.Errorf("ask the stats Redis how it saves: it does not tell %s (Redis 7.0 or later does)", saves)
	}
	return st, nil
}
