package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aorta/internal/backoff"
	"aorta/pacemaker/cluster"
)

const (
	// patience is how long the engine is kept waiting while nothing comes of the
	// registry, as while the pacemaker is started anew. The engine's own pauses
	// between attempts are longer, and it gives up after a few.
	patience = time.Minute
	// stall is how long a body may stand still before it is asked for anew.
	stall = 20 * time.Second
	// firstPause and longestPause are between two attempts.
	firstPause, longestPause = 100 * time.Millisecond, 2 * time.Second
)

// carry passes one request of the engine's on, and the answer back. Nothing is held:
// bodies flow as they come.
type carry struct {
	p *Proxy
	t *ticket
	w http.ResponseWriter
	r *http.Request

	begun bool  // the engine has the head of an answer
	sent  int64 // bytes of the body that it has
}

// once passes on what can't be sent twice. The engine begins the layer again.
func (c *carry) once() {
	resp, err := c.p.up.Registry(c.request(c.r.Context(), c.r.Body))
	if err != nil {
		c.unavailable(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	c.note(resp)
	c.head(resp)
	_, _ = io.Copy(c.w, resp.Body)
}

// patiently passes on what can be asked again and is small.
func (c *carry) patiently() {
	ctx, cancel := context.WithTimeout(c.r.Context(), patience)
	defer cancel()
	for pauses := backoff.New(firstPause, longestPause); ; {
		resp, err := c.p.up.Registry(c.request(c.r.Context(), nil))
		if err == nil && resp.StatusCode != http.StatusServiceUnavailable {
			defer func() { _ = resp.Body.Close() }()
			c.note(resp)
			c.head(resp)
			_, _ = io.Copy(c.w, resp.Body)
			return
		}
		if err == nil {
			err = c.reason(resp)
			_ = resp.Body.Close()
		}
		c.t.say.waits(err)
		if !pauses.Pause(ctx) {
			c.unavailable(err)
			return
		}
	}
}

// blob passes on the content of a layer. A link that is cut is taken up where it was
// cut: the content of a digest never changes, and the engine checks it.
func (c *carry) blob() {
	pauses := backoff.New(firstPause, longestPause)
	for since := time.Now(); ; {
		before := c.sent
		err := c.part()
		switch {
		case err == nil:
			return
		case c.r.Context().Err() != nil:
			panic(http.ErrAbortHandler) // the engine has gone
		case c.sent > before:
			since = time.Now()
			pauses.Reset()
		case time.Since(since) > patience:
			c.unavailable(err)
			return
		}
		c.p.log.Warn("a layer does not come from the registry; going on where it was cut", "app", c.t.app, "have", c.sent, "err", err)
		c.t.say.waits(err)
		pauses.Pause(c.r.Context())
	}
}

// part passes on the rest of a blob, as far as it comes. The error is one after
// which it can be asked for again.
func (c *carry) part() error {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	req := c.request(ctx, nil)
	first, ranged := c.first()
	if ranged || c.sent > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", first+c.sent))
	}
	resp, err := c.p.up.Registry(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		return refusal(resp)
	case c.begun && resp.StatusCode != http.StatusPartialContent:
		c.note(resp)
		panic(http.ErrAbortHandler) // what was there is not any more; the engine has a part
	case !c.begun:
		c.note(resp)
		c.head(resp)
		c.begun = true
	}
	return c.body(resp.Body, cancel)
}

// first is where the engine wants the blob to begin, and whether it says so.
func (c *carry) first() (int64, bool) {
	text, ok := strings.CutPrefix(c.r.Header.Get("Range"), "bytes=")
	from, _, _ := strings.Cut(text, "-")
	n, err := strconv.ParseInt(from, 10, 64)
	return n, ok && err == nil
}

// body passes bytes on until their end. An error is one of where they come from.
func (c *carry) body(from io.Reader, cancel context.CancelCauseFunc) error {
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %s", stall)) })
	defer watch.Stop()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		watch.Reset(stall)
		if n > 0 {
			if _, werr := c.w.Write(buf[:n]); werr != nil {
				panic(http.ErrAbortHandler) // the engine has gone
			}
			c.sent += int64(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// request is the engine's, for the registry.
func (c *carry) request(ctx context.Context, body io.Reader) *http.Request {
	out := c.r.Clone(ctx)
	out.RequestURI, out.Host = "", ""
	out.Body, out.ContentLength = http.NoBody, 0
	if body != nil {
		out.Body, out.ContentLength = io.NopCloser(body), c.r.ContentLength
	}
	for _, name := range []string{"Authorization", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Accept-Encoding"} {
		out.Header.Del(name)
	}
	return out
}

// head passes on status and header.
func (c *carry) head(resp *http.Response) {
	header := c.w.Header()
	for name, values := range resp.Header {
		if name != "Connection" && name != "Keep-Alive" && name != "Transfer-Encoding" {
			header[name] = values
		}
	}
	c.w.WriteHeader(resp.StatusCode)
}

// unavailable says that the registry is out of reach, unless the engine has a part.
func (c *carry) unavailable(err error) {
	c.t.fail(err)
	c.t.say.waits(err)
	if c.begun {
		panic(http.ErrAbortHandler)
	}
	http.Error(c.w, err.Error(), http.StatusServiceUnavailable)
}

// note remembers why the registry refuses something. That a blob is not there yet
// is no refusal in a push.
func (c *carry) note(resp *http.Response) {
	switch {
	case resp.StatusCode < 400:
		c.t.fail(nil)
	case c.r.Method != http.MethodHead:
		err := refusal(resp)
		c.t.fail(err)
		if final(err, c.t.push) {
			c.t.stop() // the engine would try again, after long pauses
		}
	}
}

// reason is why the registry answers nothing. What answers HEAD can't say it, and is
// asked in another way.
func (c *carry) reason(resp *http.Response) error {
	if c.r.Method != http.MethodHead {
		return refusal(resp)
	}
	req, err := http.NewRequestWithContext(c.r.Context(), http.MethodGet, cluster.RegistryPath, nil)
	if err != nil {
		return err
	}
	told, err := c.p.up.Registry(req)
	if err != nil {
		return err
	}
	defer func() { _ = told.Body.Close() }()
	if told.StatusCode != http.StatusServiceUnavailable {
		return refusal(resp)
	}
	return refusal(told)
}

// maxRefusal is how much of a refusal is read, in bytes.
const maxRefusal = 16 << 10

// refusal is the registry's error. Of the body, what is read is put back.
func refusal(resp *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(string(raw)), resp.Body), resp.Body}
	return &cluster.Error{Code: codeOf(resp.StatusCode), Err: status(resp.StatusCode), Message: said(raw, resp.Status)}
}

// status is the HTTP status of a refusal, as its cause.
type status int

func (s status) Error() string { return http.StatusText(int(s)) }

// final says that the registry would refuse the same again. What a push does not find
// was in the middle of being sent, and is sent anew.
func final(err error, push bool) bool {
	var s status
	if !errors.As(err, &s) {
		return false
	}
	return s == http.StatusForbidden || s == http.StatusInsufficientStorage || s == http.StatusNotFound && !push
}

func codeOf(s int) cluster.Code {
	switch {
	case s == http.StatusNotFound:
		return cluster.CodeNotFound
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return cluster.CodeForbidden
	case s >= http.StatusInternalServerError:
		return cluster.CodeUnavailable
	}
	return cluster.CodeInvalid
}

// said are the words of a refusal.
func said(raw []byte, otherwise string) string {
	var e struct {
		Errors []struct{ Message string }
	}
	if json.Unmarshal(raw, &e) == nil && len(e.Errors) > 0 && e.Errors[0].Message != "" {
		return e.Errors[0].Message
	}
	return "the registry answers " + otherwise
}
