package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// partSize is that of each blob whose memory is measured, in megabytes.
const partSize = 128

// memory fills the registry, takes all of it at once, and says by how much the
// pacemaker's end has grown at most.
func (r *rig) memory(ctx context.Context, stock int) error {
	var digests []string
	for range max(1, stock/partSize) {
		content := make([]byte, partSize*megabyte)
		_, _ = rand.Read(content)
		if err := r.blob(ctx, content); err != nil {
			return err
		}
		digests = append(digests, digestOf(content))
	}
	before, err := r.peak(true)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := r.takeAll(ctx, digests); err != nil {
		return err
	}
	took := time.Since(start)
	after, err := r.peak(false)
	if err != nil {
		return err
	}
	all := len(digests) * partSize
	fmt.Printf("%d MB in the registry, all taken at once by %d transfers\n", all, len(digests))
	row("pace", "%.0f MB/s", float64(all)/took.Seconds())
	row("memory of the pacemaker's end", "%d MB before, %d MB at most: %d MB more", before/megabyte, after/megabyte, (after-before)/megabyte)
	return nil
}

func (r *rig) takeAll(ctx context.Context, digests []string) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, digest := range digests {
		all.Go(func() error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.repository()+"/blobs/"+digest, nil)
			if err != nil {
				return err
			}
			resp, err := r.node.Registry(req)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			n, err := io.Copy(io.Discard, resp.Body)
			if err == nil && n != partSize*megabyte {
				err = fmt.Errorf("got %d bytes of %s: %s", n, digest, resp.Status)
			}
			return err
		})
	}
	return all.Wait()
}

// peak is the most memory that the pacemaker's end has had, in bytes, since it was
// last asked anew.
func (r *rig) peak(anew bool) (int, error) {
	proc := "/proc/" + strconv.Itoa(r.server.Process.Pid)
	if anew {
		if err := os.WriteFile(proc+"/clear_refs", []byte("5"), 0); err != nil {
			return 0, err
		}
	}
	raw, err := os.ReadFile(proc + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("%s/status has no VmHWM", proc)
}
