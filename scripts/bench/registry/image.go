package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/pacemaker/cluster"
)

const (
	manifestKind = "application/vnd.docker.distribution.manifest.v2+json"
	configKind   = "application/vnd.docker.container.image.v1+json"
	layerKind    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// image puts an image with one layer into the registry that can't be packed.
func (r *rig) image(ctx context.Context, megabytes int) (images.Wanted, error) {
	build := cluster.NewID()
	plain, packed, err := layer(megabytes)
	if err != nil {
		return images.Wanted{}, err
	}
	config := encoded(map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{"Cmd": []string{"/file"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(plain)}},
	})
	manifest := encoded(map[string]any{
		"schemaVersion": 2, "mediaType": manifestKind, "config": described(config, configKind), "layers": []any{described(packed, layerKind)},
	})
	for _, blob := range [][]byte{packed, config} {
		if err := r.blob(ctx, blob); err != nil {
			return images.Wanted{}, err
		}
	}
	if _, err := r.send(ctx, http.MethodPut, "http://"+r.at.Bare+r.repository()+"/manifests/"+string(build), manifest, manifestKind); err != nil {
		return images.Wanted{}, err
	}
	return images.Wanted{App: r.app, Build: build, Image: cluster.Image{
		Ref: docker.BuiltPrefix + "bench:" + string(build), ID: digestOf(config), Pushed: digestOf(manifest),
	}}, nil
}

// layer is one with a file of random bytes, as it is and as it is sent.
func layer(megabytes int) (plain, packed []byte, err error) {
	content := make([]byte, megabytes*megabyte)
	_, _ = rand.Read(content)
	var text, sent bytes.Buffer
	archive := tar.NewWriter(&text)
	if err := archive.WriteHeader(&tar.Header{Name: "file", Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, nil, err
	}
	if _, err := archive.Write(content); err != nil {
		return nil, nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, nil, err
	}
	packer := gzip.NewWriter(&sent)
	if _, err := packer.Write(text.Bytes()); err != nil {
		return nil, nil, err
	}
	err = packer.Close()
	return text.Bytes(), sent.Bytes(), err
}

func (r *rig) repository() string { return cluster.RegistryPath + string(r.app) }

// blob sends one by way of the bare registry.
func (r *rig) blob(ctx context.Context, content []byte) error {
	to, err := r.send(ctx, http.MethodPost, "http://"+r.at.Bare+r.repository()+"/blobs/uploads/", nil, "")
	if err != nil {
		return err
	}
	_, err = r.send(ctx, http.MethodPut, to+"&digest="+digestOf(content), content, "application/octet-stream")
	return err
}

// send makes a request that adds to the registry, and gives where it goes on.
func (r *rig) send(ctx context.Context, method, url string, body []byte, kind string) (next string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return "", fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return resp.Header.Get("Location"), nil
}

func described(content []byte, kind string) map[string]any {
	return map[string]any{"mediaType": kind, "digest": digestOf(content), "size": len(content)}
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func encoded(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // text and numbers: it can't fail
	}
	return raw
}
