package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// OutsideConfig is where a registry of the operator's own is.
type OutsideConfig struct {
	URL    *url.URL    // its path is where the repositories of this cluster are
	Login  string      // a file with USER:PASSWORD, read anew when it is needed; empty: none
	Trust  *tls.Config // nil: the system's
	Secret string      // signs the addresses of uploads that nodes are given
	Log    *slog.Logger
}

// Outside is a registry that somebody else keeps, in place of the cluster's own. Nodes
// know nothing of it: they ask the pacemaker, who judges as before, and passes on what
// it lets through under a log-in that no node has.
type Outside struct {
	cfg     OutsideConfig
	access  access
	traffic traffic
	proxy   *httputil.ReverseProxy
}

// answerTimeout is how long a registry may take to begin an answer. Some look at all of
// a layer before they say that they have it.
const answerTimeout = 2 * time.Minute

// NewOutside makes it; nothing is asked of the registry yet.
func NewOutside(cfg OutsideConfig) *Outside {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ResponseHeaderTimeout, transport.DisableCompression = cfg.Trust, answerTimeout, true
	o := &Outside{cfg: cfg, access: access{scheme: cfg.URL.Scheme, host: cfg.URL.Host, login: cfg.Login, client: &http.Client{Transport: transport}}}
	o.proxy = &httputil.ReverseProxy{
		Rewrite: o.rewrite, Transport: o, ModifyResponse: o.answered, ErrorHandler: o.failed,
		ErrorLog: slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	return o
}

// Close is for the cluster's own registry to do more by.
func (o *Outside) Close() error { return nil }

// For answers requests of a node that may make them.
func (o *Outside) For(node string) http.Handler { return o.traffic.through(node, o.proxy) }

// Moved is what has moved, by the name of the node.
func (o *Outside) Moved() map[string]Moved { return o.traffic.moved() }

// What the registry keeps, for how long and in which state is its operator's to say: its
// images are not listed here, nor removed.

// Images are none.
func (o *Outside) Images() ([]cluster.RegistryImage, error) { return nil, nil }

// Used is nothing of this disk.
func (o *Outside) Used() (int64, error) { return 0, nil }

// Damaged are none.
func (o *Outside) Damaged() int64 { return 0 }

// Sweep removes nothing.
func (o *Outside) Sweep(context.Context, []cluster.RegistryImage) (int64, error) { return 0, nil }

// Verify finds nothing.
func (o *Outside) Verify(context.Context, cluster.ID) error { return nil }

// Forget removes nothing.
func (o *Outside) Forget(context.Context, cluster.ID) error { return nil }

// Kept are none.
func (o *Outside) Kept() ([]cluster.ID, error) { return nil, nil }

// Check asks whether the registry is there and knows us.
func (o *Outside) Check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base("/v2/").String(), nil)
	if err != nil {
		return err
	}
	resp, err := o.access.do(req, "")
	if err != nil {
		return o.unavailable(err)
	}
	_ = resp.Body.Close()
	return o.judge(resp)
}

// base is an address at the registry.
func (o *Outside) base(path string) *url.URL {
	return &url.URL{Scheme: o.cfg.URL.Scheme, Host: o.cfg.URL.Host, Path: path}
}

// repository is the name of an app's there.
func (o *Outside) repository(app cluster.ID) string {
	return strings.TrimPrefix(strings.Trim(o.cfg.URL.Path, "/")+"/"+string(app), "/")
}

// asked is what a request is about, which its caller has judged.
type asked struct{}

// rewrite turns a node's request into one to the registry.
func (o *Outside) rewrite(p *httputil.ProxyRequest) {
	ask, _ := cluster.ParseRegistryRequest(p.In.Method, p.In.URL.Path, p.In.URL.Query()) // judged before
	p.Out = p.Out.WithContext(context.WithValue(p.Out.Context(), asked{}, ask))
	p.Out.RequestURI, p.Out.Host = "", ""
	p.Out.Header.Del("Authorization")
	p.Out.URL = o.target(ask, p.In.URL)
}

func (o *Outside) target(ask cluster.RegistryRequest, from *url.URL) *url.URL {
	if ask.App == "" {
		return o.base("/v2/")
	}
	query := from.Query()
	what := strings.TrimPrefix(from.Path, cluster.RegistryPath+string(ask.App))
	if upload, is := strings.CutPrefix(what, "/blobs/uploads/"); is && upload != "" {
		return o.openUpload(ask.App, query)
	}
	if ask.From != "" {
		query.Set("from", o.repository(ask.From))
	}
	at := o.base(cluster.RegistryPath + o.repository(ask.App) + what)
	at.RawQuery = query.Encode()
	return at
}

// RoundTrip is part of http.RoundTripper. A registry that keeps its layers elsewhere
// says where: that is followed here, since nodes may reach nothing but the pacemaker.
func (o *Outside) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "" {
		return nil, errForeignUpload
	}
	ask, _ := req.Context().Value(asked{}).(cluster.RegistryRequest)
	scope := ""
	if ask.App != "" {
		scope = "repository:" + o.repository(ask.App) + ":pull"
		if ask.Push {
			scope += ",push"
		}
		if ask.From != "" {
			scope += " repository:" + o.repository(ask.From) + ":pull"
		}
	}
	return o.access.do(req, scope)
}

// answered makes an answer one of the pacemaker's.
func (o *Outside) answered(resp *http.Response) error {
	if err := o.judge(resp); err != nil {
		return err
	}
	ask, _ := resp.Request.Context().Value(asked{}).(cluster.RegistryRequest)
	location := resp.Header.Get("Location")
	resp.Header.Del("Location")
	if resp.StatusCode != http.StatusAccepted || location == "" {
		return nil
	}
	at, err := resp.Request.URL.Parse(location)
	if err != nil {
		return fmt.Errorf("its upload goes on at %q: %w", location, err)
	}
	resp.Header.Set("Location", o.sealUpload(ask.App, at))
	return nil
}

// judge is an error for what no node can do anything about.
func (o *Outside) judge(resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return cluster.Unavailable("the registry at %s does not take our log-in: check the file that registry_login names", o.cfg.URL.Host)
	case resp.StatusCode >= http.StatusInternalServerError:
		return cluster.Unavailable("the registry at %s answers %s", o.cfg.URL.Host, resp.Status)
	}
	return nil
}

func (o *Outside) unavailable(err error) error {
	var told *cluster.Error
	if errors.As(err, &told) {
		return told
	}
	return cluster.Unavailable("the registry at %s does not answer (%v): images can't be pushed or pulled until it does; apps go on serving", o.cfg.URL.Host, err)
}

// failed answers a node when there is no answer of the registry.
func (o *Outside) failed(w http.ResponseWriter, req *http.Request, err error) {
	if errors.Is(err, errForeignUpload) {
		Refuse(w, http.StatusNotFound, err)
		return
	}
	if req.Context().Err() == nil {
		o.cfg.Log.Warn("the outside registry failed", "err", err)
	}
	Refuse(w, http.StatusServiceUnavailable, o.unavailable(err))
}
