package procs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// FirstOpenDir is the descriptor of the first of Spec.OpenDirs. The one before
// is the marker's.
const FirstOpenDir = 4

const (
	defaultStopTimeout  = 10 * time.Second
	defaultReadyTimeout = 30 * time.Second
)

// Spec says what a managed daemon is and how it is started and stopped.
type Spec struct {
	// Name names the record and the marker, for example "redis-routes". It is
	// unique in a state directory: letters, digits, dot, dash and underscore.
	Name string
	// Path is the executable: a binary, not a script, since the kernel names
	// a script's interpreter as what runs.
	Path string
	// Args are the arguments after argv[0]. Everyone on the machine can read
	// them, so they hold no secret.
	Args []string
	// Env is added to a minimal environment (PATH, HOME, LANG, TZ, TMPDIR).
	// Nothing else is inherited, so that our own settings don't leak.
	Env []string
	// Dir is the data directory, an absolute path: part of the identity, and
	// the working directory. It is made when missing (0700).
	Dir string
	// OpenDirs are directories that the daemon has open from the start, as file
	// descriptors FirstOpenDir and up: what drops its rights later reaches files
	// in them though it may not walk the path to them.
	OpenDirs []string
	// SocketsEnv is the variable by which the daemon is told of listening sockets
	// that it inherits ("5;6;", as nginx reads NGINX): those of the one before,
	// when that was killed and its children were not. Empty: it takes none.
	SocketsEnv string
	// Prepare is called before each start, when what a dead daemon left behind is
	// gone or was asked to go: it makes what the start needs on disk. nil for nothing.
	Prepare func() error
	// StateDir is the directory of the record NAME.pid.json (0600).
	StateDir string
	// LogPath takes stdout and stderr, appended. It is a file and never a pipe,
	// because the daemon outlives the reader. What is above 8 MiB is moved
	// to LogPath.1, at a start and while Run runs.
	LogPath string
	// StopSignal asks the daemon to end; SIGTERM when zero (nginx: SIGQUIT).
	StopSignal syscall.Signal
	// StopTimeout is how long it may take before SIGKILL; 10 s when zero.
	StopTimeout time.Duration
	// StopOrder is the daemon's turn in StopRecorded: lower ones end first.
	StopOrder int
	// Ready is polled until it returns nil; nil means ready once started.
	Ready func(ctx context.Context) error
	// ReadyTimeout bounds that; 30 s when zero.
	ReadyTimeout time.Duration
	// OOMScoreAdj is written to the daemon's oom_score_adj when not nil.
	OOMScoreAdj *int
	// SessionNice is the nice value of the daemon's session among others, from -20 to
	// 19, where the kernel shares processor time by session; 0: the usual one.
	SessionNice int
	// DieWithParent kills the daemon when this process dies. For tests only.
	DieWithParent bool
}

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)

func (s Spec) validate() error {
	if !nameRule.MatchString(s.Name) {
		return fmt.Errorf("daemon name %q: use up to 64 letters, digits, dots, dashes and underscores", s.Name)
	}
	paths := []struct{ what, path string }{
		{"executable", s.Path},
		{"data directory", s.Dir},
		{"state directory", s.StateDir},
		{"log file", s.LogPath},
	}
	var errs []error
	for _, p := range paths {
		if !filepath.IsAbs(p.path) {
			errs = append(errs, fmt.Errorf("daemon %s: %s %q is not an absolute path", s.Name, p.what, p.path))
		}
	}
	return errors.Join(errs...)
}

func (s Spec) stopSignal() syscall.Signal {
	if s.StopSignal == 0 {
		return syscall.SIGTERM
	}
	return s.StopSignal
}

func (s Spec) stopTimeout() time.Duration {
	if s.StopTimeout <= 0 {
		return defaultStopTimeout
	}
	return s.StopTimeout
}

func (s Spec) readyTimeout() time.Duration {
	if s.ReadyTimeout <= 0 {
		return defaultReadyTimeout
	}
	return s.ReadyTimeout
}
