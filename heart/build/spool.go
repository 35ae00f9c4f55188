package build

import (
	"errors"
	"fmt"
	"os"

	"aorta/internal/disk"
)

// spoolPattern matches the names of spools.
const spoolPattern = "source-*.tar"

// newSpool makes a file for a checked source. It has no name any more, so that it
// goes with the process that has it, however that ends.
func newSpool(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, disk.Explain(dir, fmt.Errorf("make the builder's directory: %w", err))
	}
	f, err := os.CreateTemp(dir, spoolPattern)
	if err != nil {
		return nil, disk.Explain(dir, fmt.Errorf("make a spool for the source: %w", err))
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("hide the spool of the source: %w", err), f.Close())
	}
	return f, nil
}
