package nodeapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"aorta/internal/pki"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
	"aorta/web/rest"
)

// Logs keeps the apps' output.
type Logs interface {
	Append(ctx context.Context, parts []cluster.LogPart) (refused []cluster.LogPosition, err error)
}

// Authority knows the certificates of the cluster's nodes.
type Authority interface {
	// Check is nil for a node's certificate, or pki.ErrExpired or pki.ErrForeign.
	Check(*x509.Certificate) error
}

// Config is what the nodes' API works with.
type Config struct {
	Pacemaker *pacemaker.Pacemaker
	Registry  func(node string) http.Handler // answers a node whom the pacemaker lets in
	Logs      Logs
	Authority Authority
	Welcome   func(node cluster.Node) (cluster.Welcome, error) // what a node learns of the rest
	Version   string
	Log       *slog.Logger
}

// API serves /api/v1 for nodes.
type API struct {
	Config
	pace  *pacemaker.Pacemaker
	store *store.Store
	room  room
	// pulls is room for requests of the registry, whose bodies are not held.
	pulls     room
	strangers *strangers
}

// Mount puts the nodes' API on a router.
func Mount(r chi.Router, cfg Config) *rest.API {
	a := &API{Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store(), room: newRoom(), pulls: newRoom(), strangers: newStrangers(cfg.Log, time.Now)}
	h := rest.New(r, "Aorta, for nodes", cfg.Version, cfg.Log)
	h.UseMiddleware(a.authenticate)
	a.routes(h)
	r.Handle(cluster.RegistryPath+"*", http.HandlerFunc(a.registry))
	return h
}

// authenticate lets a node in to its own part alone: the id in the path must be that
// of the node whose key made the connection. Anyone may ask to join.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	route := rest.RouteOf(ctx.Operation())
	if route.Role == access.Anyone { // joining
		token := rest.Bearer(ctx)
		if _, err := cluster.JoinFingerprint(token); err != nil {
			err := rest.Unauthorized("a join token is needed (make one with: aorta nodes token)")
			rest.Refuse(ctx, a.Log, a.strangers.refuse(origin(ctx), err))
			return
		}
		next(huma.WithValue(ctx, tokenKey{}, asking{token, origin(ctx)}))
		return
	}
	node, leave, err := a.admit(ctx, route)
	if node.ID == "" {
		a.strangers.report(origin(ctx), err)
	}
	if err != nil {
		rest.Refuse(ctx, a.Log, err)
		return
	}
	defer leave()
	if route.Path != showPath {
		a.pace.Nodes.ComesFrom(node.ID, origin(ctx))
	}
	next(huma.WithContext(ctx, access.WithSubject(ctx.Context(), access.Subject{Kind: access.OnNode, Node: node}, nil)))
}

// admit takes room for a request of the node that is the caller, before any of its body
// is read.
func (a *API) admit(ctx huma.Context, route rest.Route) (node cluster.Node, leave func(), err error) {
	node, err = a.caller(ctx.Context(), ctx.TLS(), route.Path == renewPath)
	if err != nil {
		return node, nil, err
	}
	if id := ctx.Param("id"); id != string(node.ID) {
		return node, nil, cluster.Forbidden("node %s may not speak for node %.40q", node.ID, id)
	}
	leave, err = a.room.enter(node, sizeOf(ctx))
	return node, leave, err
}

// origin is the address that a request comes from: of the loopback when it is this
// machine's own, whichever of its addresses was used.
func origin(ctx huma.Context) netip.Addr { return originOf(ctx.Context(), ctx.RemoteAddr()) }

func originOf(ctx context.Context, addr string) netip.Addr {
	remote, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Addr{}
	}
	from := remote.Addr().Unmap().WithZone("")
	at, _ := ctx.Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if at != nil && at.AddrPort().Addr().Unmap().WithZone("") == from {
		return netip.IPv6Loopback()
	}
	return from
}

// caller is the node whose key made the connection. An expired certificate is good for
// its renewal, since the key is known; for all else its node is refused.
func (a *API) caller(ctx context.Context, state *tls.ConnectionState, renews bool) (cluster.Node, error) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return cluster.Node{}, rest.Unauthorized("a node's certificate is needed (a machine becomes a node with: aortad join)")
	}
	cert := state.PeerCertificates[0]
	expired := a.Authority.Check(cert)
	if expired != nil && !errors.Is(expired, pki.ErrExpired) {
		return cluster.Node{}, rest.Unauthorized(expired.Error())
	}
	hash, err := pki.KeyHash(cert.PublicKey)
	if err != nil {
		return cluster.Node{}, err
	}
	node, err := a.store.NodeByKey(ctx, hash)
	if err != nil || expired == nil || renews {
		return node, err
	}
	err = rest.Unauthorized(fmt.Sprintf("%v: valid from %s to %s", expired, cert.NotBefore.Format(time.RFC3339), cert.NotAfter.Format(time.RFC3339)))
	a.pace.Nodes.Refuses(node, err)
	return node, err
}
