package openresty

import "syscall"

// EndWorker asks a worker to end: its requests in flight finish, for at most
// half a minute, and then nginx starts another in its place.
func (n *Nginx) EndWorker(pid int) error { return n.daemon.SignalMember(pid, syscall.SIGQUIT) }

// KillWorker ends a worker with its requests; nginx starts another at once.
func (n *Nginx) KillWorker(pid int) error { return n.daemon.SignalMember(pid, syscall.SIGKILL) }

// Renew starts new workers and asks those of before to end. It does not wait.
func (n *Nginx) Renew() error { return n.daemon.Signal(syscall.SIGHUP) }
