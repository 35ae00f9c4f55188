package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"aorta/pacemaker/cluster"
)

// Secret is text that is not shown by accident: printed or logged it is a mark.
type Secret string

// String hides the secret; string(s) is it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// MarshalText hides the secret in JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// RedisURL says where a Redis of the operator's own is, and who we are there.
type RedisURL struct {
	TLS      bool
	Addrs    []string // host:port; more than one are members of a Redis Cluster
	User     string   // empty: the default user
	Password string   // empty: no log-in
	DB       int
}

const defaultRedisPort = "6379"

// ParseRedisURL reads
//
//	redis[s]://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/DATABASE]
//
// with user and password percent-encoded. What is wrong with it is invalid in
// the field; no error shows any part of the log-in.
func ParseRedisURL(field, s string) (RedisURL, error) {
	var u RedisURL
	scheme, rest, found := strings.Cut(s, "://")
	u.TLS = strings.EqualFold(scheme, "rediss")
	if !found || !u.TLS && !strings.EqualFold(scheme, "redis") {
		return u, cluster.Invalid(field, "is not redis://… or rediss://… (with TLS)")
	}
	if strings.ContainsAny(rest, "?#") {
		return u, cluster.Invalid(field, "takes no options behind ? or # (write these characters as %%3F and %%23 in a password, and several addresses with commas between them)")
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		if err := u.setLogin(field, rest[:at]); err != nil {
			return u, err
		}
		rest = rest[at+1:]
	}
	hosts, db, _ := strings.Cut(rest, "/")
	if err := u.setAddrs(field, hosts); err != nil {
		return u, err
	}
	return u, u.setDB(field, db)
}

func (u *RedisURL) setLogin(field, login string) error {
	if strings.ContainsAny(login, "/@") {
		return cluster.Invalid(field, "has a / or @ in its user or password: write them as %%2F and %%40")
	}
	user, password, _ := strings.Cut(login, ":")
	var errUser, errPassword error
	u.User, errUser = url.PathUnescape(user)
	u.Password, errPassword = url.PathUnescape(password)
	if errUser != nil || errPassword != nil {
		return cluster.Invalid(field, "has a %% in its user or password that is no code: write it as %%25")
	}
	if u.Password == "" {
		return cluster.Invalid(field, "has no password before the @ (USER:PASSWORD@HOST, or :PASSWORD@HOST for the default user)")
	}
	return nil
}

func (u *RedisURL) setAddrs(field, hosts string) error {
	for i, s := range strings.Split(hosts, ",") {
		host, port, err := net.SplitHostPort(s)
		if err != nil { // no port, as far as good hosts go; others fail below
			host, port = strings.Trim(s, "[]"), defaultRedisPort
		}
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 || !isHost(host) {
			// It may be a log-in whose @HOST was forgotten: it isn't shown.
			return cluster.Invalid(field, "its address %d is not HOST or HOST:PORT", i+1)
		}
		u.Addrs = append(u.Addrs, net.JoinHostPort(host, port))
	}
	return nil
}

// hostName is what a name of DNS or of a local network may look like.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$`)

func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || hostName.MatchString(s)
}

func (u *RedisURL) setDB(field, db string) error {
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 31)
	if err != nil {
		return cluster.Invalid(field, "ends in /… that is no number of a database")
	}
	if n != 0 && len(u.Addrs) > 1 {
		return cluster.Invalid(field, "has several addresses and database %d: a Redis Cluster has database 0 alone", n)
	}
	u.DB = int(n)
	return nil
}
