package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"aorta/internal/testkit/lab"
)

func load(ctx context.Context, dir string, args []string) error {
	flags := newFlags("load")
	rate := flags.String("rate", "200/s", "")
	span := flags.Duration("for", 30*time.Second, "")
	via := flags.String("via", "", "")
	post := flags.Bool("post", false, "")
	path := flags.String("path", "", "")
	says := flags.String("says", "", "")
	words, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return err
	}
	d := lab.Load{App: words[0], For: *span, Post: *post, Path: *path, Plain: true, Says: *says}
	if d.Rate, err = strconv.Atoi(strings.TrimSuffix(*rate, "/s")); err != nil {
		return fmt.Errorf("%w: --rate %q is not like 200/s", errUsage, *rate)
	}
	for name := range strings.SplitSeq(*via, ",") {
		if name == "" {
			continue
		}
		h, err := l.Host(name)
		if err != nil {
			return err
		}
		d.Via = append(d.Via, h)
	}
	tally, err := d.Run(ctx, l)
	if err != nil {
		return err
	}
	tally.Print(os.Stdout)
	return nil
}

func status(ctx context.Context, dir string, args []string) error {
	if _, err := parse(newFlags("status"), args, 0, 0); err != nil {
		return err
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return err
	}
	return l.Status(ctx, os.Stdout)
}
