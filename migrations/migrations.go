// Package migrations holds the numbered SQL files that bring a database from
// any earlier schema to this one. Files are forward only and never change once
// released; each dialect has a folder of its own with the same numbers.
package migrations

import "embed"

// FS holds one folder per dialect.
//
//go:embed sqlite/*.sql
var FS embed.FS
