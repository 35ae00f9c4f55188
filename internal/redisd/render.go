package redisd

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"text/template"
)

//go:embed redis.conf.tmpl
var confText string

var confTemplate = template.Must(template.New("redis.conf").
	Funcs(template.FuncMap{"quote": quote}).Parse(confText))

// rendered is a configuration by how it can be changed: static lines by a
// restart only, the others on the running server too.
type rendered struct {
	static      string
	replication []string            // masteruser, masterauth, replicaof
	users       map[string][]string // name → its rules, as ACL SETUSER takes them
	order       []string            // of the users in the file
}

func (c Config) render() (rendered, error) {
	port, ips, err := c.listeners()
	if err != nil {
		return rendered{}, err
	}
	binds := make([]string, len(ips))
	for i, ip := range ips {
		binds[i] = ip.String()
	}
	var b strings.Builder
	err = confTemplate.Execute(&b, map[string]any{
		"DataDir": c.DataDir, "Socket": c.socket(), "Port": port, "Binds": binds,
		"TLS": c.TLS, "MaxMemory": c.MaxMemory, "AOF": c.Persist == AOFAndRDB, "Extra": c.Extra,
	})
	if err != nil {
		return rendered{}, fmt.Errorf("render redis.conf: %w", err)
	}
	r := rendered{static: b.String(), replication: c.ReplicaOf.lines(), users: map[string][]string{}}
	r.addUser(User{Name: adminUser, Password: c.AdminPassword, Rules: "~* &* +@all", On: true})
	for _, u := range c.Users {
		r.addUser(u)
	}
	return r, nil
}

func (r *rendered) addUser(u User) {
	state := "off"
	if u.On {
		state = "on"
	}
	r.order = append(r.order, u.Name)
	r.users[u.Name] = append([]string{state, "#" + digest(u.Password)}, strings.Fields(u.Rules)...)
}

func (m *Master) lines() []string {
	if m == nil {
		return nil
	}
	addr, err := netip.ParseAddrPort(m.Addr)
	if err != nil {
		return nil // validated before
	}
	return []string{
		"masteruser " + quote(m.User),
		"masterauth " + quote(m.Password), // the server has no hashed form of this one
		fmt.Sprintf("replicaof %s %d", quote(addr.Addr().String()), addr.Port()),
	}
}

// file is the whole of redis.conf.
func (r rendered) file() string {
	lines := append([]string{strings.TrimRight(r.static, "\n")}, r.replication...)
	// Nobody logs in as the default user, but the server runs its AOF as it (up to
	// Redis 7.0 with the rights checked): without rights it would load no MULTI.
	lines = append(lines, "user default off ~* &* +@all")
	for _, name := range r.order {
		line := "user " + quote(name)
		for _, rule := range r.users[name] {
			line += " " + quote(rule)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote writes s as one argument of redis.conf, whatever is in it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
