package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"aorta/pacemaker/cluster"
)

// unfit is what keeps a server from being the jobs Redis until somebody changes
// it, or what is said of it. All other errors pass: the server is away.
type unfit struct{ text string }

func (u unfit) Error() string { return u.text }

func unfitf(format string, args ...any) error { return unfit{fmt.Sprintf(format, args...)} }

// minRedis is the first version whose users can be given keys to read alone.
const minRedis = 7

// info asks a server about itself, as fields by name.
func info(ctx context.Context, rdb *redis.Client) (map[string]string, error) {
	// Several sections by name are a thing of 7.0; an older server is to be named.
	text, err := rdb.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(key, "#") {
			fields[key] = value
		}
	}
	return fields, nil
}

// judge says what is wrong with a server that is to keep jobs: who is its name
// for people, sharded what it was taken for.
func judge(who string, fields map[string]string, sharded bool) error {
	version := fields["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minRedis {
		return unfitf("%s is Redis %s, and the nodes' users need 7.0 or later: update it, or name another one (jobs_redis_url)", who, version)
	}
	if fields["redis_mode"] == "sentinel" {
		return unfitf("%s is a Sentinel, which keeps no data: name the master that it watches (jobs_redis_url)", who)
	}
	if isSharded := fields["cluster_enabled"] == "1"; isSharded != sharded {
		if sharded {
			return unfitf("%s is no member of a Redis Cluster: name this server alone, or members only, and start aortad again (jobs_redis_url)", who)
		}
		return unfitf("%s has become a member of a Redis Cluster: start aortad again, it will be taken as one", who)
	}
	if fields["role"] != "master" {
		return unfitf("%s is a %s of %s:%s and takes no writes: name its master (jobs_redis_url)", who, replicaWord(fields["role"]), fields["master_host"], fields["master_port"])
	}
	if policy := fields["maxmemory_policy"]; policy != "noeviction" {
		return unfitf("%s throws keys away when its memory is full (maxmemory-policy %s), and jobs with them: set it to noeviction there", who, policy)
	}
	return nil
}

func replicaWord(role string) string {
	if role == "slave" {
		return "replica"
	}
	return role
}

// probe tries what the log-in of jobs_redis_url must be allowed beside reading
// and writing, with names of our own.
func probe(ctx context.Context, rdb *redis.Client, who, prefix string) error {
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
			return unfitf("%s does not let its user of jobs_redis_url %v (%s): give that user all keys, channels and commands (ACL SETUSER … ~* &* +@all), or name another one", who, words(command), refusal)
		}
		if err != nil && !errors.As(err, &refusal) {
			return err
		}
	}
	return nil
}

func words(command []any) string {
	if name := fmt.Sprint(command[0]); name != "ACL" && name != "SCRIPT" {
		return name
	}
	return fmt.Sprint(command[0], " ", command[1])
}

// passing begin the answers of a server that will soon answer otherwise.
var passing = []string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "max number of clients"}

// explain tells a server that is away from one that will not have us, or that
// we don't trust.
func explain(who string, err error) error {
	var known unfit
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var refusal redis.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &untrusted):
		return unfitf("%s can't be trusted: %v: name the authority of its certificate (jobs_redis_ca), and the host that it is made out to (jobs_redis_url)", who, untrusted.Err)
	case errors.As(err, &plain):
		return unfitf("%s does not speak TLS on this port: name the other one, or write redis:// for a connection that everybody can read (jobs_redis_url)", who)
	case strings.Contains(err.Error(), "cluster support disabled"):
		return unfitf("%s is no Redis Cluster any more: start aortad again, it will be taken as one server", who)
	case errors.As(err, &refusal) && !isPassing(err):
		return unfitf("%s refuses us: %v: look at user, password and database of jobs_redis_url", who, refusal)
	}
	return fmt.Errorf("%s does not answer; jobs wait until it does: %w", who, err)
}

// guess is for a server that is there, perhaps, and can't be understood.
func guess(door cluster.RedisDoor, err error) string {
	var late net.Error
	switch {
	case door.TLS && errors.As(err, &late) && late.Timeout():
		return " (does it speak TLS on this port?)"
	case !door.TLS && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return " (does it want TLS on this port, rediss://?)"
	}
	return ""
}

func isPassing(err error) bool {
	for _, prefix := range passing {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}
