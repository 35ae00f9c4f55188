package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/nodewire"
)

// neighbours is the pacemaker as this node reports to it: each report tells where
// this machine is reached, and an answer where all of them are, when that is new.
type neighbours struct {
	*client.Node
	lease *lease
	path  string // of what was heard last, for a start while the pacemaker is away
	log   *slog.Logger
	asked chan toShow

	mu     sync.Mutex // guards the rest
	listen []netip.AddrPort
	known  cluster.Neighbours
	places cluster.Places
	looked time.Time // when places were found out
}

// placesEvery is how long the addresses of this machine are believed.
const placesEvery = 10 * time.Second

func newNeighbours(c *client.Node, l *lease, path string, log *slog.Logger) *neighbours {
	n := &neighbours{Node: c, lease: l, path: path, log: log, asked: make(chan toShow, 1)}
	raw, err := os.ReadFile(path)
	var known nodewire.Neighbours
	if err == nil {
		err = json.Unmarshal(raw, &known)
	}
	switch {
	case err == nil:
		n.known = known.Domain()
	case !errors.Is(err, fs.ErrNotExist):
		log.Warn("what was known of the other nodes can't be read; the pacemaker will tell it", "err", err)
	}
	return n
}

// Report is part of the pacemaker's API.
func (n *neighbours) Report(ctx context.Context, r cluster.Report) (cluster.ReportAnswer, error) {
	r.Places, r.Neighbours = n.own(), n.all().Digest
	a, err := n.Node.Report(ctx, r)
	if err == nil && a.Neighbours != nil {
		n.learn(*a.Neighbours)
	}
	if err == nil {
		n.ask(toShow{a.Show, a.ShowAt})
	}
	return a, err
}

// takes notes where the router of this node takes requests: IP:PORT, or :PORT as all
// of IPv4.
func (n *neighbours) takes(listen string) error {
	if strings.HasPrefix(listen, ":") {
		listen = anyIP + listen
	}
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return fmt.Errorf("where the router listens: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listen, n.looked = append(n.listen, at), time.Time{}
	return nil
}

// listeners are where the router of this node takes requests.
func (n *neighbours) listeners() []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.listen)
}

// all are the neighbours as they were heard of last.
func (n *neighbours) all() cluster.Neighbours {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known
}

func (n *neighbours) learn(all cluster.Neighbours) {
	n.mu.Lock()
	n.known = all
	n.mu.Unlock()
	raw, err := json.Marshal(nodewire.FromNeighbours(all))
	if err == nil {
		err = atomicfile.Write(n.path, raw, 0o600)
	}
	if err != nil {
		n.log.Warn("where the other nodes are is not on disk for the next start", "err", err)
	}
}

// own are the places of this machine.
func (n *neighbours) own() cluster.Places {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.looked) < placesEvery {
		return n.places
	}
	addresses, err := machineAddresses()
	if err != nil {
		n.log.Warn("the addresses of this machine can't be read", "err", err)
		return n.places
	}
	n.places, n.looked = placesOf(addresses, n.listen), time.Now()
	return n.places
}

// placesOf are addresses with the listeners there.
func placesOf(addresses []netip.Addr, listen []netip.AddrPort) cluster.Places {
	var p cluster.Places
	for _, a := range addresses {
		p.Addresses = append(p.Addresses, a.String())
		for _, l := range listen {
			if l.Addr() == a || l.Addr().IsUnspecified() && l.Addr().Is4() == a.Is4() {
				p.Public = append(p.Public, netip.AddrPortFrom(a, l.Port()).String())
			}
		}
	}
	return p
}

// engineLink is what an engine calls its bridges, those of clusters among them, and
// their ends.
var engineLink = regexp.MustCompile(`^(docker0|docker_gwbridge|br-[0-9a-f]{12}|ao-[0-9a-f]{8}|veth.*)$`)

// machineAddresses are those that other machines may reach this one at.
func machineAddresses() ([]netip.Addr, error) {
	links, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, link := range links {
		if engineLink.MatchString(link.Name) {
			continue
		}
		addrs, err := link.Addrs()
		if err != nil {
			continue // the link went meanwhile
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if ip := prefix.Addr().Unmap(); err == nil && ip.IsGlobalUnicast() {
				found = append(found, ip)
			}
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}
