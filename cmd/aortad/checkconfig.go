package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"aorta/internal/config"
	"aorta/pacemaker/store"
)

func checkConfig(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("%w: aortad check-config FILE", config.ErrUsage)
	}
	cfg, _, err := config.Load(config.Sources{File: args[0], Environ: environ(), Strict: true})
	if err != nil {
		return refusal{err}
	}
	fmt.Fprintln(out, "ok:", cfg.Describe())
	if was := lastDomain(cfg.DataDir); was != "" && was != cfg.Domain {
		fmt.Fprintf(out, "domain: it was %s at the last start. Apps get NAME.%s, and are served at NAME.%s too until that is removed (aorta domains remove HOST -a NAME).\n", was, cfg.Domain, was)
		printClaims(ctx, cfg, out)
	}
	return nil
}

// printClaims says what apps lose by another domain, while somebody can still
// choose another one. That is beside the point of the check, which does not fail by it.
func printClaims(ctx context.Context, cfg config.Config, out io.Writer) {
	db := store.Config{Dir: cfg.DataDir}
	there, err := store.Exists(db)
	var claims []store.AppHost
	if err == nil && there {
		claims, err = store.Claims(ctx, db, cfg.Domain)
	}
	if err != nil {
		fmt.Fprintf(out, "domain: what apps lose by it can't be told: %v\n", err)
	}
	for _, claim := range claims {
		fmt.Fprintf(out, "domain: from the next start on, %s.\n", claim.Lost())
	}
}
