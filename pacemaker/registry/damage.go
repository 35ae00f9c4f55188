package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"aorta/pacemaker/cluster"
)

// A disk may rot, or a power cut leave a file short. What is served whole is compared
// with its digest on the way; what is not that is removed, so that the next push sends
// it again: the library takes what is there for whole, also when it is sent.

// read serves who takes something, if all of it is there and is what it should be.
func (r *Registry) read(w http.ResponseWriter, req *http.Request) {
	ask, err := cluster.ParseRegistryRequest(req.Method, req.URL.Path, req.Form)
	if err != nil {
		r.app.ServeHTTP(w, req)
		return
	}
	digest, links := ask.Blob, r.layers(ask.App)
	if ask.Manifest != "" {
		digest, links = ask.Manifest, r.revisions(ask.App)
		r.dropDamaged(digest) // it is small
	}
	if hex := hexOf(digest); hex != "" && r.lost(filepath.Join(links, hex), digest) {
		Refuse(w, http.StatusNotFound, cluster.NotFound("%s is lost from the registry: it was damaged on the disk, or is gone from %s", digest, r.data(digest)))
		return
	}
	answer := &compared{ResponseWriter: w, sum: sha256.New(), want: hexOf(ask.Blob)}
	r.app.ServeHTTP(answer, req)
	if answer.differs() {
		r.dropDamaged(digest)
		panic(http.ErrAbortHandler) // who takes it has no whole one, and asks again
	}
}

// lost says that a repository should have a blob, by the directory of its link there,
// and has it no more.
func (r *Registry) lost(link, digest string) bool {
	raw, err := os.ReadFile(filepath.Join(link, "link"))
	if err == nil && string(raw) != digest {
		r.removed(link, os.RemoveAll(link)) // a push makes it again
		return true
	}
	if err != nil {
		return false
	}
	_, err = os.Stat(r.data(digest))
	return errors.Is(err, fs.ErrNotExist)
}

// compared is an answer with a whole blob. Its last bytes are held back unless all of
// it has proved to be the blob.
type compared struct {
	http.ResponseWriter
	sum  hash.Hash
	want string // hexadecimal; "": the answer is no blob

	whole bool
	left  int64 // bytes to come
}

// WriteHeader is part of http.ResponseWriter.
func (c *compared) WriteHeader(status int) {
	size, err := strconv.ParseInt(c.Header().Get("Content-Length"), 10, 64)
	c.whole, c.left = c.want != "" && status == http.StatusOK && err == nil, size
	c.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (c *compared) Write(p []byte) (int, error) {
	if c.whole {
		c.left -= int64(len(p))
		_, _ = c.sum.Write(p)
		if c.differs() {
			return 0, errDamaged
		}
	}
	return c.ResponseWriter.Write(p)
}

var errDamaged = errors.New("the blob is damaged")

// differs says that all has come, and is something else than the blob.
func (c *compared) differs() bool {
	return c.whole && c.left <= 0 && hex.EncodeToString(c.sum.Sum(nil)) != c.want
}

// dropDamaged removes a blob, unless it is whole: somebody may have sent it again.
func (r *Registry) dropDamaged(digest string) {
	dir := r.blob(digest)
	if dir == "" || intact(r.data(digest), digest) {
		return
	}
	r.sweeping.Lock() // no push relies on it from here on
	defer r.sweeping.Unlock()
	if intact(r.data(digest), digest) {
		return
	}
	r.removed(r.data(digest), os.RemoveAll(dir))
}

// Verify reads all that an app's repository has, and removes what is damaged: who has
// found one such blob may not have come to the next.
func (r *Registry) Verify(ctx context.Context, app cluster.ID) error {
	for _, dir := range []string{r.revisions(app), r.layers(app)} {
		names, err := within(dir)
		if err != nil {
			return fmt.Errorf("list what the registry has of app %s: %w", app, err)
		}
		for _, hex := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.dropDamaged(algorithm + ":" + hex)
		}
	}
	return nil
}

func (r *Registry) removed(path string, err error) {
	r.damaged.Add(1)
	r.cfg.Log.Error("a file of the registry is damaged, and was removed: who needs it next has it sent again", "file", path, "err", err)
}

// Damaged is how many blobs were found damaged since the registry was opened.
func (r *Registry) Damaged() int64 { return r.damaged.Load() }

// intact says that a file has what its digest says. One that is gone, or can't be
// read, is not judged.
func intact(path, digest string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return true
	}
	return hex.EncodeToString(sum.Sum(nil)) == hexOf(digest)
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return algorithm + ":" + hex.EncodeToString(sum[:])
}
