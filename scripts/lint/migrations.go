package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// checkMigrations finds two migrations of one number, as two people make them who
// work at once: no database opens with them.
func checkMigrations(root string) ([]Finding, error) {
	files, err := filepath.Glob(filepath.Join(root, "migrations", "*", "*.sql")) // in the order of names
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	var found []Finding
	last := ""
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		at := filepath.Base(filepath.Dir(file)) + "/" + number
		if at == last {
			found = append(found, Finding{
				File: path.Join("migrations", filepath.Base(filepath.Dir(file)), filepath.Base(file)), Line: 1, Rule: "another migration has the number " + number,
				Reason: "no database opens then: take the next free one",
			})
		}
		last = at
	}
	return found, nil
}
