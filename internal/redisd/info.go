package redisd

import "github.com/redis/go-redis/v9"

// isWrongPassword: the server is up, and doesn't know our password.
func isWrongPassword(err error) bool {
	return err != nil && (redis.HasErrorPrefix(err, "WRONGPASS") || redis.HasErrorPrefix(err, "NOAUTH"))
}
