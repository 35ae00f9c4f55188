package images

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aorta/heart/docker"
	"aorta/internal/backoff"
	"aorta/pacemaker/cluster"
)

// Carrier moves images between the engine and the cluster's registry.
type Carrier struct {
	Engine *docker.Engine
	Proxy  *Proxy
	Node   string // for messages
	Log    *slog.Logger
}

// Wanted is an image of an app.
type Wanted struct {
	App   cluster.ID
	Build cluster.ID
	Image cluster.Image
}

// tries is how often a transfer is begun. What is there already does not travel again.
const tries = 4

// Pull fetches an image by its digest in the registry, under the name that it has on
// the builder's engine. Layers that are here are not fetched. The error of one that
// the registry does not have is not_found.
func (c *Carrier) Pull(ctx context.Context, want Wanted, tell func(text string)) error {
	ref, say := c.repository(want.App)+"@"+want.Image.Pushed, &teller{moves: tell, stands: tell}
	err := c.try(ctx, want, false, say, func(ctx context.Context, t *ticket) error {
		m, err := c.manifest(ctx, want) // so it is known before the engine is asked whether it is there
		if err != nil {
			return err
		}
		return c.Engine.Fetch(ctx, ref, t.Credentials, newProgress("pulling", m.sizes(), say.tell).see)
	})
	if err != nil {
		return fmt.Errorf("pull image %s of the cluster's registry to %s: %w", want.Image.Ref, c.Node, err)
	}
	got, err := c.Engine.Image(ctx, ref)
	if errors.Is(err, docker.ErrNoImage) { // another instance's pull of the same has named it since
		got, err = c.Engine.Find(ctx, want.Image)
	}
	if err != nil {
		return err
	}
	if want.Image.ID != "" && !want.Image.Is(got.ID) {
		return cluster.Conflict("image %s came from the cluster's registry as %s, and the release was made with %s: deploy the app again", want.Image.Ref, got.ID, want.Image.ID)
	}
	return c.name(ctx, want, got.ID, ref)
}

// Settle gives an image that is here its name, if it was pulled by who was killed
// before that: without it, nobody would know whose it is.
func (c *Carrier) Settle(ctx context.Context, want Wanted) error {
	if want.Image.Pushed == "" {
		return nil
	}
	ref := c.repository(want.App) + "@" + want.Image.Pushed
	got, err := c.Engine.Image(ctx, ref)
	if errors.Is(err, docker.ErrNoImage) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.name(ctx, want, got.ID, ref)
}

// name gives a pulled image the name that says what it is for, in place of its digest
// in the registry.
func (c *Carrier) name(ctx context.Context, want Wanted, id, ref string) error {
	var err error
	if docker.BuiltHere(want.Image) {
		err = c.Engine.Tag(ctx, id, want.Image.Ref)
	} else {
		err = c.Engine.Mark(ctx, id, want.Build)
	}
	if err == nil {
		err = c.Engine.Untag(ctx, ref)
	}
	if err != nil {
		return fmt.Errorf("name image %s: %w", want.Image.Ref, err)
	}
	return nil
}

// Push sends an image of this engine to the registry and gives it as it is there: with
// the digests that other engines know it by. It tells how far that is, and logs why
// nothing moves.
func (c *Carrier) Push(ctx context.Context, want Wanted, tell, log func(text string)) (cluster.Image, error) {
	name := c.repository(want.App) + ":" + string(want.Build)
	here, err := c.Engine.Find(ctx, want.Image)
	if err == nil {
		err = c.Engine.Tag(ctx, here.ID, name)
	}
	if err != nil {
		return want.Image, err
	}
	defer func() {
		// Also when ctx has ended: the name would keep the image for ever.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := c.Engine.Untag(ctx, name); err != nil {
			c.Log.Warn("a name of a pushed image stays on the engine", "name", name, "err", err)
		}
	}()
	say := &teller{moves: tell, stands: log}
	pushed := want
	err = c.try(ctx, want, true, say, func(ctx context.Context, t *ticket) (err error) {
		pushed.Image.Pushed, err = c.Engine.Push(ctx, name, t.Credentials, newProgress("pushing", nil, say.tell).see)
		if err != nil {
			return err
		}
		m, err := c.manifest(ctx, pushed)
		pushed.Image.Config = m.Config.Digest
		return err
	})
	if err != nil {
		return want.Image, fmt.Errorf("push image %s from %s to the cluster's registry: %w", want.Image.Ref, c.Node, err)
	}
	return pushed.Image, nil
}

// try makes a transfer, again while its failure may pass.
func (c *Carrier) try(ctx context.Context, want Wanted, push bool, say *teller, transfer func(context.Context, *ticket) error) error {
	pauses := backoff.New(time.Second, 10*time.Second)
	for n := 1; ; n++ {
		err := c.once(ctx, want, push, say, transfer)
		if err == nil || ctx.Err() != nil || n == tries || final(err, push) || errors.Is(err, docker.ErrNoSpace) || errors.Is(err, docker.ErrNoImage) {
			return err
		}
		c.Log.Warn("an image's transfer failed; trying again", "image", want.Image.Ref, "push", push, "err", err)
		say.waits(err)
		if !pauses.Pause(ctx) {
			return err
		}
	}
}

func (c *Carrier) once(ctx context.Context, want Wanted, push bool, say *teller, transfer func(context.Context, *ticket) error) error {
	bounded, stop := context.WithCancel(ctx)
	defer stop()
	t := c.Proxy.open(want.App, push, say, stop)
	defer c.Proxy.close(t)
	err := transfer(bounded, t)
	if why := t.why(); err != nil && why != nil && ctx.Err() == nil {
		return why // the engine's words hide it
	}
	return err
}

func (c *Carrier) repository(app cluster.ID) string { return c.Proxy.Address() + "/" + string(app) }
