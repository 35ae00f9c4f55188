package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
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
		{"unknown command", []string{"serve"}, exitUsage, `there is no command "serve"`},
		{"other word", []string{"start"}, exitUsage, "aortad run --config FILE"},
		{"command that is not there yet", []string{"backup", "f"}, exitUsage, "backups are not there yet"},
		{"join without a token", []string{"join", "https://h"}, exitUsage, "--token TOKEN"},
		{"join at no address", []string{"join", "h:7421", "--token", "x"}, exitUsage, "aortad join https://ADDRESS:7421"},
		{"unknown flag", []string{"run", "--domian", "x"}, exitUsage, "--domian is no flag; did you mean --domain?"},
		{"flag without value", []string{"run", "--domain"}, exitUsage, "--domain needs a value"},
		{"flag of another type", []string{"run", "--dead-after", "soon"}, exitUsage, `--dead-after: "soon" is not a duration like 30s`},
		{"help of what is not there", []string{"help", "serve"}, exitUsage, `there is no command "serve"`},
		{"no certificate", []string{"run", "--data-dir", t.TempDir(), "--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem"}, exitRefused, "tls_cert: can't be read: open /no/cert.pem: no such file"},
		{"stray word", []string{"run", "--data-dir", t.TempDir(), "now"}, exitUsage, "now"},
		{"unknown key", []string{"run", "--config", file("data_dir: /nowhere\nlissten: 1\n")}, exitRefused, "lissten"},
		{"wrong type", []string{"check-config", file("roles: heart\n")}, exitRefused, ":1:8)"},
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

// Each address that is taken is named, before a Redis is started for nothing.
func TestRun_NamesEachAddressThatIsTaken(t *testing.T) {
	taken := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		testkit.Must(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	api, router, dir := taken(), taken(), testkit.ShortDir(t)
	var out, errOut bytes.Buffer

	code := run(t.Context(), []string{"run", "--data-dir", dir + "/data", "--run-dir", dir + "/run", "--listen", api, "--router-listen", router}, &out, &errOut)

	if code != exitFailure { // what has it may end
		t.Errorf("got exit %d, want %d", code, exitFailure)
	}
	for option, addr := range map[string]string{"listen": api, "router_listen": router} {
		if want := option + " " + addr + " is in use by "; !strings.Contains(errOut.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &errOut, want)
		}
	}
	if records, _ := filepath.Glob(dir + "/data/state/*redis*"); len(records) > 0 {
		t.Errorf("got %v, want nothing started", records)
	}
}

// Help is no error: it is on the output, for a pager.
func TestRun_Help(t *testing.T) {
	for args, want := range map[string]string{
		"help": "aortad run", "--help": "aortad run", "-h": "aortad run", "help help": "aortad run", "run --help": "-dead-after", "help run": "-dead-after",
		"run --data-dir /d -h": "-dead-after", "check-config --help": "aortad check-config FILE", "stop -h": "--all", "version --help": "print the version",
		"--version": version, "-v": version,
	} {
		var out, errOut bytes.Buffer

		code := run(t.Context(), strings.Fields(args), &out, &errOut)

		if code != exitOK || !strings.Contains(out.String(), want) || errOut.Len() > 0 {
			t.Errorf("aortad %s: got exit %d, %q and %q, want %q", args, code, &out, &errOut, want)
		}
	}
}

// The daemon reads variables too, and nobody may be looking at them.
func TestCheckConfig_ReadsTheVariablesToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aortad.yml")
	testkit.Must(t, os.WriteFile(file, []byte("data_dir: /d\nlisten: 127.0.0.1:8080\n"), 0o600))
	t.Setenv("AORTAD_DEAD_AFTER", "soon")
	t.Setenv("AORTAD_LISTN", ":1")
	var out, errOut bytes.Buffer

	code := run(t.Context(), []string{"check-config", file}, &out, &errOut)

	if code != exitRefused || out.Len() > 0 {
		t.Errorf("got exit %d and %q, want it refused", code, &out)
	}
	for _, want := range []string{
		"3 mistakes", `dead_after: "soon" is not a duration like 30s or 5m (AORTAD_DEAD_AFTER)`,
		"AORTAD_LISTN is no option's variable; did you mean AORTAD_LISTEN?",
		"router_listen: :8080 is the address of listen (127.0.0.1:8080) too",
	} {
		if !strings.Contains(errOut.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &errOut, want)
		}
	}
}

// What apps lose by another domain is told before, all of it.
func TestCheckConfig_TellsWhatAppsLoseByADomain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(dir, placesFile), []byte(`{"last": {"domain": "old.example.com"}}`), 0o600))
	file := filepath.Join(dir, "aortad.yml")
	testkit.Must(t, os.WriteFile(file, []byte("data_dir: "+dir+"\ndomain: new.example.com\n"), 0o600))
	db, err := store.Open(t.Context(), store.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	testkit.Must(t, err)
	defer func() { _ = db.Close() }()
	_, err = db.Bootstrap(t.Context(), "ann", "token")
	testkit.Must(t, err)
	shop, err := db.CreateApp(t.Context(), "shop", "shop.old.example.com", "ann")
	testkit.Must(t, err)
	_, err = db.CreateApp(t.Context(), "blog", "blog.old.example.com", "ann")
	testkit.Must(t, err)
	for _, host := range []string{"blog.new.example.com", "*.new.example.com"} {
		_, err := db.AddDomain(t.Context(), shop, host, "ann")
		testkit.Must(t, err)
	}
	var out, errOut bytes.Buffer

	code := run(t.Context(), []string{"check-config", file}, &out, &errOut)

	for _, want := range []string{
		"domain: from the next start on, app shop is served at *.new.example.com no more.\n",
		"domain: from the next start on, blog.new.example.com is no more app shop's, but that of app blog.\n",
	} {
		if code != exitOK || !strings.Contains(out.String(), want) {
			t.Errorf("got exit %d and\n%s%s\nwant %q in it", code, &out, &errOut, want)
		}
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

// A job fails by what its disk has against it, in words for people, and is tried again.
func TestHandlers_SayWhatTheDiskRefuses(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "the disk is full at /nowhere", syscall.EDQUOT: "disk quota", syscall.EROFS: "the disk at /nowhere is read-only", syscall.EIO: "input/output error: look at dmesg",
	} {
		all := told(map[string]jobs.Handler{"x": func(context.Context, *jobs.Run) (any, error) {
			return nil, fmt.Errorf("keep it: %w", &os.PathError{Op: "write", Path: "/nowhere/file", Err: cause})
		}})

		_, err := all["x"](t.Context(), nil)

		if err == nil || !strings.Contains(err.Error(), want) || jobs.IsPermanent(err) || cluster.CodeOf(err) != cluster.CodeUnavailable {
			t.Errorf("%v: got %v, want %q", cause, err, want)
		}
	}
}
