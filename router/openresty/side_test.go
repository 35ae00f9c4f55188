package openresty

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"aorta/internal/testkit"
)

// How a side ends its connection.
const (
	closes   = "closes"
	resets   = "resets"
	finishes = "finishes" // ends its own direction and reads on
)

// side is one end of an exchange: its connection, what is still to be written,
// and what it has seen.
type side struct {
	name  string
	conn  net.Conn
	in    *bufio.Reader
	out   chan []byte
	facts map[string]string
	msg   *message

	ended   string        // how, "" while out is open
	written chan struct{} // closed once all of out was written and the side has ended so
}

func newSide(name string, conn net.Conn, facts map[string]string) *side {
	s := &side{
		name: name, conn: conn, in: bufio.NewReader(conn), out: make(chan []byte, 64), facts: facts, written: make(chan struct{}),
	}
	_ = conn.SetDeadline(time.Now().Add(testkit.Hang))
	go func() { // ends when the side does
		defer close(s.written)
		for piece := range s.out {
			_, _ = conn.Write(piece)
		}
		s.shut()
	}()
	return s
}

// sends has the text written, unless the side has ended before.
func (s *side) sends(text string) {
	if s.ended == "" {
		s.out <- []byte(text)
	}
}

// end ends the connection once what was to be written is.
func (s *side) end(how string) {
	switch s.ended {
	case "":
		s.ended = how
		close(s.out)
	case finishes:
		<-s.written
		s.ended = how
		s.shut()
	}
}

func (s *side) shut() {
	switch s.ended {
	case finishes:
		_ = s.conn.(interface{ CloseWrite() error }).CloseWrite()
	case resets:
		_ = s.conn.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = s.conn.Close()
	default:
		_ = s.conn.Close()
	}
}

// gone ends what is left of the connection. What the other side has no use for
// is not written.
func (s *side) gone() {
	_ = s.conn.SetWriteDeadline(time.Now())
	s.end(closes)
	<-s.written
}

// awaits has the side read again, after a read that was broken off.
func (s *side) awaits() { _ = s.conn.SetReadDeadline(time.Now().Add(testkit.Hang)) }

func (s *side) see(what, value string) { s.facts[s.name+" "+what] = value }

// head notes the next message's first line and headers, those of one name in
// their order.
func (s *side) head(none bool) bool {
	s.awaits()
	var err error
	s.msg, err = readHead(s.in, s.name == "app", none)
	if err != nil {
		s.see("head", "none: "+s.readable(err, s.msg.first))
		return false
	}
	if s.name == "app" {
		parts := strings.SplitN(s.msg.first, " ", 2)
		s.see("method", parts[0])
		at := strings.LastIndex(s.msg.first, " ")
		s.see("version", s.msg.first[at+1:])
		s.see("target", s.msg.first[min(len(parts[0])+1, at):at])
	} else {
		version, status, _ := strings.Cut(s.msg.first, " ")
		s.see("version", version)
		s.see("status", status)
	}
	byName := map[string][]string{}
	for _, line := range s.msg.headers {
		name, value, _ := strings.Cut(line, ":")
		byName[name] = append(byName[name], brief(strings.TrimSpace(value)))
	}
	for name, values := range byName {
		s.see("header "+name, strings.Join(values, " | "))
	}
	s.see("framing", s.msg.framing)
	return true
}

// interim notes the next message if it is an interim answer.
func (s *side) interim() bool {
	s.awaits()
	first, _ := s.in.Peek(len("HTTP/1.1 100"))
	if len(first) < 12 || first[9] != '1' || string(first[9:]) == "101" {
		return false
	}
	m, _ := readHead(s.in, false, true)
	s.see("interim", s.facts[s.name+" interim"]+m.first+"; ")
	return true
}

func (s *side) readable(err error, had string) string {
	if had != "" {
		return endOf(err) + " after " + had
	}
	if errors.Is(err, io.EOF) {
		return "closed"
	}
	return endOf(err)
}

// part waits for n more bytes of the body: they have to come before anything
// else happens.
func (s *side) part(n int) {
	if s.msg == nil {
		return
	}
	s.awaits()
	got := make([]byte, n)
	read, err := io.ReadFull(s.msg.body, got)
	s.see("parts", s.facts[s.name+" parts"]+fmt.Sprintf(" %d:%08x", read, crc32.ChecksumIEEE(got[:read])))
	if err != nil {
		s.see("parts", s.facts[s.name+" parts"]+" "+endOf(err))
	}
}

// rest notes the rest of the body and how it ended.
func (s *side) rest() {
	if s.msg == nil {
		return
	}
	s.awaits()
	body, err := io.ReadAll(s.msg.body)
	s.see("end", endOf(err))
	s.see("body", fmt.Sprintf("%d:%08x", len(body), crc32.ChecksumIEEE(body)))
	if s.msg.framing == "chunked" && err == nil {
		s.trailers()
	}
}

func (s *side) trailers() {
	var lines []string
	for {
		line, err := s.in.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line == "" || err != nil {
			break
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	s.see("trailers", strings.Join(lines, " | "))
}

// hears waits for the end of what the other side sends.
func (s *side) hears() {
	if s.ended == closes || s.ended == resets {
		return
	}
	s.awaits()
	n, err := io.Copy(io.Discard, s.in)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.see("hears", endOpen)
	case err != nil:
		s.see("hears", endReset)
	default:
		s.see("hears", endCut)
	}
	if n > 0 {
		s.see("hears", fmt.Sprintf("%d bytes, then %s", n, s.facts[s.name+" hears"]))
	}
}
