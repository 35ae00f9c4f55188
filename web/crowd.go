package web

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// maxConnections is how many connections one listener has open, at most; a quarter of
// the files that the process may open, if that is less.
const maxConnections = 4096

// crowd bounds the connections of a listener. Those that wait for a request, from
// their beginning or after an answer, make room for new ones, the longest waiting
// first: who holds many of them keeps nobody out.
type crowd struct {
	limit int

	mu      sync.Mutex // guards the rest
	open    map[net.Conn]*visitor
	hosts   map[netip.Prefix]*host
	waiting *list.List // of *visitor, the longest waiting first
}

// host is one client, by its address; of IPv6 by its network, where one client has
// many.
type host struct {
	open    int
	waiting *list.List // of *visitor
}

type visitor struct {
	conn           net.Conn
	from           netip.Prefix
	inAll, inHosts *list.Element // nil while it does not wait
}

func newCrowd(limit int) *crowd {
	return &crowd{limit: limit, open: map[net.Conn]*visitor{}, hosts: map[netip.Prefix]*host{}, waiting: list.New()}
}

// connectionLimit is maxConnections, or what the process can have.
func connectionLimit() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return maxConnections
	}
	return int(min(maxConnections, files.Cur/4))
}

// changed is told of each connection's states.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.enter(conn)
	case http.StateIdle:
		if v := c.open[conn]; v != nil {
			c.wait(v)
		}
	case http.StateActive:
		if v := c.open[conn]; v != nil {
			c.work(v)
		}
	case http.StateClosed, http.StateHijacked:
		c.leave(conn)
	}
}

func (c *crowd) enter(conn net.Conn) {
	from := clientOf(conn)
	h := c.hosts[from]
	if h == nil {
		h = &host{waiting: list.New()}
		c.hosts[from] = h
	}
	h.open++
	v := &visitor{conn: conn, from: from}
	c.open[conn] = v
	c.wait(v) // last: it is ended itself if nobody else waits
	switch {
	case h.open > max(1, c.limit/2):
		c.end(h.waiting)
	case len(c.open) > c.limit:
		c.end(c.waiting)
	}
}

// end closes the longest waiting; its end is told as that of any other.
func (c *crowd) end(of *list.List) {
	if first := of.Front(); first != nil {
		v := first.Value.(*visitor)
		c.leave(v.conn)
		_ = v.conn.Close()
	}
}

func (c *crowd) wait(v *visitor) {
	if v.inAll == nil {
		v.inAll, v.inHosts = c.waiting.PushBack(v), c.hosts[v.from].waiting.PushBack(v)
	}
}

func (c *crowd) work(v *visitor) {
	if v.inAll != nil {
		c.waiting.Remove(v.inAll)
		c.hosts[v.from].waiting.Remove(v.inHosts)
		v.inAll, v.inHosts = nil, nil
	}
}

func (c *crowd) leave(conn net.Conn) {
	v := c.open[conn]
	if v == nil {
		return
	}
	c.work(v)
	delete(c.open, conn)
	if h := c.hosts[v.from]; h.open > 1 {
		h.open--
	} else {
		delete(c.hosts, v.from)
	}
}

// clientOf is where a connection comes from; the zero prefix for one that does not
// say.
func clientOf(conn net.Conn) netip.Prefix {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(ip, bits).Masked()
}
