package rig

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Registry serves one image under any name and tag, as the engine pulls it from a
// registry at 127.0.0.1, and gives the reference of it. The image runs a program
// that is not in it. It differs from those of other tests by what it holds.
func Registry(tb testing.TB, repository, holds string) (ref string) {
	tb.Helper()
	blobs := map[string][]byte{}
	put := func(b []byte) string {
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(b))
		blobs[digest] = b
		return digest
	}
	plain := layer(tb, holds)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain)
	_ = w.Close()
	config := encoded(tb, map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{"Cmd": []string{"/none"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(plain))}},
	})
	manifest := encoded(tb, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": map[string]any{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": put(config)},
		"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": packed.Len(), "digest": put(packed.Bytes())}},
	})
	digest := put(manifest)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", manifestType)
			w.Header().Set("Docker-Content-Digest", digest)
			last = digest
		}
		if r.URL.Path != "/v2/" && blobs[last] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(blobs[last])))
		_, _ = w.Write(blobs[last])
	}))
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/" + repository + ":1"
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json"

func layer(tb testing.TB, holds string) []byte {
	tb.Helper()
	var plain bytes.Buffer
	t := tar.NewWriter(&plain)
	if err := t.WriteHeader(&tar.Header{Name: "holds", Mode: 0o644, Size: int64(len(holds))}); err != nil {
		tb.Fatal(err)
	}
	_, _ = t.Write([]byte(holds))
	if err := t.Close(); err != nil {
		tb.Fatal(err)
	}
	return plain.Bytes()
}

func encoded(tb testing.TB, v any) []byte {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
