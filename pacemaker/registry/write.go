package registry

import (
	"errors"
	"io"
	"net/http"

	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// write serves what adds to the registry: nothing is begun without room on the
// disk, and one that fills up is named.
func (r *Registry) write(w http.ResponseWriter, req *http.Request) {
	body := &watched{ReadCloser: req.Body, dir: r.cfg.Dir}
	if err := body.check(); err != nil {
		Refuse(w, http.StatusInsufficientStorage, err)
		return
	}
	req.Body = body
	if req.Method != http.MethodPatch { // which adds bytes, and no blob
		r.sweeping.RLock()
		defer r.sweeping.RUnlock()
	}
	answer := &verdict{ResponseWriter: w, why: body.room}
	r.app.ServeHTTP(answer, req)
	if ask, err := cluster.ParseRegistryRequest(req.Method, req.URL.Path, req.Form); err == nil {
		r.touch(ask.App, req.Form.Get("mount"))
	}
}

// checkEvery is how many bytes are taken in between two looks at the disk.
const checkEvery = 8 << 20

// watched is a body that ends when the disk has no room to spare for it. The last
// bytes are for the pacemaker's state.
type watched struct {
	io.ReadCloser
	dir  string
	left int // bytes until the next look
	full error
}

func (b *watched) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if err := b.check(); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}

func (b *watched) check() error {
	b.left = checkEvery
	spare, err := disk.Spare(b.dir)
	if err == nil && spare == 0 {
		b.full = disk.FullAt(b.dir, nil)
		return b.full
	}
	return nil // a disk that can't be asked says itself what it lacks
}

// room is why nothing can be written; nil when it can.
func (b *watched) room() error {
	if err := errors.Join(b.full, b.check()); err != nil {
		return err
	}
	if refused := disk.Try(b.dir); disk.Refused(refused) {
		return disk.Explain(b.dir, refused)
	}
	return nil
}

// verdict names the full disk in place of an answer that something failed.
type verdict struct {
	http.ResponseWriter
	why      func() error
	replaced bool
}

// WriteHeader is part of http.ResponseWriter.
func (v *verdict) WriteHeader(status int) {
	if status >= http.StatusInternalServerError {
		if err := v.why(); err != nil {
			v.replaced = true
			Refuse(v.ResponseWriter, http.StatusInsufficientStorage, err)
			return
		}
	}
	v.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (v *verdict) Write(p []byte) (int, error) {
	if v.replaced {
		return len(p), nil
	}
	return v.ResponseWriter.Write(p)
}
