package buildkit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aorta/heart/docker/dockerfile"
)

// notOffered marks the error of an engine that answers and offers no BuildKit.
func notOffered(err error) error {
	if strings.Contains(err.Error(), "unable to upgrade") {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	return err
}

// verdict says whose fault a build's error is.
func (p *progress) verdict(ctx context.Context, err error) error {
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case errors.Is(err, context.Canceled), interrupted(err):
		return fmt.Errorf("%w: %w", cerrdefs.ErrUnavailable, err)
	}
	text := p.names.Replace(plain(err.Error()))
	f := &dockerfile.Failed{Message: text}
	if p.failed != nil {
		f = p.failed
	}
	if refused := rightRefused(p.recipe, f.Message); refused != "" {
		return &dockerfile.Failed{Message: refused}
	}
	f.Code = exitCode(f.Message)
	f.Message = inWords(f.Message)
	return f
}

// interrupted recognises an engine that went away in the middle, by the code or
// by the text that it had made of it.
func interrupted(err error) bool {
	if s, ok := status.FromError(err); ok && (s.Code() == codes.Unavailable || s.Code() == codes.Canceled) {
		return true
	}
	return cancelled(err.Error())
}

func cancelled(text string) bool {
	return strings.Contains(text, "context canceled") || strings.Contains(text, "no active session")
}

var wrapping = regexp.MustCompile(`^(?:failed to solve: |failed to run Build function: |rpc error: code = \w+ desc = )+`)

// plain drops what tells a reader nothing.
func plain(text string) string { return wrapping.ReplaceAllString(text, "") }

var exitPattern = regexp.MustCompile(`exit code: (\d+)$`)

func exitCode(text string) int {
	found := exitPattern.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	code, err := strconv.Atoi(found[1])
	if err != nil {
		return 0
	}
	return code
}

// phrases turn what BuildKit says into what a person can act on.
var phrases = []struct {
	pattern *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`(?s)^(?:executor failed running \[.*\]|process ".*" did not complete successfully): exit code: (\d+)$`), "its command returned a non-zero code: $1"},
	{regexp.MustCompile(`(?s)^(?:failed to (?:compute|calculate).*: )?"/(.*)" not found: not found$|^(?:failed to (?:compute|calculate).*: )?"/(.*)": not found$`), `"$1$2" is not in the build's context: it is not in the source, or the ignore file leaves it out`},
	{regexp.MustCompile(`^(?:failed to .*: )?secret (\S+?):? not found: not found$|^(?:failed to .*: )?secret (\S+?): not found$`), "secret $1$2 is not set (aorta builds set-secret $1$2=…)"},
	{regexp.MustCompile(`requested (?:experimental feature )?(\S+?)\s+(?:feature )?is not supported by build server, please update$`), "the Docker engine is too old for this ($1): update it, or write the Dockerfile without"},
	{regexp.MustCompile(`^.*message larger than max \(.*$`), "the steps of the Dockerfile are more than the Docker engine takes at once: write fewer instructions, or shorter ENV and ARG values, which each step after them carries"},
	{regexp.MustCompile(`^target stage "(.*)" could not be found.*$`), `the Dockerfile has no stage "$1" (FROM … AS $1)`},
}

func inWords(text string) string {
	for _, p := range phrases {
		if p.pattern.MatchString(text) {
			return p.pattern.ReplaceAllString(text, p.words)
		}
	}
	return text
}
