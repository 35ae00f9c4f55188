package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aorta/internal/atomicfile"
	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// MaxArchive is the size limit of an uploaded archive, in bytes.
const MaxArchive = 1 << 30

// sourceSuffix is what the files of archives end in, behind the build's id.
const sourceSuffix = ".tar"

// ArchivePath is the file of a build's archive.
func (s *Sources) ArchivePath(build cluster.ID) string {
	return filepath.Join(s.cfg.Dir, string(build)+sourceSuffix)
}

// HasArchive says that a build's archive is kept.
func (s *Sources) HasArchive(build cluster.ID) bool {
	_, err := os.Stat(s.ArchivePath(build))
	return err == nil
}

// Keep writes an app's upload to disk, so that the build can be repeated whatever
// becomes of who sent it, and gives its SHA-256. It refuses one beyond MaxArchives.
func (s *Sources) Keep(ctx context.Context, app cluster.App, build cluster.ID, tar io.Reader) (string, error) {
	done, err := s.admit(ctx, app)
	if err != nil {
		return "", err
	}
	defer done()
	sum, err := s.write(build, tar)
	return sum, disk.Explain(s.cfg.Dir, err)
}

// write writes a file that is whole, or not there.
func (s *Sources) write(build cluster.ID, tar io.Reader) (string, error) {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of sources: %w", err)
	}
	f, err := os.OpenFile(s.ArchivePath(build), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("keep the archive: %w", err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(&roomy{f: f}, hash), io.LimitReader(tar, MaxArchive+1))
	if err == nil && n > MaxArchive {
		err = cluster.Invalid("archive", "is larger than %s", cluster.Bytes(MaxArchive))
	}
	if err == nil && n == 0 {
		err = cluster.Invalid("archive", "is empty")
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = atomicfile.SyncDir(filepath.Dir(f.Name()))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// roomStep is how much of an upload is written between two looks at the disk.
const roomStep = 8 << 20

// roomy writes to a file for as long as there is room to spare: an upload may not
// take what the state needs.
type roomy struct {
	f    *os.File
	left int64 // until the next look
}

// Write is part of io.Writer.
func (r *roomy) Write(p []byte) (int, error) {
	if r.left < int64(len(p)) {
		spare, err := disk.Spare(r.f.Name())
		if err != nil {
			return 0, err
		}
		if r.left = min(spare, roomStep); r.left < int64(len(p)) {
			return 0, disk.FullAt(filepath.Dir(r.f.Name()), nil)
		}
	}
	r.left -= int64(len(p))
	return r.f.Write(p)
}
