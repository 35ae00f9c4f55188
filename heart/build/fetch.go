package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"aorta/heart/docker/dockerfile"
	"aorta/internal/disk"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// Bounds of what a build's ADD fetches.
const (
	fetchTimeout   = 10 * time.Minute // of each file
	connectTimeout = 30 * time.Second // to each address
	maxFetched     = 2 << 30          // bytes of all files of a build
)

// Fetch gets a file over HTTP and keeps it in a file without a name. Each address
// is judged as it is connected to: a name may stand for another one than a moment
// ago, and an answer may lead elsewhere.
func (g guard) Fetch(ctx context.Context, address string) (dockerfile.Fetched, error) {
	if err := g.host(ctx, address); err != nil {
		return dockerfile.Fetched{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client := g.client(address)
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(bounded, http.MethodGet, address, nil)
	if err != nil {
		return dockerfile.Fetched{}, cluster.Invalid("", "%s can't be fetched: %v", quote(address), err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return dockerfile.Fetched{}, fetchCause(ctx, address, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return dockerfile.Fetched{}, cluster.Invalid("", "%s can't be fetched: its server answers %s", quote(address), answer.Status)
	}
	f, err := g.keep(ctx, address, answer.Body)
	f.ModTime, _ = http.ParseTime(answer.Header.Get("Last-Modified"))
	return f, err
}

func (g guard) keep(ctx context.Context, address string, in io.Reader) (dockerfile.Fetched, error) {
	file, err := newSpool(g.dir)
	if err != nil {
		return dockerfile.Fetched{}, err
	}
	f := dockerfile.Fetched{Content: file}
	f.Size, err = io.Copy(file, io.LimitReader(in, g.room.Load()+1))
	switch {
	case err == nil && g.room.Add(-f.Size) < 0:
		err = cluster.Invalid("", "%s is too large: what ADD fetches may take %s in a build", quote(address), cluster.Bytes(maxFetched))
	case errors.As(err, new(*os.PathError)):
		err = disk.Explain(g.dir, err)
	case err != nil:
		err = fetchCause(ctx, address, err)
	}
	if err != nil {
		return dockerfile.Fetched{}, errors.Join(err, file.Close())
	}
	return f, nil
}

// client connects to what a build may reach. It asks no proxy, which would decide
// in its place.
func (g guard) client(address string) *http.Client {
	connect := func(ctx context.Context, network, host string) (net.Conn, error) {
		dialer := net.Dialer{Timeout: connectTimeout}
		if !g.allows(host) {
			dialer.Control = func(_, to string, _ syscall.RawConn) error {
				at, err := netip.ParseAddrPort(to)
				if err != nil {
					return fmt.Errorf("read the address of %s: %w", host, err)
				}
				return g.address(address, at.Addr())
			}
		}
		return dialer.DialContext(ctx, network, host)
	}
	// The bytes are kept as they are, so that a checksum is that of the file.
	return &http.Client{Transport: &http.Transport{DialContext: connect, DisableCompression: true, TLSHandshakeTimeout: connectTimeout}}
}

// allows tells whether the operator lets builds reach this host, which may have a
// port.
func (g guard) allows(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return slices.ContainsFunc(g.fetch, func(allowed string) bool {
		return strings.EqualFold(allowed, host) || strings.EqualFold(strings.Trim(allowed, "[]"), name)
	})
}

// fetchCause says why a file did not come. A refusal says so itself.
func fetchCause(ctx context.Context, address string, err error) error {
	refused := new(cluster.Error)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("fetch %s: %w", quote(address), context.Cause(ctx))
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, context.DeadlineExceeded):
		return cluster.Invalid("", "%s can't be fetched: it took longer than %s", quote(address), duration.Text(fetchTimeout))
	}
	return cluster.Invalid("", "%s can't be fetched: %v", quote(address), err)
}
