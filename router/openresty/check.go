package openresty

import (
	"context"
	"fmt"
	"net/http"

	"aorta/internal/listeners"
)

// checkClient opens a connection for each request, as a client that is new does.
var checkClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Check asks nginx at each of its public addresses for what it answers by itself.
func (n *Nginx) Check(ctx context.Context) error {
	for _, address := range n.cfg.Listen {
		if err := n.get(ctx, address); err != nil {
			return fmt.Errorf("the router does not answer requests on %s: its log, %s, says why (%w)", address, n.spec().LogPath, err)
		}
	}
	return nil
}

// CheckMaster uses nginx's master, which starts workers and reads the
// configuration: one that hangs is seen by no request. It is procs.ErrHeedless then.
func (n *Nginx) CheckMaster(ctx context.Context) error { return n.daemon.Heeds(ctx) }

func (n *Nginx) get(ctx context.Context, address string) error {
	url, err := listeners.URL(address, "http")
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/"+n.cfg.RouterID+"/alive", nil)
	if err != nil {
		return err
	}
	answer, err := checkClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
}
