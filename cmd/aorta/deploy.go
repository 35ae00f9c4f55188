package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

// deployFrom is what to deploy: exactly one of dir, image and archive.
type deployFrom struct {
	dir, image, archive string
	message             string
}

func deployCommand(s *session) *cobra.Command {
	var from deployFrom
	cmd := &cobra.Command{
		Use: "deploy [DIR] | --image REF | --archive FILE", Short: "Deploy a directory, an image or a tar", Args: takes("[DIR]"),
		Example: "  aorta deploy . -a shop\n  aorta deploy --image registry.example.com/shop:2 -a shop",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			if err := from.resolve(args); err != nil {
				return err
			}
			work, err := s.startDeploy(ctx, api, app, from)
			if err != nil {
				return err
			}
			return s.follow(ctx, api, work, func() { s.printServing(ctx, api, app) })
		}),
	}
	cmd.Flags().StringVar(&from.image, "image", "", "image to deploy, such as registry.example.com/shop:2")
	cmd.Flags().StringVar(&from.archive, "archive", "", "tar or gzipped tar to build, or - for stdin")
	cmd.Flags().StringVarP(&from.message, "message", "m", "", "message shown in the list of releases")
	return startsWork(s, cmd)
}

// resolve uses the argument as the directory, and the current directory if
// nothing is given.
func (from *deployFrom) resolve(args []string) error {
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
		return usagef("give only one of a directory, --image and --archive")
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
	s.err.line("uploading %d files from %s", len(files.paths), from.dir)
	if left := files.leftOut(); left != "" {
		s.err.line("left out, since they are no files: %s", left)
	}
	about := headOf(ctx, files.root)
	return api.DeployArchive(ctx, app, client.Archive{
		Gzip: true, Message: cmp.Or(from.message, about.message), Author: about.author,
		Open: func() (io.ReadCloser, error) { return files.open(), nil },
	})
}

// head is what a working copy is of.
type head struct{ message, author string }

// headOf reads the newest commit of a directory; of one outside of any repository,
// nothing is known.
func headOf(ctx context.Context, dir string) head {
	said, err := gitIn(ctx, dir, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%n%s")
	if err != nil {
		return head{}
	}
	author, subject, _ := strings.Cut(strings.TrimSpace(said), "\n")
	h := head{message: clipTo(subject, maxNote), author: clipTo(author, maxNote)}
	if changes, err := gitIn(ctx, dir, "status", "--porcelain", "--", "."); err == nil && strings.TrimSpace(changes) != "" {
		h.message += " (with changes that are not committed)"
	}
	return h
}

// maxNote is how much of a commit is sent along, in characters.
const maxNote = 120

func clipTo(text string, most int) string {
	if all := []rune(text); len(all) > most {
		return string(all[:most-1]) + "…"
	}
	return text
}

// archive opens a tar and detects whether it is gzipped.
func (s *session) archive(name string) (client.Archive, error) {
	if name == "-" {
		in := bufio.NewReader(s.in)
		taken := false
		return client.Archive{Gzip: gzipped(in), Open: func() (io.ReadCloser, error) {
			if taken {
				return nil, errors.New("the upload was interrupted, and an archive from stdin can't be read twice; run the command again")
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

// printServing prints the current release and its URL.
func (s *session) printServing(ctx context.Context, api *client.Client, app string) {
	a, err := api.App(ctx, app)
	if err != nil {
		s.err.line("%s", fmt.Sprintf("deployed %s", app))
		return
	}
	serves := a.Severity != "bad" && (a.State == "serving" || a.State == "deploying")
	if a.URL != "" && !serves {
		s.err.line("%s %s is deployed: %s", app, clean(a.Release), clean(a.Verdict))
		return
	}
	if a.URL != "" {
		s.err.line("%s %s serves at %s", app, clean(a.Release), clean(a.URL))
		return
	}
	s.err.line("%s %s is deployed; it has no web process, so no address", app, clean(a.Release))
	if a.Wanted == 0 {
		s.err.line("no process runs yet; start one by its type, such as: aorta ps scale worker=1 -a %s", app)
	}
}
