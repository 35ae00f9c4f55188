package git

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// goneAway is what the pusher reads when the controller ends under a push.
const goneAway = "the controller went away; the deploy goes on: push again to follow it"

// HookIO is what a hook process has: git on In and Out, the pusher's eyes on
// Err, and its environment.
type HookIO struct {
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Getenv func(string) string
}

// RunHook is git's proc-receive hook: it asks the Endpoint that started git
// about the push, relays its lines and gives git the results. It is called in
// a process of its own and ends with git, with ctx, or with the answer. An
// error means that git got no answer; the process should then exit with 1.
func RunHook(ctx context.Context, h HookIO) error {
	if err := greet(h); err != nil {
		return err
	}
	commands, err := readCommands(h.In)
	if err != nil {
		return fmt.Errorf("read commands: %w", err)
	}
	results, err := ask(ctx, h, commands)
	if err != nil {
		_, _ = fmt.Fprintf(h.Err, "push: %v\n", err)
		results = refuseAll(commands, goneAway)
	}
	return answer(h.Out, commands, results)
}

// greet agrees with git on the version and on no features.
func greet(h HookIO) error {
	first, err := readPacket(h.In)
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	version, _, _ := strings.Cut(strings.TrimSuffix(string(first.payload), "\n"), "\x00")
	if version != "version=1" {
		return fmt.Errorf("%w: unknown version %.40q", ErrPktLine, version)
	}
	if p, err := readPacket(h.In); err != nil || !p.isFlush() {
		return fmt.Errorf("%w: no flush after the version", ErrPktLine)
	}
	if _, err := h.Out.Write(append(appendPacket(nil, "version=1"), flushPacket...)); err != nil {
		return fmt.Errorf("answer version: %w", err)
	}
	return nil
}

// ask relays lines until the results are there.
func ask(ctx context.Context, h HookIO, commands []command) ([]result, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	conn, err := d.DialContext(ctx, "unix", h.Getenv(envSocket))
	if err != nil {
		return nil, fmt.Errorf("reach the controller: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := json.NewEncoder(conn).Encode(hello{Token: h.Getenv(envToken), Commands: commands}); err != nil {
		return nil, fmt.Errorf("ask the controller: %w", err)
	}
	// Git keeps our input open while it lives. This ends with git, or with
	// the process, which has nothing left to do after the answer.
	go func() {
		_, _ = io.Copy(io.Discard, h.In)
		_ = conn.Close()
	}()
	return relay(conn, h.Err)
}

func relay(conn io.Reader, lines io.Writer) ([]result, error) {
	in := json.NewDecoder(conn)
	for {
		var f frame
		if err := in.Decode(&f); err != nil {
			return nil, fmt.Errorf("hear from the controller: %w", err)
		}
		if f.Results != nil {
			return f.Results, nil
		}
		if _, err := io.WriteString(lines, f.Line+"\n"); err != nil {
			return nil, fmt.Errorf("relay a line: %w", err)
		}
	}
}

// answer tells git of each command's result, in git's own order.
func answer(out io.Writer, commands []command, results []result) error {
	fate := map[string]result{}
	for _, r := range results {
		fate[r.Ref] = r
	}
	var buf []byte
	for _, c := range commands {
		r, known := fate[c.Ref]
		switch {
		case !known:
			buf = appendPacket(buf, "ng "+c.Ref+" not decided")
		case r.Error != "":
			buf = appendPacket(buf, "ng "+c.Ref+" "+oneLine(errors.New(r.Error)))
		case r.ByGit:
			buf = appendPacket(appendPacket(buf, "ok "+c.Ref), "option fall-through")
		default:
			buf = appendPacket(buf, "ok "+c.Ref)
		}
	}
	if _, err := out.Write(append(buf, flushPacket...)); err != nil {
		return fmt.Errorf("answer git: %w", err)
	}
	return nil
}

func refuseAll(commands []command, why string) []result {
	list := make([]result, 0, len(commands))
	for _, c := range commands {
		list = append(list, result{Ref: c.Ref, Error: why})
	}
	return list
}
