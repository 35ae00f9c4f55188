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
	s := shelf{}
	return s.serve(tb, s.put(s.image(tb, holds, "amd64")), manifestType) + "/" + repository + ":1"
}

// IndexRegistry serves, as Registry does, an index of an image for machines of each of
// the architectures, as most public images are.
func IndexRegistry(tb testing.TB, repository, holds string) (ref string) {
	tb.Helper()
	s := shelf{}
	var all []any
	for _, arch := range []string{"arm64", "amd64", "s390x"} {
		m := s.image(tb, holds+" for "+arch, arch)
		all = append(all, map[string]any{"mediaType": manifestType, "size": len(m), "digest": s.put(m), "platform": map[string]any{"os": "linux", "architecture": arch}})
	}
	index := s.put(encoded(tb, map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": all}))
	return s.serve(tb, index, indexType) + "/" + repository + ":1"
}

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	indexType    = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// shelf is what a registry has, by its digest.
type shelf map[string][]byte

func (s shelf) put(b []byte) (digest string) {
	digest = fmt.Sprintf("sha256:%x", sha256.Sum256(b))
	s[digest] = b
	return digest
}

// image puts an image's layer and configuration there, and gives its manifest.
func (s shelf) image(tb testing.TB, holds, arch string) []byte {
	tb.Helper()
	plain := layer(tb, holds)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain)
	_ = w.Close()
	config := encoded(tb, map[string]any{
		"architecture": arch, "os": "linux", "config": map[string]any{"Cmd": []string{"/none"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(plain))}},
	})
	return encoded(tb, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": map[string]any{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": s.put(config)},
		"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": packed.Len(), "digest": s.put(packed.Bytes())}},
	})
}

// serve answers for a tag with the manifest of that digest and kind, and gives the
// registry's address.
func (s shelf) serve(tb testing.TB, tagged, kind string) (address string) {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if strings.Contains(r.URL.Path, "/manifests/") {
			if s[last] == nil {
				last = tagged
			}
			if w.Header().Set("Content-Type", manifestType); last == tagged {
				w.Header().Set("Content-Type", kind)
			}
			w.Header().Set("Docker-Content-Digest", last)
		}
		if r.URL.Path != "/v2/" && s[last] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(s[last])))
		_, _ = w.Write(s[last])
	}))
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

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
