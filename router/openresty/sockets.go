package openresty

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"syscall"
	"time"

	"aorta/internal/tick"
)

// socketAge keeps us from removing a socket that nginx has bound but does not
// listen on yet.
const socketAge = 2 * time.Second

// listensOn finds the sockets in a configuration.
var listensOn = regexp.MustCompile(`listen unix:([^;\s]+)`)

// socketsEvery is how often it is looked whether the sockets are there, socketsPause
// how long after a start that was made for that.
const (
	socketsEvery = 2 * time.Second
	socketsPause = time.Minute
)

// keepSockets has nginx started anew when somebody has removed its sockets, until ctx
// ends: a reload would go on with those that nobody reaches any more. It ends at once,
// with what is under way, since it would take no new request while that ends.
func (n *Nginx) keepSockets(ctx context.Context) {
	missed := 0 // the process that lacked one at the last look
	wait := socketsEvery
	for tick.Next(ctx, wait) {
		wait = socketsEvery
		pid, gone := n.Pid(), n.missingSocket()
		if pid == 0 || gone == "" || pid != missed { // one that has just started may have yet to bind them
			missed = 0
			if gone != "" {
				missed = pid
			}
			continue
		}
		n.log.Warn("a socket of nginx is gone; nginx is started anew, requests under way are cut off", "path", gone)
		if err := n.daemon.Signal(syscall.SIGTERM); err != nil {
			n.log.Warn("nginx is not started anew", "err", err)
		}
		missed, wait = 0, socketsPause
	}
}

// sockets are the paths of those that nginx listens on.
func (n *Nginx) sockets() (paths []string) {
	for _, found := range listensOn.FindAllSubmatch(n.conf.files[confFile], -1) {
		paths = append(paths, string(found[1]))
	}
	return paths
}

// missingSocket is the path of one that is not there, empty when all are.
func (n *Nginx) missingSocket() string {
	for _, path := range n.sockets() {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// removeDeadSockets removes the sockets that an nginx killed with -9 left:
// the next one could not bind them. It tries for two and a half seconds, which
// is time enough for ours to remove them while it does.
func (n *Nginx) removeDeadSockets() {
	for _, path := range n.sockets() {
		if !dead(path) {
			continue
		}
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			n.log.Warn("a dead socket of nginx stays", "path", path, "err", err)
		}
	}
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
