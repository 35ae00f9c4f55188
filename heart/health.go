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
	"aorta/pacemaker/cluster"
)

const checkTimeout = 3 * time.Second

// errNotListening is a port that refuses, so far.
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

// checkHealth asks the process on the container's own address, which no proxy
// of the engine answers for.
func (r *runner) checkHealth(ctx context.Context, s cluster.InstanceSpec, c docker.Container) error {
	if s.Port == 0 {
		if lived := time.Since(r.firstSeen); lived < settleTime {
			return fmt.Errorf("it has run for %s only", lived.Round(time.Millisecond))
		}
		return nil
	}
	if !c.Address.IsValid() {
		return errors.New("its container has no address yet")
	}
	address := net.JoinHostPort(c.Address.String(), strconv.Itoa(docker.ContainerPort))
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
		return &wrongStatus{path: h.Path, got: got, want: strconv.Itoa(h.Status)}
	case h.Status == 0 && (got < 200 || got > 399):
		return &wrongStatus{path: h.Path, got: got, want: "2xx or 3xx"}
	}
	return nil
}

// wrongStatus is a health path that answers, but not as wanted.
type wrongStatus struct {
	path string
	got  int
	want string
}

func (w *wrongStatus) Error() string {
	return fmt.Sprintf("GET %s answered %d, not %s", w.path, w.got, w.want)
}

// plainDial says in plain words why no connection came about.
func plainDial(err error) error {
	var late interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errNotListening
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no answer within %s", checkTimeout)
	}
	return err
}
