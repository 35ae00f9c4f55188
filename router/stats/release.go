package stats

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// ReleaseMinutes is what one release of each app answered in the seconds of
// Recently.Minute: an app's own minute tells nothing of a release that came to serve
// within it. It asks for two keys per app, so a caller names those that matter.
func (s *Store) ReleaseMinutes(ctx context.Context, now time.Time, releases map[string]string) (map[string]Answers, error) {
	w := windowAt(now)
	w.read = slices.DeleteFunc(w.minutes, func(start int64) bool { return start+levels[0].span <= w.until-MinuteSeconds })
	found := make(map[string]*redis.SliceCmd, len(releases))
	_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for app, release := range releases {
			found[app] = p.MGet(ctx, w.keysOf(app, dimRelease+dim(release))...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the last minute of releases: %w", err)
	}
	out := make(map[string]Answers, len(found))
	for app, answer := range found {
		minutes := map[int64]minute{}
		for i, value := range answer.Val() {
			packed, _ := value.(string)
			if m, ok := w.unpack(app, w.read[i], packed); ok {
				minutes[w.read[i]] = m
			}
		}
		out[app] = w.one(app, minutes).Minute
	}
	return out, nil
}

func (w window) keysOf(app string, d dim) []string {
	keys := make([]string, len(w.read))
	for i, start := range w.read {
		keys[i] = slot{level: 0, start: start, dim: d}.key(ShardOf(app), app)
	}
	return keys
}
