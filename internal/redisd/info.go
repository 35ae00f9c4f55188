package redisd

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// info returns the fields of the sections server and persistence.
func (s *Server) info(ctx context.Context) (map[string]string, error) {
	text, err := s.client.Info(ctx, "server", "persistence").Result()
	if err != nil {
		return nil, err
	}
	return parseInfo(text), nil
}

func parseInfo(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(key, "#") {
			fields[key] = value
		}
	}
	return fields
}

// isWrongPassword: the server is up, and doesn't know our password.
func isWrongPassword(err error) bool {
	return err != nil && (redis.HasErrorPrefix(err, "WRONGPASS") || redis.HasErrorPrefix(err, "NOAUTH"))
}
