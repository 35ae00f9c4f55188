package accesslog

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// stampDigits is the length of a Unix time in ns, the ending of logs that we
// rotated. Others' are theirs to delete.
const stampDigits = 19

// rotate renames a log that is large enough and lets nginx open a new one. It
// asks nginx again for as long as the log is missing: we or nginx may have died
// in between.
func (s *session) rotate() {
	if s.t.cfg.Reopen == nil || time.Since(s.reopened) < reopenEvery {
		return
	}
	path := s.t.cfg.Path
	if s.active != nil && s.active.size >= s.t.cfg.RotateBytes {
		to := fmt.Sprintf("%s.%0*d", path, stampDigits, time.Now().UnixNano())
		if err := os.Rename(path, to); err != nil {
			s.t.cfg.Log.Warn("rotate the access log", "error", err)
			return
		}
	} else if _, err := os.Lstat(path); !os.IsNotExist(err) {
		return
	}
	s.reopened = time.Now()
	if err := s.t.cfg.Reopen(); err != nil {
		s.t.cfg.Log.Warn("nginx did not open a new access log, it is asked again", "path", path, "error", err)
	}
}

// ours says that a log was rotated by us.
func ours(path, name string) bool {
	stamp, ok := strings.CutPrefix(name, path+".")
	return ok && len(stamp) == stampDigits && strings.Trim(stamp, "0123456789") == ""
}
