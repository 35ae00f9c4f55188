package redisd

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// loadScripts gives the server the scripts of its configuration, and none beside: who
// may call scripts but not load any could still call what was loaded before.
func (s *Server) loadScripts(ctx context.Context) error {
	if len(s.cfg.Scripts) == 0 {
		return nil
	}
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.ScriptFlush(ctx)
		for _, text := range s.cfg.Scripts {
			p.ScriptLoad(ctx, text)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load scripts: %w", err)
	}
	return nil
}

// mendScripts loads them again if one is gone.
func (s *Server) mendScripts(ctx context.Context) error {
	if len(s.cfg.Scripts) == 0 {
		return nil
	}
	hashes := make([]string, len(s.cfg.Scripts))
	for i, text := range s.cfg.Scripts {
		hashes[i] = redis.NewScript(text).Hash()
	}
	there, err := s.client.ScriptExists(ctx, hashes...).Result()
	if err != nil || !slices.Contains(there, false) {
		return nil // that it does not answer is for others to tell
	}
	s.log.Warn("a script was gone and is loaded again")
	return s.loadScripts(ctx)
}
