package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// What can be wrong with a request, for errors.Is. Each comes wrapped in a
// cluster.Error whose message is for people.
var (
	ErrNoContainer = errors.New("no such container")
	ErrNoImage     = errors.New("no such image")
	ErrPortTaken   = errors.New("port is taken")
	ErrNoSpace     = errors.New("no space left")
	ErrInUse       = errors.New("in use")
)

// fault turns an engine's error into a coded one. The engine tells many cases
// apart by their text alone, so this is the one place that reads it.
func (e *Engine) fault(verb string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("the Docker engine at %s did not %s in time; see its log (journalctl -u docker)", e.host, verb),
		}
	case client.IsErrConnectionFailed(err), cerrdefs.IsUnavailable(err), broken(err):
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("the Docker engine at %s does not answer; start it (systemctl start docker)", e.host),
		}
	case has(text, "port is already allocated", "address already in use"):
		return &cluster.Error{
			Code: cluster.CodeConflict, Err: errors.Join(ErrPortTaken, err),
			Message: fmt.Sprintf("its port is taken by another program on this node: %s", text),
		}
	case has(text, "no space left on device"):
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: errors.Join(ErrNoSpace, err),
			Message: fmt.Sprintf("the disk of the Docker engine at %s is full; free space on it (docker system df): %s", e.host, text),
		}
	case cerrdefs.IsNotFound(err) && has(text, "No such image", "manifest", "repository", "not found: "):
		return &cluster.Error{Code: cluster.CodeNotFound, Err: errors.Join(ErrNoImage, err), Message: text}
	case cerrdefs.IsNotFound(err):
		return &cluster.Error{Code: cluster.CodeNotFound, Err: errors.Join(ErrNoContainer, err), Message: text}
	case cerrdefs.IsConflict(err), has(text, "has active endpoints"):
		return &cluster.Error{Code: cluster.CodeConflict, Err: errors.Join(ErrInUse, err), Message: text}
	case cerrdefs.IsInvalidArgument(err):
		return &cluster.Error{Code: cluster.CodeInvalid, Err: err, Message: fmt.Sprintf("the Docker engine refused to %s: %s", verb, text)}
	}
	return fmt.Errorf("the Docker engine at %s could not %s: %w", e.host, verb, err)
}

// broken knows an engine that died while it was answering. What an engine says
// itself, such as that a registry refused its connection, is no such case.
func broken(err error) bool {
	var said *jsonstream.Error
	text := err.Error()
	if errors.As(err, &said) || strings.HasPrefix(text, "Error response from daemon") {
		return false
	}
	return has(text, "connection reset", "broken pipe", "unexpected EOF", "connection refused") || strings.HasSuffix(text, ": EOF")
}

func has(text string, any ...string) bool {
	for _, s := range any {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
