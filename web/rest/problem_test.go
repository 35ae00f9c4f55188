package rest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/go-chi/chi/v5"

	"aorta/pacemaker/store"
	"aorta/web/access"
	"aorta/web/rest"
)

// keptNowhere keeps no answer, since its database fails.
type keptNowhere struct {
	rest.Answers
	err error
}

func (k keptNowhere) ClaimIdempotencyKey(context.Context, string, string, string) (*store.SavedAnswer, error) {
	return nil, k.err
}

// Whatever is answered with 500 is in the log, wherever it failed; what a disk refused
// is told as that.
func TestRequests_ThatFailAreLoggedOrTold(t *testing.T) {
	t.Parallel()
	broken := errors.New("the statement is broken")
	for name, c := range map[string]struct {
		err    error
		key    string
		status int
		logged bool
		says   string
	}{
		"a key that can't be claimed": {broken, "k", http.StatusInternalServerError, true, "its log says what"},
		"a handler":                   {broken, "", http.StatusInternalServerError, true, "its log says what"},
		"a key, by the disk":          {syscall.EROFS, "k", http.StatusServiceUnavailable, false, "takes no writes"},
		"a handler, by the disk":      {syscall.EIO, "", http.StatusServiceUnavailable, false, "takes no writes"},
	} {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		r := chi.NewRouter()
		h := rest.New(r, "test", "1", logger)
		h.UseMiddleware(rest.Once(keptNowhere{err: c.err}, func(context.Context) string { return "u" }, logger))
		rest.Register(h, rest.Route{Method: rest.Post, Path: "/apps", Summary: "Make an app", Role: access.Admin}, func(context.Context, *struct{}) (*rest.Reply[string], error) {
			return nil, c.err
		})
		req := httptest.NewRequest(http.MethodPost, "/api/v1/apps", nil)
		req.Header.Set(rest.KeyHeader, c.key)
		answer := httptest.NewRecorder()

		r.ServeHTTP(answer, req)

		logged := strings.Contains(log.String(), "request failed") && strings.Contains(log.String(), c.err.Error()) && strings.Contains(log.String(), "path=/api/v1/apps")
		if answer.Code != c.status || logged != c.logged || !strings.Contains(answer.Body.String(), c.says) {
			t.Errorf("%s: got %d %s and in the log %q", name, answer.Code, answer.Body, &log)
		}
	}
}
