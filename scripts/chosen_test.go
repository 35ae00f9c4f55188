package scripts_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What make up was told and is not told again stays: else `make up NODE_ADDRESS=…` would
// take the ports of a cluster away.
func TestUp_KeepsWhatIsNotSaidAgain(t *testing.T) {
	state := t.TempDir()
	script := func(vars []string, words ...string) string {
		cmd := exec.Command("bash", words...)
		cmd.Env = append([]string{"PATH=/usr/bin:/bin", "STATE=" + state}, vars...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
		return strings.Join(strings.Fields(string(out)), " ")
	}
	args := func(vars ...string) string { return script(vars, "daemon-args.sh", "unix:///e.sock") }
	began := "--data-dir " + filepath.Join(state, "data") + " --docker-host unix:///e.sock "
	if got, want := args(), began+"--listen 127.0.0.1:7420 --router-listen :8080 --domain aorta.localhost"; got != want {
		t.Errorf("at first: got %s, want %s", got, want)
	}

	script([]string{"LISTEN=127.0.0.1:1", "ROUTER=:80"}, "-ec", ". ./state.sh; . ./daemon.sh; choose")

	kept := began + "--listen 127.0.0.1:1 --router-listen :80 --domain aorta.localhost"
	for said, want := range map[string]string{"": kept, "NODE_ADDRESS=10.0.0.1": kept + " --node-address 10.0.0.1", "ROUTER=:81": strings.Replace(kept, ":80", ":81", 1)} {
		if got := args(said); got != want {
			t.Errorf("with %q: got %s, want %s", said, got, want)
		}
	}
}
