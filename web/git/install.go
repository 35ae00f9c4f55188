package git

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"aorta/internal/atomicfile"
	"aorta/pacemaker/cluster"
)

// hookName is the only hook that git finds in the hooks directory.
const hookName = "proc-receive"

// maxSocketPath is what a unix socket's address holds, its final NUL excluded.
const maxSocketPath = 107

// IsHook tells whether a program that was started under this name, its
// os.Args[0], was started by git as our hook and should call RunHook.
func IsHook(arg0 string) bool { return filepath.Base(arg0) == hookName }

// keepHook installs the hook again if somebody has removed it: without one, git
// would take in nothing.
func keepHook(cfg Config) error {
	if _, err := os.Lstat(filepath.Join(cfg.HooksDir, hookName)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return installHook(cfg)
}

// installHook links the hook's name to the binary. The link is replaced in one
// step, since a push may be using the old one.
func installHook(cfg Config) error {
	switch {
	case len(cfg.HookSocket) > maxSocketPath || !filepath.IsAbs(cfg.HookSocket):
		return cluster.Invalid("hook_socket", "%q is not an absolute path of at most %d bytes", cfg.HookSocket, maxSocketPath)
	case !filepath.IsAbs(cfg.HookBinary):
		return cluster.Invalid("hook_binary", "%q is not an absolute path", cfg.HookBinary)
	case !filepath.IsAbs(cfg.HooksDir):
		return cluster.Invalid("hooks_dir", "%q is not an absolute path", cfg.HooksDir)
	}
	if err := os.MkdirAll(cfg.HooksDir, 0o700); err != nil {
		return fmt.Errorf("make hooks directory: %w", err)
	}
	if err := atomicfile.Symlink(cfg.HookBinary, filepath.Join(cfg.HooksDir, hookName)); err != nil {
		return fmt.Errorf("install the hook: %w", err)
	}
	return nil
}
