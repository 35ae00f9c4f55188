package pacemaker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// MaxArchive is the size limit of an uploaded archive, in bytes.
const MaxArchive = 1 << 30

var imagePattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,254}$`)

// DeployImage rolls out an image that exists.
func (p *Pacemaker) DeployImage(ctx context.Context, app cluster.App, ref, message, user string) (cluster.Operation, error) {
	if !imagePattern.MatchString(ref) {
		return cluster.Operation{}, cluster.Invalid("image", "%.80q is not an image reference (such as registry.example.com/app:1.2)", ref)
	}
	if message == "" {
		message = "image " + ref
	}
	build := cluster.NewID()
	args := opArgs{Build: build, Message: tidy(message), Cause: "deploy"}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDeploy, AppID: app.ID, User: user, Args: args.encode(),
		Title: fmt.Sprintf("Deploy image %s to %s", ref, app.Name),
	}, store.WithBuild(build, cluster.SourceImage, ref))
}

// DeployArchive keeps an uploaded tar and rolls out what is built from it.
func (p *Pacemaker) DeployArchive(ctx context.Context, app cluster.App, tar io.Reader, message, user string) (cluster.Operation, error) {
	build := cluster.NewID()
	sum, err := p.keepSource(build, tar)
	if err != nil {
		return cluster.Operation{}, err
	}
	if message == "" {
		message = "archive " + sum[:12]
	}
	args := opArgs{Build: build, Message: tidy(message), Cause: "deploy"}
	op, err := p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDeploy, AppID: app.ID, User: user, Args: args.encode(),
		Title: fmt.Sprintf("Deploy archive %s to %s", sum[:12], app.Name),
	}, store.WithBuild(build, cluster.SourceArchive, sum))
	if err != nil {
		_ = os.Remove(p.sourcePath(build))
	}
	return op, err
}

// keepSource writes an upload to disk, so that the build can be repeated
// whatever becomes of who sent it, and gives its SHA-256.
func (p *Pacemaker) keepSource(build cluster.ID, tar io.Reader) (string, error) {
	if err := os.MkdirAll(p.cfg.SourcesDir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of sources: %w", err)
	}
	f, err := os.OpenFile(p.sourcePath(build), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("keep the archive: %w", err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(tar, MaxArchive+1))
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

// tidy makes one short line of whatever a person wrote.
func tidy(message string) string {
	line, _, _ := strings.Cut(strings.ToValidUTF8(message, "�"), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(line))
	for utf8.RuneCountInString(line) > 200 {
		_, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
	}
	return line
}
