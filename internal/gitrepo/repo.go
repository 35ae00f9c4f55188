package gitrepo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
)

// Repo is a bare repository. Dir is its absolute path.
type Repo struct{ Dir string }

// config is the whole configuration of a repository. It replaces what is
// there at each Init, so that a setting added later reaches old repositories.
const config = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	bigFileThreshold = 32m
	filesRefLockTimeout = 3000
	packedRefsTimeout = 3000
	logAllRefUpdates = false
[transfer]
	fsckObjects = true
	hideRefs = refs/aorta
[receive]
	fsckObjects = true
	# Packs are kept as they come: unpacking would inflate what a hostile pack
	# holds into many files.
	unpackLimit = 1
	autogc = false
	advertiseAtomic = false
	advertisePushOptions = false
	# Everything goes through the hook, which refuses what it does not know.
	procReceiveRefs = refs
[pack]
	threads = 1
	windowMemory = 128m
	deltaCacheSize = 32m
[gc]
	auto = 0
`

// Init makes the repository in dir, an absolute path, or brings an existing
// one up to date. It may be called at any time and any number of times.
func Init(ctx context.Context, dir string) (Repo, error) {
	r := Repo{Dir: dir}
	if !filepath.IsAbs(dir) {
		return r, cluster.Invalid("dir", "repository path %q is not absolute", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return r, fmt.Errorf("make repository directory: %w", err)
		}
		// An empty template: no sample hooks, no exclude file.
		if _, err := r.run(ctx, "init", "--quiet", "--bare", "--template=", "--initial-branch=main"); err != nil {
			return r, fmt.Errorf("init repository %s: %w", dir, err)
		}
	}
	if err := r.writeFile("config", config); err != nil {
		return r, fmt.Errorf("configure repository %s: %w", dir, err)
	}
	return r, nil
}

// writeFile gives a file of git's own this content, if it has another one.
func (r Repo) writeFile(name, content string) error {
	path := filepath.Join(r.Dir, name)
	if old, err := os.ReadFile(path); err == nil && string(old) == content {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(path, []byte(content), 0o600)
}
