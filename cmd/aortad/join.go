package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"aorta/internal/config"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

// joinAttempts is how often a join is asked for whose answer did not come. The same key
// with the same token is the same node, so that none is asked for twice.
const joinAttempts = 5

// joinRequest is what people type after join, besides the flags of run.
type joinRequest struct {
	address, token string
	replace        bool
	rest           []string // flags of run
}

// joinCluster makes this machine a node of a cluster, and goes on as its daemon.
func joinCluster(ctx context.Context, args []string, out, errOut io.Writer) error {
	ask, err := readJoin(args, os.Stdin)
	if err != nil {
		return err
	}
	env := environ()
	cfg, extra, err := config.Load(config.Sources{Environ: env, Flags: ask.rest, Joining: true})
	if err != nil {
		return refusal{err}
	}
	if len(extra) > 0 {
		return fmt.Errorf("%w: %q is no flag of join", config.ErrUsage, extra[0])
	}
	if err := newDaemon(cfg, out, errOut).join(ctx, ask); err != nil {
		return refused(err)
	}
	return runDaemon(ctx, []string{"--data-dir", cfg.DataDir}, out, errOut)
}

const joinUsage = "aortad join https://ADDRESS:7421 --token TOKEN [--replace] [flags of run]"

// readJoin takes what is join's own from the arguments. A token of "-" is the first
// line of the input: what others can see in the list of processes it is not.
func readJoin(args []string, in io.Reader) (ask joinRequest, err error) {
	for i := 0; i < len(args); i++ {
		name, value, glued := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		flag := strings.HasPrefix(args[i], "-")
		switch {
		case flag && name == "token" && glued:
			ask.token = value
		case flag && name == "token" && i+1 < len(args):
			i++
			ask.token = args[i]
		case flag && name == "replace":
			ask.replace = value != "false"
		case !flag && ask.address == "" && strings.Contains(args[i], "://"):
			ask.address = args[i]
		default:
			ask.rest = append(ask.rest, args[i])
		}
	}
	if ask.token == "-" {
		raw, err := io.ReadAll(io.LimitReader(in, 4096))
		if err != nil {
			return ask, fmt.Errorf("read the token: %w", err)
		}
		ask.token = string(raw)
	}
	ask.token = strings.TrimSpace(ask.token)
	if ask.address == "" || ask.token == "" {
		return ask, fmt.Errorf("%w: %s", config.ErrUsage, joinUsage)
	}
	if err := config.CheckPacemaker("", ask.address); err != nil {
		return ask, fmt.Errorf("%w: %s", config.ErrUsage, err)
	}
	return ask, nil
}

// join gets the node its identity and keeps it, with the configuration that it was
// given. A machine that is a node already stays that.
func (d *daemon) join(ctx context.Context, ask joinRequest) error {
	unlock, err := d.prepare()
	if err != nil {
		return err
	}
	defer unlock()
	who, err := d.openIdentity()
	if err != nil {
		return err
	}
	if exists(d.path("aorta.db")) {
		return cluster.Conflict("%s holds a cluster of its own: name another directory (--data-dir), or end that one first (aortad stop --all, and remove it)", d.cfg.DataDir)
	}
	if d.cfg.NodeAddress == "" {
		if d.cfg.NodeAddress, err = ownAddress(ctx, ask.address, d.cfg.Roles); err != nil {
			return err
		}
	}
	answer, err := d.askToJoin(ctx, ask, who)
	if err != nil {
		return err
	}
	if err := who.keys.Install([]byte(answer.Certificate), []byte(answer.Authority)); err != nil {
		return err
	}
	who.ID, who.Name, who.Cluster, who.Roles = answer.NodeID, answer.NodeName, answer.Cluster, answer.Roles
	who.Pacemakers = withAddress(answer.Pacemakers, ask.address)
	if err := who.save(); err != nil {
		return err
	}
	d.cfg.NodeName, d.cfg.Roles = answer.NodeName, strings.Split(cluster.RoleNames(answer.Roles), ",")
	if err := d.cfg.Write(d.path(config.FileName)); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "joined: this machine is node %s with the roles %s%s; start it again with: aortad run --data-dir %s\n", answer.NodeName, cluster.RoleNames(answer.Roles), d.at(), d.cfg.DataDir)
	return nil
}

// at is where the node's instances are published, in words.
func (d *daemon) at() string {
	if d.cfg.NodeAddress == "" {
		return ""
	}
	return " at " + d.cfg.NodeAddress
}

// ownAddress is the address by which this machine reaches the pacemaker, and others
// most likely this machine; none on the pacemaker's own machine. Instances are
// published there, so that it must be private. The roles may be none, if the token
// binds them.
func ownAddress(ctx context.Context, pacemaker string, roles []string) (string, error) {
	u, err := url.Parse(pacemaker)
	if err != nil {
		return "", err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))) // which sends nothing
	if err != nil {
		return "", cluster.Unavailable("no way to %s: %v", pacemaker, err)
	}
	defer func() { _ = conn.Close() }()
	local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
	ip := local.Addr().Unmap()
	if ip.IsLoopback() || ip.String() == u.Hostname() {
		return "", nil
	}
	if err := cluster.ValidateNodeAddress("node_address", ip.String()); err != nil && (len(roles) == 0 || slices.Contains(roles, string(cluster.RoleHeart))) {
		return "", cluster.Invalid("node_address", "this machine reaches %s from %s, which is not private: name the private address that instances are published on (--node-address)", pacemaker, ip)
	} else if err != nil {
		return "", nil
	}
	return ip.String(), nil
}

// withAddress puts the address that has just worked first.
func withAddress(told []string, worked string) []string {
	list := []string{strings.TrimRight(worked, "/")}
	for _, address := range told {
		if address != list[0] {
			list = append(list, address)
		}
	}
	return list
}

func (d *daemon) askToJoin(ctx context.Context, ask joinRequest, who *identity) (cluster.Joined, error) {
	request, err := who.keys.Request()
	if err != nil {
		return cluster.Joined{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return cluster.Joined{}, fmt.Errorf("read the host's name: %w", err)
	}
	j := cluster.Join{
		Token: ask.token, Name: d.cfg.NodeName, Address: d.cfg.NodeAddress, Hostname: host, Version: version,
		Request: string(request), Replace: ask.replace,
	}
	for _, name := range d.cfg.Roles {
		j.Roles = append(j.Roles, cluster.Role(name))
	}
	for attempt := 1; ; attempt++ {
		answer, err := client.Join(ctx, ask.address, j)
		if err == nil || cluster.CodeOf(err) != cluster.CodeUnavailable || attempt == joinAttempts {
			return answer, err
		}
		d.log.Warn("joining; the answer did not come", "err", err)
		if !pause.For(ctx, time.Second) {
			return answer, context.Cause(ctx)
		}
	}
}
