package heart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"aorta/heart/docker"
	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

const (
	checkTimeout = 3 * time.Second
	// A process type without a port is healthy once it has lived this long.
	settleTime = time.Second
)

// errCutOff means that the container runs, and is not in the cluster's network.
var errCutOff = errors.New("its container is not in the cluster's network")

// errNotListening means that nothing listens on the port yet.
var errNotListening = errors.New("connection refused")

func newCheckClient() *http.Client {
	return &http.Client{
		Timeout: checkTimeout,
		// Each check opens its own connection: an idle one says nothing about
		// whether the app accepts new ones.
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checkHealth asks the instance itself, then the image's HEALTHCHECK if that
// decides over it. The kernel takes connections for a process that is frozen.
func (r *runner) checkHealth(ctx context.Context, s cluster.InstanceSpec, c docker.Container) error {
	if c.Paused {
		return fmt.Errorf("its container is paused, which Aorta never does (resume it on its node: docker unpause %s)", c.Instance)
	}
	if err := r.checkProcess(ctx, s, c); err != nil {
		return err
	}
	return c.Health.Err()
}

// checkProcess connects to the container's own address: on the published one
// the engine's proxy may accept connections that the app does not.
func (r *runner) checkProcess(ctx context.Context, s cluster.InstanceSpec, c docker.Container) error {
	if !c.Address.IsValid() {
		return errCutOff
	}
	if s.Port == 0 {
		if lived := time.Since(r.firstSeen); lived < settleTime {
			return fmt.Errorf("it has been up for only %s", lived.Round(time.Millisecond))
		}
		return nil
	}
	address := net.JoinHostPort(c.Address.String(), strconv.Itoa(docker.ContainerPort))
	if err := r.ask(ctx, s, address); err != nil || r.proven {
		return err
	}
	err := prove(ctx, c, address)
	r.proven = err == nil
	return err
}

func (r *runner) ask(ctx context.Context, s cluster.InstanceSpec, address string) error {
	if s.Health.Path == "" {
		return checkTCP(ctx, address)
	}
	return r.checkHTTP(ctx, address, s.Health)
}

func checkTCP(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: checkTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return plainDial(err)
	}
	return conn.Close()
}

func (r *runner) checkHTTP(ctx context.Context, address string, h cluster.Health) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+h.Path, nil)
	if err != nil {
		return fmt.Errorf("make the request for %s: %w", h.Path, err)
	}
	req.Header.Set("User-Agent", "aorta-health")
	resp, err := r.http.Do(req)
	if err != nil {
		return plainDial(err)
	}
	defer resp.Body.Close()
	switch got := resp.StatusCode; {
	case h.Status != 0 && got != h.Status:
		return fmt.Errorf("GET %s answered %d, not %d", h.Path, got, h.Status)
	case h.Status == 0 && (got < 200 || got > 399):
		return fmt.Errorf("GET %s answered %d, not 2xx or 3xx", h.Path, got)
	}
	return nil
}

// plainDial explains in a few words why a connection failed.
func plainDial(err error) error {
	var late interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errNotListening
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no answer within %s", duration.Text(checkTimeout))
	}
	return err
}
