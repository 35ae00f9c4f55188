package git

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

const (
	// maxWants bounds what a fetch may ask in one request, in bytes.
	maxWants = 64 << 20
	// maxDrain bounds what is read of a push that git has refused already, so
	// that the client gets to read the answer.
	maxDrain = 1 << 30
)

// converse runs git between the request's body and the response.
func (e *Endpoint) converse(w http.ResponseWriter, r *http.Request, v visit) {
	// Also keeps a browser that knows the password from being made to push.
	if got, want := r.Header.Get("Content-Type"), "application/x-"+v.service+"-request"; got != want {
		http.Error(w, fmt.Sprintf("content type %q is not %s", got, want), http.StatusUnsupportedMediaType)
		return
	}
	link := newLink(w, r)
	body, err := inflate(r, link)
	if err != nil {
		refuse(w, err)
		return
	}
	header(w, v.service+"-result")
	err = e.serve(r.Context(), v, gitrepo.Wire{In: body, Out: link}, protocolOf(r))
	switch {
	case err == nil || r.Context().Err() != nil:
	case !link.started:
		w.Header().Del("Content-Type")
		e.fault(w, v.address, err)
	default:
		// Too late for a status: git has told the client already.
		e.log.Warn("git conversation failed", "app", v.app, "service", v.service, "who", v.who, "error", err)
	}
	_, _ = io.CopyN(io.Discard, link, maxDrain)
}

// inflate gives the request's body as git reads it.
func inflate(r *http.Request, link *link) (io.Reader, error) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return link, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(link)
		if err != nil {
			return nil, cluster.Invalid("body", "is not gzip: %v", err)
		}
		return z, nil
	default:
		return nil, cluster.Invalid("body", "content encoding %q is not gzip", encoding)
	}
}

func (e *Endpoint) serve(ctx context.Context, v visit, wire gitrepo.Wire, protocol string) error {
	if !v.writes() {
		wire.In = io.LimitReader(wire.In, maxWants)
		return v.repo.UploadPack(ctx, wire, protocol)
	}
	token, done := e.pending.add(&pendingPush{ctx: ctx, visit: v})
	defer done()
	wire.Out = &adviser{out: wire.Out, maxPack: e.cfg.MaxPack}
	return v.repo.ReceivePack(ctx, wire, gitrepo.Receive{
		HooksDir: e.cfg.HooksDir,
		MaxPack:  e.cfg.MaxPack,
		Env:      []string{envSocket + "=" + e.cfg.HookSocket, envToken + "=" + token},
	})
}
