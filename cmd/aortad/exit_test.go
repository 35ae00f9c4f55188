package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// What the service manager makes of an end depends on its code.
func TestRun_ExitCodeTellsWhetherTryingAgainHelps(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "aortad.yml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"version", []string{"version"}, exitOK, ""},
		{"no command", nil, exitUsage, "aortad run"},
		{"unknown command", []string{"start"}, exitUsage, "aortad run"},
		{"unknown flag", []string{"run", "--bogus"}, exitUsage, "bogus"},
		{"stray word", []string{"run", "--data-dir", t.TempDir(), "now"}, exitUsage, "now"},
		{"unknown key", []string{"run", "--config", file("data_dir: /nowhere\nlissten: 1\n")}, exitRefused, "lissten"},
		{"wrong type", []string{"check-config", file("roles: heart\n")}, exitRefused, "[1:8]"},
		{"bad value", []string{"run", "--data-dir", t.TempDir(), "--listen", "nope"}, exitRefused, "listen"},
		{"no data directory", []string{"run"}, exitRefused, "data_dir"},
		{"no such file", []string{"check-config", "/no/such/file"}, exitRefused, "/no/such/file"},
		{"the shipped file", []string{"check-config", "../../scripts/systemd/aortad.yml"}, exitOK, ""},
		{"stop nothing", []string{"stop", "--data-dir", "/no/such/dir"}, exitFailure, "/no/such/dir"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var out, errOut bytes.Buffer

			code := run(t.Context(), tc.args, &out, &errOut)

			if code != tc.code || !strings.Contains(errOut.String(), tc.says) {
				t.Errorf("got exit %d, want %d; it said:\n%s\nwant %q in it", code, tc.code, errOut.String(), tc.says)
			}
		})
	}
}

// Another domain than that of the last start moves every app: who checks the file
// hears of it before.
func TestCheckConfig_TellsOfAnotherDomain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(dir, placesFile), []byte(`{"last": {"domain": "old.example.com"}}`), 0o600))
	file := filepath.Join(dir, "aortad.yml")
	for domain, want := range map[string]bool{"new.example.com": true, "old.example.com": false} {
		testkit.Must(t, os.WriteFile(file, []byte("data_dir: "+dir+"\ndomain: "+domain+"\n"), 0o600))
		var out, errOut bytes.Buffer

		code := run(t.Context(), []string{"check-config", file}, &out, &errOut)

		told := strings.Contains(out.String(), "it was old.example.com at the last start") && strings.Contains(out.String(), "aorta domains remove")
		if code != exitOK || told != want {
			t.Errorf("%s: got exit %d and %q%q, want it told: %t", domain, code, &out, &errOut, want)
		}
	}
}
