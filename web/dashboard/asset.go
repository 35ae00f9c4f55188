package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// asset is one file in the forms that it is served in.
type asset struct {
	kind  string // media type
	tag   string // of the plain form, without quotes
	forms map[string][]byte
}

// codings are the forms a file may have, the smallest first; the plain one has
// no name.
var codings = []string{"br", "gzip", ""}

// suffixes name the compressed files beside a plain one.
var suffixes = map[string]string{".br": "br", ".gz": "gzip"}

// kinds are the media types of what a build may hold. What is not here is not
// served: guessing a type is how text becomes code.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

func newAsset(kind string, plain []byte) *asset {
	sum := sha256.Sum256(plain)
	return &asset{kind: kind, tag: hex.EncodeToString(sum[:12]), forms: map[string][]byte{"": plain}}
}

// serve answers with the smallest form that the client takes, or with 304.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, status int) {
	coding := a.choose(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Type", a.kind)
	if len(a.forms) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	tag := a.etag(coding)
	h.Set("ETag", tag)
	if status == http.StatusOK && matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.forms[coding]
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}

// etag differs by form, since a strong one stands for the very bytes.
func (a *asset) etag(coding string) string {
	if coding != "" {
		return `"` + a.tag + "-" + coding + `"`
	}
	return `"` + a.tag + `"`
}

func (a *asset) choose(accept string) string {
	taken := accepted(accept)
	for _, coding := range codings {
		if _, have := a.forms[coding]; have && (coding == "" || taken[coding]) {
			return coding
		}
	}
	return ""
}

// accepted reads Accept-Encoding as a set; how much a client likes each is not
// asked, since the smaller form is the better for both.
func accepted(header string) map[string]bool {
	taken := map[string]bool{}
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		name, weight, _ := strings.Cut(strings.TrimSpace(params), "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		refused := strings.EqualFold(strings.TrimSpace(name), "q") && (err != nil || q == 0)
		taken[strings.ToLower(strings.TrimSpace(coding))] = !refused
	}
	return taken
}

// matches tells whether a client already has the form with this tag.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		given := strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if given == tag || given == "*" {
			return true
		}
	}
	return false
}
