package cluster

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// Image names an image for people, for the engine of its builder, for the registry
// that it came from, for the cluster's own, and for other engines.
type Image struct {
	Ref    string // what was asked for, or the tag a build made
	ID     string // "sha256:…", the id that its builder's engine has for it
	Digest string // "sha256:…" of the manifest, when it came from a registry
	Size   int64  // bytes
	Pushed string // "sha256:…" of its manifest in the cluster's registry; empty: it is not there
	Arch   string // that it runs on, such as amd64; empty: not known
	Config string // "sha256:…" of the configuration that the manifest names; empty: not known
}

// IDs are those that an engine may have the image under. One that keeps images itself
// calls it by its configuration, one that leaves them to containerd by the manifest
// that it got; the builder's is the first.
func (i Image) IDs() []string {
	var ids []string
	for _, id := range []string{i.ID, i.Pushed, i.Config, i.Digest} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Is says that an engine's image of this id is this one.
func (i Image) Is(id string) bool { return slices.Contains(i.IDs(), id) }

// Pinned is the reference by which a registry gives this image and no other: the
// repository of Ref at Digest. Without a digest it is Ref.
func (i Image) Pinned() (string, error) {
	if i.Digest == "" {
		return i.Ref, nil
	}
	name, err := parseImageName("image", i.Ref)
	if err != nil {
		return "", err
	}
	pinned, err := reference.ParseNormalizedNamed(name.Name() + "@" + i.Digest)
	if err != nil {
		return "", Invalid("image", "%q is not the digest of an image (%v): deploy image %s again", Clip(i.Digest), err, Clip(i.Ref))
	}
	return reference.FamiliarString(pinned), nil
}

// maxImageRef is more than a repository, a tag and a digest have together.
const maxImageRef = 512

// ValidateImageRef checks what a person may deploy: a repository with a tag or a
// digest or neither, or the engine's own id of an image.
func ValidateImageRef(field, ref string) error {
	if _, err := parseImageName(field, ref); err != nil {
		if _, isID := reference.ParseAnyReference(ref); isID == nil && len(ref) <= maxImageRef {
			return nil
		}
		return err
	}
	return nil
}

// DigestIn finds the digest of an image among its names in registries, each of
// the form name@digest: that of the repository which ref names, since another
// registry may have the image under another one. It gives "" when there is none.
func DigestIn(names []string, ref string) string {
	want, err := parseImageName("image", ref)
	if err != nil {
		return ""
	}
	for _, n := range names {
		name, err := parseImageName("image", n)
		if digested, ok := name.(reference.Digested); err == nil && ok && name.Name() == want.Name() {
			return digested.Digest().String()
		}
	}
	return ""
}

// IsDigest says that a text is the digest of a manifest, such as "sha256:…".
func IsDigest(text string) bool {
	hex, ok := strings.CutPrefix(text, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

func parseImageName(field, ref string) (reference.Named, error) {
	if len(ref) > maxImageRef {
		return nil, Invalid(field, "%q is too long for an image reference: give one such as registry.example.com/shop:1.2", Clip(ref))
	}
	name, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, Invalid(field, "%q is not an image reference (%v): give one such as registry.example.com/shop:1.2", Clip(ref), err)
	}
	return name, nil
}
