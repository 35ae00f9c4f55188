package images

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"aorta/pacemaker/cluster"
)

// kinds are those of manifests that engines push and pull.
var kinds = []string{
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json",
}

// maxManifest bounds a manifest, in bytes, as the registry does.
const maxManifest = 4 << 20

// manifest is what there is of an image in the registry: its configuration and its
// layers, or, of an index, the manifests of its images for each kind of machine.
type manifest struct {
	Config    struct{ Digest string }
	Layers    []layer
	Manifests []struct {
		Digest   string
		Platform struct{ OS, Architecture string }
	}
}

type layer struct {
	Digest string
	Size   int64
}

// manifest asks the registry for that of an image. An engine that leaves images to
// containerd pushes an index, of which this gives what the image's machines take.
func (c *Carrier) manifest(ctx context.Context, want Wanted) (manifest, error) {
	m, err := c.read(ctx, want, want.Image.Pushed)
	if err != nil || len(m.Manifests) == 0 {
		return m, err
	}
	return c.read(ctx, want, m.of(want.Image.Arch))
}

// of is the digest of an index' manifest for machines of an architecture; of the first
// for any when that is not known. What only says how the image was made is for none.
func (m manifest) of(arch string) string {
	for _, one := range m.Manifests {
		if p := one.Platform; p.OS != "unknown" && (arch == "" || p.Architecture == arch) {
			return one.Digest
		}
	}
	return m.Manifests[0].Digest
}

func (c *Carrier) read(ctx context.Context, want Wanted, digest string) (m manifest, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cluster.RegistryPath+string(want.App)+"/manifests/"+digest, nil)
	if err != nil {
		return m, fmt.Errorf("ask for the manifest of %s: %w", want.Image.Ref, err)
	}
	req.Header["Accept"] = kinds
	resp, err := c.Proxy.up.Registry(req)
	if err != nil {
		return m, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return m, refusal(resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxManifest)).Decode(&m); err != nil {
		return m, fmt.Errorf("read the manifest of %s: %w", want.Image.Ref, err)
	}
	return m, nil
}

// shortID is how many digits of a digest the engine calls a layer by.
const shortID = 12

// sizes are the layers' sizes, in bytes, by the names that the engine has for them.
func (m manifest) sizes() map[string]int64 {
	sizes := map[string]int64{}
	for _, l := range m.Layers {
		if hex := strings.TrimPrefix(l.Digest, "sha256:"); len(hex) > shortID {
			sizes[hex[:shortID]] = l.Size
		}
	}
	return sizes
}
