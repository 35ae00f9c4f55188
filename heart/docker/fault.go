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

// Causes of errors, for errors.Is. Each comes wrapped in a cluster.Error with a
// message for people.
var (
	ErrNoContainer = errors.New("no such container")
	ErrNoImage     = errors.New("no such image")
	ErrPortTaken   = errors.New("port is taken")
	ErrNoSpace     = errors.New("no space left")
	ErrInUse       = errors.New("in use")
)

// noSpace is what a full disk is called, whoever says it.
const noSpace = "no space left on device"

// fault converts an engine's error into a coded one. Many of the engine's errors
// differ by their text alone; only this file reads it.
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
	case containsAny(text, "port is already allocated", "address already in use"):
		return &cluster.Error{
			Code: cluster.CodeConflict, Err: errors.Join(ErrPortTaken, err),
			Message: fmt.Sprintf("its port is taken by another program on this node: %s", text),
		}
	case containsAny(text, noSpace):
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: errors.Join(ErrNoSpace, err),
			Message: fmt.Sprintf("the disk of the Docker engine at %s is full; free space on it (docker system df): %s", e.host, text),
		}
	case containsAny(text, noRules):
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("the firewall rules of the Docker engine at %s are gone; restart it, so that it makes them again (systemctl restart docker): %s", e.host, text),
		}
	case cerrdefs.IsNotFound(err) && containsAny(text, "No such image", "manifest", "repository", "reference does not exist", "not found: "):
		return &cluster.Error{Code: cluster.CodeNotFound, Err: errors.Join(ErrNoImage, err), Message: text}
	case cerrdefs.IsNotFound(err):
		return &cluster.Error{Code: cluster.CodeNotFound, Err: errors.Join(ErrNoContainer, err), Message: text}
	case cerrdefs.IsConflict(err), containsAny(text, "has active endpoints"):
		return &cluster.Error{Code: cluster.CodeConflict, Err: errors.Join(ErrInUse, err), Message: text}
	case cerrdefs.IsInvalidArgument(err):
		return &cluster.Error{Code: cluster.CodeInvalid, Err: err, Message: fmt.Sprintf("the Docker engine refused to %s: %s", verb, text)}
	}
	return fmt.Errorf("the Docker engine at %s could not %s: %w", e.host, verb, err)
}

// withoutSender drops who said it: a person has written to no daemon.
func withoutSender(err error) string {
	return strings.TrimPrefix(err.Error(), "Error response from daemon: ")
}

// isLostNetwork recognises a start for which a network is missing.
func isLostNetwork(err error) bool {
	return err != nil && containsAny(err.Error(), "network ") && containsAny(err.Error(), " not found")
}

// noRules says that the engine's own firewall rules are gone.
const noRules = "No chain/target/match by that name"

// broken recognises an engine that died while it answered. An error that the
// engine itself reports, such as a registry that refused it, is no such case.
func broken(err error) bool {
	var reported *jsonstream.Error
	text := err.Error()
	if errors.As(err, &reported) || strings.HasPrefix(text, "Error response from daemon") {
		return false
	}
	return containsAny(text, "connection reset", "broken pipe", "unexpected EOF", "connection refused") || strings.HasSuffix(text, ": EOF")
}

func containsAny(text string, any ...string) bool {
	for _, s := range any {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
