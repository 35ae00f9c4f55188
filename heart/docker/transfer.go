package docker

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// Credentials let an engine in to a registry.
type Credentials struct{ User, Password string }

func (c Credentials) header() (string, error) {
	return authconfig.Encode(registry.AuthConfig{Username: c.User, Password: c.Password})
}

// LayerState is how far the transfer of a layer is.
type LayerState int

// The states of a layer's transfer.
const (
	LayerWaits LayerState = iota
	LayerMoves
	LayerDone
	LayerThere // it is where it is to be, and was before
)

// Layer is one of an image's, on its way. Bytes are those that travel in a pull, and
// those of its content in a push.
type Layer struct {
	ID    string // the first digits of its digest, or another short name
	State LayerState
	Bytes int64
	Total int64 // 0: not known
}

// Fetch pulls an image from a registry, and tells how far each layer is.
func (e *Engine) Fetch(ctx context.Context, ref string, who Credentials, tell func(Layer)) error {
	auth, err := who.header()
	if err != nil {
		return err
	}
	err = e.call(ctx, "pull "+ref, pullTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: auth})
		if err != nil {
			return err
		}
		return eachLayer(r.JSONMessages(ctx), tell, nil)
	})
	return e.located(ctx, err)
}

// located names the path of a full disk, and what is free there.
func (e *Engine) located(ctx context.Context, err error) error {
	if !errors.Is(err, ErrNoSpace) {
		return err
	}
	info, failed := e.Info(ctx)
	if failed != nil {
		return err
	}
	return disk.FullAt(info.RootDir, err)
}

// Push sends an image to the registry that its name is of, tells how far each layer
// is, and gives the digest of its manifest.
func (e *Engine) Push(ctx context.Context, ref string, who Credentials, tell func(Layer)) (digest string, err error) {
	auth, err := who.header()
	if err != nil {
		return "", err
	}
	err = e.call(ctx, "push "+ref, pullTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImagePush(ctx, ref, client.ImagePushOptions{RegistryAuth: auth})
		if err != nil {
			return err
		}
		return eachLayer(r.JSONMessages(ctx), tell, func(status string) {
			if said, is := pushedDigest(status); is {
				digest = said
			}
		})
	})
	if err == nil && !cluster.IsDigest(digest) {
		err = errors.New("the engine has pushed " + ref + ", and does not say under which digest")
	}
	return digest, err
}

// pushedDigest reads the digest out of the last line of a push, "TAG: digest: DIGEST size:
// BYTES": all that an engine says of it which keeps images in containerd.
func pushedDigest(status string) (string, bool) {
	_, said, is := strings.Cut(status, ": digest: ")
	digest, _, whole := strings.Cut(said, " size: ")
	return digest, is && whole && cluster.IsDigest(digest)
}

// eachLayer reads what the engine says of a transfer, until its end; other gets what it
// says of no layer, unless it is nil.
func eachLayer(messages iter.Seq2[jsonstream.Message, error], tell func(Layer), other func(status string)) error {
	for m, err := range messages {
		switch {
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		case m.ID == "" && other != nil:
			other(m.Status)
		case m.ID != "":
			if l, ok := layerOf(m); ok {
				tell(l)
			}
		}
	}
	return nil
}

// layerOf reads a message about a layer; the engine has other ones with an id too,
// such as that of an image.
func layerOf(m jsonstream.Message) (Layer, bool) {
	l := Layer{ID: m.ID}
	if m.Progress != nil {
		l.Bytes, l.Total = m.Progress.Current, max(m.Progress.Total, 0)
	}
	switch status := m.Status; {
	case status == "Pulling fs layer", status == "Waiting", status == "Preparing":
		return l, true
	case status == "Downloading", status == "Pushing":
		l.State = LayerMoves
		return l, true
	case status == "Download complete", status == "Verifying Checksum", status == "Extracting", status == "Pull complete", status == "Pushed":
		return Layer{ID: m.ID, State: LayerDone}, true
	case status == "Already exists", status == "Layer already exists", strings.HasPrefix(status, "Mounted from"):
		return Layer{ID: m.ID, State: LayerThere}, true
	}
	return l, false
}

// Untag takes a name, or a digest of a registry, from an image that keeps another
// one. Without it already, nothing changes.
func (e *Engine) Untag(ctx context.Context, name string) error {
	err := e.removeNames(ctx, []string{name})
	if errors.Is(err, ErrNoImage) {
		return nil
	}
	return err
}
