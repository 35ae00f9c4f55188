package git

import (
	"context"
	"io"
	"log/slog"

	"aorta/internal/cgroup"
	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
)

// Backend knows who may do what and what a push sets off. Its errors are coded
// and meant for people: git shows their text.
type Backend interface {
	// Authenticate finds out who calls. The token is in the password; the user
	// name is whatever the client sent. Unavailable is passed on as such, any
	// other error refuses the caller.
	Authenticate(ctx context.Context, user, password string) (access.User, error)
	// Repo finds the repository of the app with this valid name, for who to
	// read or to write; others are refused.
	Repo(ctx context.Context, who access.User, app string, write bool) (cluster.ID, gitrepo.Repo, error)
	// Push is called once for each push and blocks until what it set off is
	// done, or ctx ends because the pusher is gone. It compares Old, holds
	// New, and moves the ref itself. What it writes to out reaches the pusher
	// line by line. Nil accepts the ref, an error refuses it with its text.
	Push(ctx context.Context, p Push, out io.Writer) error
}

// Push is one branch that somebody pushed. Old and New are commit ids; Old is
// gitrepo.NoCommit for a branch that the pusher took for new.
type Push struct {
	App     cluster.ID
	AppName string
	Ref     string // refs/heads/main or refs/heads/master
	Old     string // what the pusher saw there, which may have moved since
	New     string // a commit that is in the repository
	Who     string
	Forced  bool // New does not descend from Old
}

// DefaultMaxPack is the size limit of one push, in bytes.
const DefaultMaxPack = 512 << 20

// Config is what an Endpoint needs to know.
type Config struct {
	// HookSocket is the path of the unix socket that hooks connect to; short,
	// since a socket's path holds 108 bytes.
	HookSocket string
	// HookBinary is the absolute path of a program that calls RunHook when
	// IsHook(os.Args[0]) says so. A hook gets no arguments, its name must do.
	HookBinary string
	// HooksDir is a directory of the Endpoint's own.
	HooksDir string
	// MaxPack is the size limit of one push in bytes; 0 means DefaultMaxPack.
	MaxPack int64
}

// Endpoint is an http.Handler for /git/NAME.git/…; Run serves its hooks.
type Endpoint struct {
	backend Backend
	cfg     Config
	log     *slog.Logger
	pending *pendingPushes
	turns   turns
}

// New prepares the hooks directory. Pushes work while Run runs.
func New(b Backend, cfg Config, log *slog.Logger) (*Endpoint, error) {
	if cfg.MaxPack == 0 {
		cfg.MaxPack = DefaultMaxPack
	}
	if err := installHook(cfg); err != nil {
		return nil, err
	}
	return &Endpoint{backend: b, cfg: cfg, log: log, pending: newPendingPushes(), turns: newTurns(cgroup.OwnMemory())}, nil
}
