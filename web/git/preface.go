package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"aorta/internal/gitrepo"
	"aorta/pacemaker/cluster"
)

// maxPreface bounds what a request may say before its pack, in bytes.
const maxPreface = 4 << 20

// preface is what a request says before its pack: which refs a push is to move,
// or the first thing that a fetch wants. It is checked before git is started, so
// that what git would stumble over is answered with its cause.
type preface struct {
	said     bytes.Buffer // as it came, for git
	sideBand bool         // the client reads messages beside git's answer
}

// whole is the request as it came; rest is what was not read of it yet.
func (p *preface) whole(rest io.Reader) io.Reader { return io.MultiReader(&p.said, rest) }

// readPreface reads a request up to its pack. The error is the client's fault.
func readPreface(body io.Reader, writes bool) (preface, error) {
	var p preface
	in := io.TeeReader(io.LimitReader(body, maxPreface), &p.said)
	read := p.readWant
	if writes {
		read = p.readRefs
	}
	err := read(in)
	if p.said.Len() == maxPreface {
		err = errTooMany
	}
	var coded *cluster.Error
	if err != nil && !errors.As(err, &coded) {
		err = cluster.Invalid("body", "not a request of git's: %v", err)
	}
	return p, err
}

// readWant reads the first packet of a fetch. Git answers a request that wants
// nothing by nothing.
func (p *preface) readWant(in io.Reader) error {
	first, err := readPacket(in)
	if err != nil || first.special != 0 {
		return err
	}
	id, isWant := strings.CutPrefix(string(first.payload), "want ")
	id, _, _ = strings.Cut(strings.TrimSuffix(id, "\n"), " ")
	if !isWant || !gitrepo.ValidCommit(id) {
		return fmt.Errorf("%w: %.60q does not name what is wanted", ErrPktLine, first.payload)
	}
	return nil
}

// readRefs reads what a push asks of each ref, up to the flush.
func (p *preface) readRefs(in io.Reader) error {
	for n := 0; ; n++ {
		packet, err := readPacket(in)
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: %w", ErrPktLine, io.ErrUnexpectedEOF)
		case err != nil || packet.isFlush():
			return err
		case n == maxCommands:
			return errTooMany
		}
		line, abilities, _ := strings.Cut(string(packet.payload), "\x00")
		if strings.HasPrefix(line, "shallow ") {
			continue
		}
		if _, err := parseCommand(line); err != nil {
			return err
		}
		p.sideBand = p.sideBand || strings.Contains(" "+abilities+" ", " side-band-64k ")
	}
}
