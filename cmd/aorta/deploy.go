package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

// deployFrom is what is to be deployed: exactly one of dir, image, archive.
type deployFrom struct {
	dir, image, archive string
	message             string
}

func deployCommand(s *session) *cobra.Command {
	var from deployFrom
	cmd := &cobra.Command{
		Use: "deploy [DIR] | --image REF | --archive FILE", Short: "Deploy a directory, an image or a tar", Args: cobra.MaximumNArgs(1),
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			if err := from.settle(args); err != nil {
				return err
			}
			work, err := s.startDeploy(ctx, api, app, from)
			if err != nil {
				return err
			}
			return s.follow(ctx, api, work, func() { s.sayServing(ctx, api, app) })
		}),
	}
	cmd.Flags().StringVar(&from.image, "image", "", "image to deploy, such as registry.example.com/shop:2")
	cmd.Flags().StringVar(&from.archive, "archive", "", "tar or gzipped tar to build, or - for the input")
	cmd.Flags().StringVarP(&from.message, "message", "m", "", "what this release is about")
	return startsWork(s, cmd)
}

// settle takes the argument as the directory, and the present one when nothing
// is named.
func (from *deployFrom) settle(args []string) error {
	named := 0
	for _, v := range []string{from.image, from.archive} {
		if v != "" {
			named++
		}
	}
	if len(args) > 0 {
		from.dir = args[0]
		named++
	}
	switch {
	case named > 1:
		return usagef("a deploy is of one thing: a directory, --image or --archive")
	case named == 0:
		from.dir = "."
	}
	return nil
}

func (s *session) startDeploy(ctx context.Context, api *client.Client, app string, from deployFrom) (wire.Accepted, error) {
	switch {
	case from.image != "":
		return api.DeployImage(ctx, app, wire.Deploy{Image: from.image, Message: from.message})
	case from.archive != "":
		tar, err := s.archive(from.archive)
		if err != nil {
			return wire.Accepted{}, err
		}
		tar.Message = from.message
		return api.DeployArchive(ctx, app, tar)
	}
	files, err := listSource(ctx, s.path(from.dir))
	if err != nil {
		return wire.Accepted{}, err
	}
	s.err.line("sending %d files of %s", len(files.paths), from.dir)
	return api.DeployArchive(ctx, app, client.Archive{
		Gzip: true, Message: from.message,
		Open: func() (io.ReadCloser, error) { return files.open(), nil },
	})
}

// archive opens a tar and looks whether it is gzipped.
func (s *session) archive(name string) (client.Archive, error) {
	if name == "-" {
		in := bufio.NewReader(s.in)
		taken := false
		return client.Archive{Gzip: gzipped(in), Open: func() (io.ReadCloser, error) {
			if taken {
				return nil, errors.New("the archive from the input was sent in part and can't be read twice; deploy it again")
			}
			taken = true
			return io.NopCloser(in), nil
		}}, nil
	}
	name = s.path(name)
	f, err := os.Open(name)
	if err != nil {
		return client.Archive{}, usagef("open the archive: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return client.Archive{}, usagef("%s is a directory: aorta deploy %s", name, name)
	}
	return client.Archive{Gzip: gzipped(bufio.NewReader(f)), Open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
}

func gzipped(r *bufio.Reader) bool {
	head, err := r.Peek(2)
	return err == nil && head[0] == 0x1f && head[1] == 0x8b
}

// sayServing names the release that serves now, and where.
func (s *session) sayServing(ctx context.Context, api *client.Client, app string) {
	a, err := api.App(ctx, app)
	if err != nil {
		s.err.line("%s", fmt.Sprintf("%s is deployed", app))
		return
	}
	s.err.line("%s %s serves at %s", app, clean(a.Release), clean(a.URL))
}
