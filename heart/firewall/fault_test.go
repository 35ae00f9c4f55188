package firewall

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeeper_SaysWhyThereAreNoRules(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "node")
	cmd := m.command("setpriv", "--bounding-set=-net_admin", mustExecutable(t))
	cmd.Env = append(os.Environ(), as+"=keeper")

	out, err := cmd.CombinedOutput()

	if says := string(out); err != nil || !strings.Contains(says, "iptables-save fails: ") || !strings.Contains(says, "Permission denied") {
		t.Errorf("got %v, %q, want what may not be done", err, says)
	}
	if _, err := find("iptables-of-nobody"); err == nil || !strings.Contains(err.Error(), "apt-get install iptables") {
		t.Errorf("got %v, want what to install", err)
	}
}

func TestFirstLine_IsTheComplaint(t *testing.T) {
	for said, want := range map[string]string{
		"# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\niptables: No chain\nTry -h\n": "iptables: No chain",
		"\n": "exit",
	} {
		if got := firstLine(said, errors.New("exit")); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}

func TestResolversOf_LeavesOutWhatTheEngineAsks(t *testing.T) {
	got := resolversOf("# nameserver 10.0.0.9\nnameserver 127.0.0.53\nnameserver 169.254.169.254 \nnameserver fe80::1%eth0\nnameserver fd00::1\nsearch nameserver\nnameserver\n")

	if diff := cmp.Diff([]string{"169.254.169.254", "fd00::1"}, texts(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func texts[T interface{ String() string }](list []T) (all []string) {
	for _, v := range list {
		all = append(all, v.String())
	}
	return all
}
