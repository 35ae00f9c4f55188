package git

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

// maxCommands is how many refs one push may name.
const maxCommands = 10000

// command is what a push asks of one ref.
type command struct {
	Old string `json:"old"`
	New string `json:"new"`
	Ref string `json:"ref"`
}

// parseCommand reads "<old> <new> <ref>".
func parseCommand(line string) (command, error) {
	old, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	id, ref, ok := strings.Cut(rest, " ")
	if !ok || !validID(old) || !validID(id) || ref == "" || strings.ContainsAny(ref, "\x00\n ") {
		return command{}, fmt.Errorf("%w: %.200q is not a command", ErrPktLine, line)
	}
	return command{Old: old, New: id, Ref: ref}, nil
}

func validID(s string) bool { return s == gitrepo.NoCommit || gitrepo.ValidCommit(s) }

// readCommands reads commands up to the flush.
func readCommands(r io.Reader) ([]command, error) {
	var list []command
	for {
		p, err := readPacket(r)
		switch {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: %w", ErrPktLine, io.ErrUnexpectedEOF)
		case err != nil:
			return nil, err
		case p.isFlush():
			return list, nil
		case len(list) == maxCommands:
			return nil, fmt.Errorf("%w: more than %d commands", ErrPktLine, maxCommands)
		}
		c, err := parseCommand(string(p.payload))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
}

// errNotTaken is why a ref is refused without looking further.
var (
	errOtherRef = cluster.Invalid("", "push to main or master")
	errDelete   = cluster.Invalid("", "the branch that an app is deployed from can't be deleted (aorta apps destroy removes the app)")
	errBoth     = cluster.Invalid("", "main and master in one push: push one of them")
)

// judge picks the one command that may go on, -1 if none may, and says why
// each of the others is refused.
func judge(list []command) (int, []error) {
	refusals := make([]error, len(list))
	chosen, branches := -1, 0
	for i, c := range list {
		switch {
		case c.Ref != "refs/heads/main" && c.Ref != "refs/heads/master":
			refusals[i] = errOtherRef
		case c.New == gitrepo.NoCommit:
			refusals[i] = errDelete
		default:
			chosen, branches = i, branches+1
		}
	}
	if branches < 2 {
		return chosen, refusals
	}
	for i := range list {
		if refusals[i] == nil {
			refusals[i] = errBoth
		}
	}
	return -1, refusals
}
