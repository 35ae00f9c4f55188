package git

import (
	"fmt"
	"os"
	"path/filepath"

	"aorta/pacemaker/cluster"
)

// hookName is the only hook that git finds in the hooks directory.
const hookName = "proc-receive"

// maxSocketPath is what a unix socket's address holds, its final NUL excluded.
const maxSocketPath = 107

// IsHook tells whether a program that was started under this name, its
// os.Args[0], was started by git as our hook and should call RunHook.
func IsHook(arg0 string) bool { return filepath.Base(arg0) == hookName }

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
	fresh := filepath.Join(cfg.HooksDir, fmt.Sprintf(".%s-%d", hookName, os.Getpid()))
	_ = os.Remove(fresh)
	if err := os.Symlink(cfg.HookBinary, fresh); err != nil {
		return fmt.Errorf("link hook: %w", err)
	}
	if err := os.Rename(fresh, filepath.Join(cfg.HooksDir, hookName)); err != nil {
		return fmt.Errorf("put hook in place: %w", err)
	}
	return nil
}
