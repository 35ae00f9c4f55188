package redisconn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"aorta/pacemaker/cluster"
)

// incompatible is what keeps a server from being the jobs Redis until somebody
// changes it, or what is said of it. All other errors pass: the server is away.
type incompatible struct{ text string }

func (i incompatible) Error() string { return i.text }

func incompatiblef(format string, args ...any) error {
	return incompatible{fmt.Sprintf(format, args...)}
}

func isIncompatible(err error) bool {
	var i incompatible
	return errors.As(err, &i)
}

// passing begin the answers of a server that will soon answer otherwise.
var passing = []string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "max number of clients"}

func isPassing(err error) bool {
	for _, prefix := range passing {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// explain tells a server that is away from one that will not have us, or that
// we don't trust. name is the server's for people.
func explain(name string, err error) error {
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var refusal redis.Error
	switch {
	case err == nil || isIncompatible(err):
		return err
	case errors.As(err, &untrusted):
		return incompatiblef("%s can't be trusted: %v: name the authority of its certificate (jobs_redis_ca), and the host that it is made out to (jobs_redis_url)", name, untrusted.Err)
	case errors.As(err, &plain):
		return incompatiblef("%s does not speak TLS on this port: name the other one, or write redis:// for a connection that everybody can read (jobs_redis_url)", name)
	case strings.Contains(err.Error(), "cluster support disabled"):
		return incompatiblef("%s is no Redis Cluster any more: start aortad again, it will be taken as one server", name)
	case errors.As(err, &refusal) && !isPassing(err):
		return incompatiblef("%s refuses us: %v: check user, password and database of jobs_redis_url", name, refusal)
	}
	return fmt.Errorf("%s does not answer; jobs wait until it does: %w", name, err)
}

// guess is for a server that is there, perhaps, and can't be understood.
func guess(at cluster.RedisEndpoint, err error) string {
	var late net.Error
	switch {
	case at.TLS && errors.As(err, &late) && late.Timeout():
		return " (does it speak TLS on this port?)"
	case !at.TLS && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return " (does it want TLS on this port, rediss://?)"
	}
	return ""
}
