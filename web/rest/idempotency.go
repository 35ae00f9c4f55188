package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
)

// KeyHeader names a write, so that it can be repeated without being done twice.
const KeyHeader = "Idempotency-Key"

// keyed tells whether an operation takes the header.
func (rt Route) keyed() bool {
	return rt.Method != Get && !rt.Stream && !rt.Secret && rt.Role != access.Node && rt.Role != access.Anyone
}

// Answers keep the first answer to each write, by user and key.
type Answers interface {
	// ClaimIdempotencyKey gives the kept answer, or nil and the right to make one. hash is
	// of the request; another one under the same key is refused.
	ClaimIdempotencyKey(ctx context.Context, user, key, hash string) (*store.SavedAnswer, error)
	SaveAnswer(ctx context.Context, user, key string, answer store.SavedAnswer) error
	ReleaseIdempotencyKey(ctx context.Context, user, key string) error
}

// onceLimit ends a write whose client may have gone away: it goes on without
// one, so that a repeat finds its answer.
const onceLimit = time.Minute

var errOnceLimit = cluster.Unavailable("the cluster did not finish this within %s and may still be working on it: check before you repeat it", duration.Text(onceLimit))

// keyParameter describes the header in the OpenAPI document.
func keyParameter() *huma.Param {
	return &huma.Param{
		Name: KeyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "A name of this write, chosen by the client: a repeat within a day gets the first answer.",
	}
}

// Once is a middleware that answers a write that comes again under its key with its first answer.
// What failed on our side is not kept: a repeat of that is a new try.
func Once(answers Answers, user func(context.Context) string, log *slog.Logger) func(huma.Context, func(huma.Context)) {
	o := &once{answers: answers, log: log, turns: turns{taken: map[string]*turn{}}}
	return func(ctx huma.Context, next func(huma.Context)) {
		key := ctx.Header(KeyHeader)
		if key == "" || !RouteOf(ctx.Operation()).keyed() {
			next(ctx)
			return
		}
		user := user(ctx.Context())
		release, err := o.turns.take(ctx.Context(), user+"\x00"+key)
		if err == nil {
			defer release()
			err = o.answer(ctx, user, key, next)
		}
		if err != nil {
			Refuse(ctx, o.log, err)
		}
	}
}

// once keeps one answer to each write.
type once struct {
	answers Answers
	log     *slog.Logger
	turns   turns
}

// answer writes the answer, or gives the error that is to be the answer.
func (o *once) answer(ctx huma.Context, user, key string, next func(huma.Context)) error {
	if err := validKey(key); err != nil {
		return err
	}
	body, err := readAll(ctx)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx.Context()), onceLimit, errOnceLimit)
	defer cancel()
	answer, err := o.answers.ClaimIdempotencyKey(bounded, user, key, requestHash(ctx, body))
	if err != nil {
		return inHeader(err)
	}
	if answer != nil {
		ctx.SetHeader("Idempotency-Replayed", "true")
		replay(ctx, *answer)
		return nil
	}
	rec := &recorder{request: ctx, ctx: bounded, body: bytes.NewReader(body), answer: store.SavedAnswer{Status: http.StatusOK, Header: map[string][]string{}}}
	next(rec)
	rec.answer.Body = rec.out.Bytes()
	// Kept before it is sent: a client never knows more than the database.
	if rec.answer.Status < http.StatusInternalServerError {
		err = o.answers.SaveAnswer(bounded, user, key, rec.answer)
	} else {
		err = o.answers.ReleaseIdempotencyKey(bounded, user, key)
	}
	if err != nil {
		o.log.WarnContext(ctx.Context(), "an answer could not be kept; repeats of its request are refused", "key", key, "err", err)
	}
	replay(ctx, rec.answer)
	return nil
}

func validKey(key string) error {
	printable := strings.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	if len(key) > 255 || !printable {
		return inHeader(cluster.Invalid(KeyHeader, "is not 1 to 255 printable ASCII characters"))
	}
	return nil
}

// inHeader says of a wrong key where it stands.
func inHeader(err error) error {
	p := problemOf(err)
	p.locate(locations{KeyHeader: "header"})
	return p
}

// readAll takes the body as far as the operation allows: one byte beyond is
// enough for it to refuse.
func readAll(ctx huma.Context) ([]byte, error) {
	op := ctx.Operation()
	_ = ctx.SetReadDeadline(time.Now().Add(op.BodyReadTimeout))
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), op.MaxBodyBytes+1))
	if err != nil {
		return nil, cluster.Invalid("body", "was cut off: %v", err)
	}
	return body, nil
}

func requestHash(ctx huma.Context, body []byte) string {
	u := ctx.URL()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", ctx.Method(), u.RequestURI(), ctx.Header("Content-Type"), body))
	return hex.EncodeToString(sum[:])
}

func replay(ctx huma.Context, a store.SavedAnswer) {
	for name, values := range a.Header {
		for _, v := range values {
			ctx.AppendHeader(name, v)
		}
	}
	ctx.SetStatus(a.Status)
	_, _ = ctx.BodyWriter().Write(a.Body) // the client may be gone; its repeat gets the same
}

// request has a name of its own, so that recorder can have a method Context.
type request huma.Context

// recorder takes an answer down instead of sending it.
type recorder struct {
	request
	ctx    context.Context
	body   io.Reader
	answer store.SavedAnswer
	out    bytes.Buffer
}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) BodyReader() io.Reader { return r.body }

func (r *recorder) BodyWriter() io.Writer { return &r.out }

func (r *recorder) SetStatus(code int) { r.answer.Status = code }

func (r *recorder) Status() int { return r.answer.Status }

func (r *recorder) SetHeader(name, value string) { r.answer.Header[name] = []string{value} }

func (r *recorder) AppendHeader(name, value string) {
	r.answer.Header[name] = append(r.answer.Header[name], value)
}

// turns lets the requests of one name in one after the other.
type turns struct {
	mu    sync.Mutex // guards taken and what it points to
	taken map[string]*turn
}

type turn struct {
	free  chan struct{} // holds one token while it is free
	users int           // in, or waiting
}

// take waits for the turn; whoever gets it calls release.
func (t *turns) take(ctx context.Context, name string) (release func(), err error) {
	t.mu.Lock()
	own := t.taken[name]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		own.free <- struct{}{}
		t.taken[name] = own
	}
	own.users++
	t.mu.Unlock()
	select {
	case <-own.free:
		return func() {
			own.free <- struct{}{}
			t.leave(name, own)
		}, nil
	case <-ctx.Done():
		t.leave(name, own)
		return nil, context.Cause(ctx)
	}
}

func (t *turns) leave(name string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.taken, name)
	}
}
