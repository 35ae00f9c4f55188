package redisconn

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// probe tries what the log-in of jobs_redis_url must be allowed beside reading
// and writing, with names that begin with prefix. name is the server's for people.
func probe(ctx context.Context, rdb *redis.Client, name, prefix string) error {
	user := prefix + "probe"
	for _, command := range [][]any{
		{"ACL", "SETUSER", user, "reset"},
		{"ACL", "DELUSER", user},
		{"EXISTS", "{" + user + "}:key"},
		{"PUBLISH", "{" + user + "}:channel", ""},
		{"SCRIPT", "LOAD", "return 1"},
	} {
		err := rdb.Do(ctx, command...).Err()
		var refusal redis.Error
		// A member of a Redis Cluster that the key is not on says so.
		if errors.As(err, &refusal) && (command[0] == "ACL" || redis.HasErrorPrefix(err, "NOPERM")) {
			return incompatiblef("%s does not let its user of jobs_redis_url %v (%s): give that user all keys, channels and commands (ACL SETUSER … ~* &* +@all), or name another one", name, commandName(command), refusal)
		}
		if err != nil && !errors.As(err, &refusal) {
			return err
		}
	}
	return nil
}

func commandName(command []any) string {
	if name := fmt.Sprint(command[0]); name != "ACL" && name != "SCRIPT" {
		return name
	}
	return fmt.Sprint(command[0], " ", command[1])
}
