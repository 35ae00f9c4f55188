package firewall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"aorta/pacemaker/cluster"
)

// attempts is how often a change is tried that somebody else's has overtaken.
const attempts = 3

// apply makes the kernel have what the policy wants, in one step for each family, so
// that there is never less than before in between. It says what it changed.
func (p Policy) apply(ctx context.Context, f family) (changed bool, err error) {
	for range attempts {
		var have table
		if have, err = saved(ctx, f); err != nil {
			return false, err
		}
		lines := p.plan(f, have)
		if len(lines) == 0 {
			return false, nil
		}
		if err = restore(ctx, f, lines); err == nil {
			return true, nil
		}
	}
	return false, err
}

func saved(ctx context.Context, f family) (table, error) {
	out, err := run(ctx, nil, f.name+"-save", "-t", "filter")
	return parse(out), err
}

func restore(ctx context.Context, f family, lines []string) error {
	text := "*filter\n" + strings.Join(lines, "\n") + "\nCOMMIT\n"
	_, err := run(ctx, []byte(text), f.name+"-restore", "--noflush", "-w")
	return err
}

// usual are where distributions put the tools, which are not on everybody's path.
var usual = []string{"/usr/sbin", "/sbin", "/usr/local/sbin"}

func find(tool string) (string, error) {
	path, err := exec.LookPath(tool)
	for _, dir := range usual {
		if err == nil {
			return path, nil
		}
		path, err = exec.LookPath(filepath.Join(dir, tool))
	}
	if err != nil {
		return "", cluster.Unavailable("%s is not installed (apt-get install iptables)", tool)
	}
	return path, nil
}

func run(ctx context.Context, in []byte, tool string, args ...string) (string, error) {
	path, err := find(tool)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: fmt.Sprintf("%s fails: %s", tool, firstLine(said.String(), err))}
	}
	return out.String(), nil
}

// firstLine is what a tool complains of; the rest is how it is used.
func firstLine(said string, err error) string {
	for line := range strings.Lines(said) {
		// A version of the tools that uses nftables says so when there are other rules too.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return err.Error()
}

// Remove takes all rules of an owner away, and the chains that nobody needs any more.
func Remove(ctx context.Context, owner Owner) error {
	var failed error
	for _, f := range families {
		if _, err := find(f.name + "-save"); err != nil {
			continue // it could set none either
		}
		_, err := Policy{Owner: owner}.apply(ctx, f)
		failed = errors.Join(failed, err)
	}
	return failed
}
