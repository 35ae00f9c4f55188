package git

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

// maxCommands is how many refs one push may name: git stores a file for each.
const maxCommands = 2000

var errTooMany = cluster.Invalid("", "a push may name %d refs and this one names more: push main alone (git push aorta main), or the refs in several pushes", maxCommands)

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
			return nil, errTooMany
		}
		c, err := parseCommand(string(p.payload))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
}
