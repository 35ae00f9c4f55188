package openresty

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// socketAge keeps us from removing a socket that nginx has bound but does not
// listen on yet.
const socketAge = 2 * time.Second

// removeDeadSockets removes the sockets that an nginx killed with -9 left:
// the next one could not bind them. It tries for two and a half seconds, which
// is time enough for ours to remove them while it does.
func (n *Nginx) removeDeadSockets() {
	sockets, _ := filepath.Glob(filepath.Join(n.cfg.RunDir, "*.sock"))
	for _, path := range sockets {
		if !oursByName(path) || !dead(path) {
			continue
		}
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			n.log.Warn("a dead socket of nginx stays", "path", path, "err", err)
		}
	}
}

func oursByName(path string) bool {
	switch filepath.Base(path) {
	case "a400.sock", "a404.sock", "a503.sock", "paused.sock", "empty.sock", "status.sock":
		return true
	}
	return false
}

func dead(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket || time.Since(info.ModTime()) < socketAge {
		return false
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
