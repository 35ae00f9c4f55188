package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func imagesCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "images", Short: "List images of nodes and registry, and what becomes of each",
		RunE: s.onCluster(s.listImages),
	}
	dryRun := false
	prune := startsWork(s, &cobra.Command{
		Use: "prune", Short: "Remove the images that nothing needs now, not later", Args: takes(),
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			if dryRun {
				return s.showPrune(ctx, api)
			}
			return s.pruneImages(ctx, api)
		}),
	})
	prune.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be removed, and remove nothing")
	cmd.AddCommand(prune)
	return cmd
}

func (s *session) listImages(ctx context.Context, api *client.Client, _ []string) error {
	images, err := client.Collect(api.Images(ctx, s.imagesApp()), -1)
	if err != nil {
		return err
	}
	newestFirst(images)
	if err := s.printImages(images, "no images yet, or no node has reported them in the last minute"); err != nil || s.imagesApp() != "" {
		return err
	}
	held, err := api.Registry(ctx)
	if err == nil && held.Images > 0 {
		s.err.line("the registry holds %s, %s on the pacemaker's disk", count(held.Images, "image"), megabytes(held.Size))
	}
	return err
}

func newestFirst(images []wire.Image) {
	slices.SortStableFunc(images, func(a, b wire.Image) int { return b.CreatedAt.Compare(a.CreatedAt) })
}

// imagesApp is the app that a person named, and none that a repository does:
// images are looked at for the whole cluster as a rule.
func (s *session) imagesApp() string {
	if s.flags.app != "" {
		return s.flags.app
	}
	return s.p.Getenv("AORTA_APP")
}

func (s *session) printImages(images []wire.Image, none string) error {
	if s.flags.json {
		return list(s.out, images)
	}
	spare := []string{"IMAGE", "NODE"}
	if slices.ContainsFunc(images, func(i wire.Image) bool { return i.Node != images[0].Node }) {
		spare = spare[:1]
	}
	t := s.out.newTable("APP", "RELEASES", "IMAGE", "SIZE", "CREATED", "NODE", "STATE", "BECAUSE").onlyWide(spare...).withoutNames()
	for _, i := range images {
		t.row(orText(i.App, "-"), releasesText(i.Releases), shortImage(i.ID), megabytes(i.Size), age(s.p.Now(), i.CreatedAt), i.Node, imageState(i), i.Because)
	}
	return t.print(none)
}

func imageState(i wire.Image) string {
	switch {
	case i.Collect:
		return "to be removed"
	case i.InUse:
		return "in use"
	}
	return "kept"
}

// releasesText names a few releases, the newest ones.
func releasesText(labels []string) string {
	const few = 3
	if len(labels) == 0 {
		return "-"
	}
	text := strings.Join(labels[:min(few, len(labels))], " ")
	if more := len(labels) - few; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

func shortImage(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}

// megabytes is a size as `docker images` has it, in powers of 1000.
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// showPrune prints what a removal would remove.
func (s *session) showPrune(ctx context.Context, api *client.Client) error {
	images, err := client.Collect(api.Images(ctx, s.imagesApp()), -1)
	if err != nil {
		return err
	}
	newestFirst(images)
	images = slices.DeleteFunc(images, func(i wire.Image) bool { return !i.Collect })
	var sum int64
	for _, i := range images {
		sum += i.Size
	}
	if err := s.printImages(images, "nothing would be removed"); err != nil {
		return err
	}
	s.err.line("%s, %s at most: what images share stays while one of them does", count(len(images), "image"), megabytes(sum))
	return nil
}

// pruneImages removes what nothing needs, and prints what that was.
func (s *session) pruneImages(ctx context.Context, api *client.Client) error {
	work, err := api.PruneImages(ctx, s.imagesApp())
	if err != nil {
		return err
	}
	if work.Job == "" {
		work.Message = "nothing to remove"
	}
	return s.follow(ctx, api, work, func() {
		if s.flags.json {
			return
		}
		log, err := api.JobLog(ctx, work.Job)
		if err != nil {
			s.err.line("what was removed can't be shown: %v", err)
		}
		for _, l := range log {
			s.out.line("%s", s.out.cleanLog(l.Text))
		}
	})
}
