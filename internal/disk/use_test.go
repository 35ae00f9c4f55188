package disk

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/internal/watch"
)

// A kernel that stops writing to a file system after an error leaves its flags as they
// are: only a write tells.
func TestBallast_FindsADiskThatTheKernelMadeReadOnly(t *testing.T) {
	dir := testkit.ShortDir(t)
	broken := testkit.MountExt4(t, dir, 64)
	b := Ballast{What: "the data directory", Dir: dir, Path: filepath.Join(dir, "ballast"), Written: filepath.Join(dir, "written"), Log: slog.New(slog.DiscardHandler)}

	before := b.Check()
	broken.Break(t)
	after, engine := b.Check(), Check("the Docker engine's directory", dir)

	if before != nil {
		t.Errorf("got %v of a disk in order", before)
	}
	for _, err := range []error{after, engine} {
		if err == nil || !strings.Contains(err.Error(), dir+" is read-only: ") || !strings.Contains(err.Error(), "look at dmesg, then fsck") || watch.IsMinor(err) {
			t.Errorf("got %v, want the path, the cause and the next step", err)
		}
	}
	if err := Try(dir); !errors.Is(err, syscall.EROFS) {
		t.Errorf("got %v of a write there, want EROFS", err)
	}
}

func TestBallast_FindsADirectoryThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	b := Ballast{What: "the data directory", Dir: dir, Path: filepath.Join(dir, "ballast"), Written: filepath.Join(dir, "written"), Log: slog.New(slog.DiscardHandler)}

	err := b.Check()

	if err == nil || !strings.Contains(err.Error(), "the data directory "+dir+" can't be written to: ") {
		t.Errorf("got %v, want the directory", err)
	}
}

func TestTry_LeavesNothing(t *testing.T) {
	for name, dir := range map[string]string{"a disk": testkit.ShortDir(t), "memory": smallDisk(t, "4m")} {
		err := Try(dir)

		if left, _ := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: got %v and %d files left", name, err, len(left))
		}
	}
}

func TestTry_SaysThatThereIsRoomForNoMoreFiles(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m,nr_inodes=20"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	var err error
	for err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "file"); err == nil {
			err = f.Close()
		}
	}

	refused := Try(dir)
	spare, serr := Spare(dir)

	if !errors.Is(refused, syscall.ENOSPC) || spare != 0 || serr != nil {
		t.Errorf("got %v and %d bytes to spare (%v), want no room", refused, spare, serr)
	}
	for _, err := range []error{Explain(dir, refused), ExplainError(refused), FullAt(dir, nil)} {
		if text := err.Error(); !strings.Contains(text, "full at "+dir) || !strings.Contains(text, "room for 0 more files") || !strings.Contains(text, "df -i "+dir) || strings.Contains(text, "df -h") {
			t.Errorf("got %q, want the files", text)
		}
	}
}

// Whatever a disk refuses a write by, the sentence has its path, its cause and what to
// do.
func TestTold_NamesEachRefusal(t *testing.T) {
	dir := t.TempDir()
	for cause, want := range map[syscall.Errno][]string{
		syscall.ENOSPC: {"the disk is full at " + dir, "bytes are free there", "df -h " + dir},
		syscall.EDQUOT: {"the disk at " + dir, "its disk quota is used up"},
		syscall.EROFS:  {"the disk at " + dir, "is read-only: the kernel made it so after an error: look at dmesg, then fsck"},
		syscall.EIO:    {"the disk at " + dir, "input/output error: look at dmesg"},
	} {
		for name, err := range map[string]error{
			"a write":  &fs.PathError{Op: "write", Path: filepath.Join(dir, "f"), Err: cause},
			"a rename": &os.LinkError{Op: "rename", Old: "x", New: filepath.Join(dir, "f"), Err: cause},
		} {
			said := ExplainError(err)

			for _, w := range want {
				if !strings.Contains(said.Error(), w) {
					t.Errorf("%s, %v: got %q, want %q", name, cause, said, w)
				}
			}
			if ExplainError(said) != said || Explain("/elsewhere", said) != said {
				t.Errorf("%s, %v: what is for people already is changed", name, cause)
			}
		}
		if said := ExplainError(cause).Error(); !strings.HasPrefix(said, "a disk of this node ") {
			t.Errorf("%v without a path: got %q", cause, said)
		}
	}
}
