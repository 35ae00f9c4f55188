package git

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"

	"aorta/internal/disk"
	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

const (
	// maxWants bounds what a fetch may ask in one request, in bytes.
	maxWants = 64 << 20
	// maxDrain bounds what is read of a push that was refused already, so that
	// the client gets to read the answer.
	maxDrain = 1 << 30
	// minRoom is what must be free for any push, in bytes.
	minRoom = 1 << 20
)

// converse runs git between the request's body and the response.
func (e *Endpoint) converse(w http.ResponseWriter, r *http.Request, v visit) {
	// Also keeps a browser that knows the password from being made to push.
	if got, want := r.Header.Get("Content-Type"), "application/x-"+v.service+"-request"; got != want {
		http.Error(w, fmt.Sprintf("content type %q is not %s", got, want), http.StatusUnsupportedMediaType)
		return
	}
	link := newLink(w, r)
	defer func() { _, _ = io.CopyN(io.Discard, link, maxDrain) }()
	body, err := inflate(r, link)
	if err != nil {
		link.refuse(err)
		return
	}
	asked, err := readPreface(body, v.writes())
	if err != nil {
		link.refusePreface(asked, err)
		return
	}
	header(w, v.service+"-result")
	err = e.serve(r.Context(), v, gitrepo.Wire{In: asked.whole(body), Out: link})
	switch {
	case err == nil || r.Context().Err() != nil:
	case !link.started && cluster.CodeOf(err) != cluster.CodeInternal:
		link.refusePreface(asked, err)
	case !link.started:
		w.Header().Del("Content-Type")
		e.fault(w, v.address, err)
	default:
		// Too late for a status: git has already answered the client.
		e.log.Warn("git conversation failed", "app", v.app, "service", v.service, "who", v.who.Name, "error", err)
	}
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

func (e *Endpoint) serve(ctx context.Context, v visit, wire gitrepo.Wire) error {
	if !v.writes() {
		leave, err := e.turns.fetch.take(ctx, v.app)
		if err != nil {
			return err
		}
		defer leave()
		wire.In = io.LimitReader(wire.In, maxWants)
		return v.repo.UploadPack(ctx, wire)
	}
	end, err := e.turns.pushes.take(ctx, v.app)
	if err != nil {
		return err
	}
	defer end()
	return e.receive(ctx, v, wire)
}

// receive lets git take in a push; its hook, which begins when the objects are
// there, may last as long as a deploy.
func (e *Endpoint) receive(ctx context.Context, v visit, wire gitrepo.Wire) error {
	takenIn, err := e.turns.intake.take(ctx, v.app)
	if err != nil {
		return err
	}
	defer takenIn()
	if err := keepHook(e.cfg); err != nil {
		return err
	}
	room, err := disk.Spare(v.repo.Dir)
	if err != nil {
		return err
	}
	if room < minRoom {
		return disk.FullAt(v.repo.Dir, nil)
	}
	if err := disk.Try(v.repo.Dir); err != nil {
		return disk.Explain(v.repo.Dir, err)
	}
	token, done := e.pending.add(&pendingPush{ctx: ctx, visit: v, takenIn: takenIn})
	defer done()
	limit := min(e.cfg.MaxPack, room)
	wire.Out = &adviser{out: wire.Out, dir: v.repo.Dir, maxPack: e.cfg.MaxPack, scarce: limit < e.cfg.MaxPack}
	return v.repo.ReceivePack(ctx, wire, gitrepo.Receive{
		HooksDir: e.cfg.HooksDir,
		MaxPack:  limit,
		Env:      []string{envSocket + "=" + e.cfg.HookSocket, envToken + "=" + token},
	})
}
