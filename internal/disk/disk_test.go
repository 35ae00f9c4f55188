package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestSpace_IsFullALittleBeforeItIs(t *testing.T) {
	const gb = 1 << 30
	for name, c := range map[string]struct {
		space Space
		want  string // in the fault; empty: none
		minor bool
	}{
		"half":                  {Space{Free: 50 * gb, Size: 100 * gb, FreeFiles: 1e6, AllFiles: 2e6}, "", false},
		"a big one with 2 GB":   {Space{Free: 2 * gb, Size: 1000 * gb}, "", false},
		"a big one with 900 MB": {Space{Free: 900 << 20, Size: 1000 * gb}, "nearly full, 900 MB of 1024000 MB are free", true},
		"a small one":           {Space{Free: 32 << 20, Size: 64 << 20}, "", false},
		"a small one, scarce":   {Space{Free: 2 << 20, Size: 64 << 20}, "nearly full", true},
		"a small one, full":     {Space{Free: 1 << 19, Size: 64 << 20}, "is full, 0 MB of 64 MB", false},
		"no more files":         {Space{Free: 50 * gb, Size: 100 * gb, AllFiles: 1e6}, "is full, 51200 MB and room for 0 more files", false},
		"files that nobody counts": {
			Space{Free: 50 * gb, Size: 100 * gb}, "", false,
		},
		"read-only": {Space{Free: 50 * gb, Size: 100 * gb, ReadOnly: true}, "read-only", false},
	} {
		err := c.space.fault("the data directory", "/data")

		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		var coded *cluster.Error
		if minor := err != nil && errors.As(err, &coded) && err != error(coded); minor != c.minor {
			t.Errorf("%s: got it minor %t, want %t", name, minor, c.minor)
		}
	}
}

func TestExplain_NamesThePathAndTheRoom(t *testing.T) {
	full := fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	other := errors.New("broken")
	path := t.TempDir() + "/not/there/yet"

	said := Explain(path, full)

	if text := said.Error(); cluster.CodeOf(said) != cluster.CodeUnavailable || !strings.Contains(text, "the disk is full at "+path) || !strings.Contains(text, "bytes are free") || !errors.Is(said, syscall.ENOSPC) {
		t.Errorf("got %q, want the path, the bytes and the cause", text)
	}
	if Explain(path, other) != other || Explain(path, nil) != nil {
		t.Error("an error that is none of a full disk was changed")
	}
}
