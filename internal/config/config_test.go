package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

// write makes a configuration file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aortad.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad_EachSourceWinsOverTheOneBefore(t *testing.T) {
	path := write(t, "data_dir: /file\nlisten: 127.0.0.1:1\ndomain: file.example.com\ndead_after: 1m\nroles: [heart, pacemaker]\n")

	cfg, rest, err := Load(Sources{
		Environ: map[string]string{"AORTAD_LISTEN": "127.0.0.1:2", "AORTAD_DOMAIN": "env.example.com", "AORTAD_ROLES": "pacemaker,router", "DOMAIN": "other"},
		Flags:   []string{"--config", path, "--domain", "flag.example.com", "rest"},
	})
	if err != nil {
		t.Fatal(err)
	}

	want := Default()
	want.DataDir, want.Listen, want.Domain, want.DeadAfter = "/file", "127.0.0.1:2", "flag.example.com", time.Minute
	want.Roles = []string{"pacemaker", "router"}
	want.RunDir, want.NodeName, want.RedisAddress = DefaultRunDir("/file"), cfg.NodeName, "127.0.0.1"
	if diff := cmp.Diff(want, cfg); diff != "" || len(rest) != 1 {
		t.Errorf("rest %v, configuration (-want +got):\n%s", rest, diff)
	}
}

func TestLoad_DefaultsAreGood(t *testing.T) {
	cfg, _, err := Load(Sources{Flags: []string{"--data-dir", "data"}})
	if err != nil {
		t.Fatal(err)
	}

	if !filepath.IsAbs(cfg.DataDir) || cluster.ValidateNodeName("", cfg.NodeName) != nil || len(cfg.RunDir) > 60 {
		t.Errorf("got data in %q, run in %q, node %q; want an absolute, a short path and a name", cfg.DataDir, cfg.RunDir, cfg.NodeName)
	}
	if cfg.RunDir == DefaultRunDir(cfg.DataDir+"2") {
		t.Error("got one directory of sockets for two data directories")
	}
}

func TestLoad_TheShippedFileIsGood(t *testing.T) {
	cfg, _, err := Load(Sources{File: "../../scripts/systemd/aortad.yml"})
	if err != nil {
		t.Fatal(err)
	}

	if cfg.DataDir != "/var/lib/aorta" || len(cfg.Roles) != 4 {
		t.Errorf("got %s, want one node with every role", cfg.Describe())
	}
}

func TestLoad_BadFilesAreRefusedWithTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"data_dir: /d\nlistne: 127.0.0.1:1\n":            "listne: is no option; did you mean listen?",
		"data_dir: /d\n\ndead_after: soon\n":             "\"soon\" is not a duration like 30s or 5m (",
		"data_dir: /d\nroles: pacemaker\n":               "\"pacemaker\" is not a list like [a, b] (",
		"data_dir: /d\nlisten: a\nlisten: b\n":           "[3:1]",
		"data_dir: [\n":                                  "[1:11]",
		"data_dir: /d\nrouter_workers: 1e400\n":          ":2:17)",
		"data_dir: /d\naccess_log_buffered: \"often\"\n": "\"often\" is not true or false (",
	} {
		path := write(t, text)

		_, _, err := Load(Sources{File: path})

		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it invalid with the file and %s", text, err, want)
		}
	}
	_, _, err := Load(Sources{File: "/nonexistent/aortad.yml"})
	if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), "/nonexistent/aortad.yml") {
		t.Errorf("got %v, want the file named", err)
	}
}

func TestLoad_BadValuesAreNamed(t *testing.T) {
	for field, values := range map[string][]string{
		"roles":                {"", "king", "heart,heart"},
		"public_url":           {"x", "javascript:alert(1)"},
		"node_name":            {"-", "A", "a.b", strings.Repeat("a", 64)},
		"domain":               {"localhost", "A.b", "*.example.com", "a..b", strings.Repeat("a.", 106) + "bc"},
		"run_dir":              {"run", "/" + strings.Repeat("x", 60)},
		"listen":               {"7420", "localhost:7420", "127.0.0.1:x", "127.0.0.1:65536", "1.2.3.4.5:1", "127.0.0.1:-1"},
		"node_listen":          {"x"},
		"router_listen":        {"x:80"},
		"router_status_listen": {":"},
		"redis_address":        {"0.0.0.0", "::", "localhost", "127.0.0.1:1"},
		"node_address":         {"127.0.0.1", "0.0.0.0", "203.0.113.9", "2001:db8::1", "::1", "10.0.0.1:1", "x"},
		"dead_after":           {"5s", "25h", "-1s"},
		"report_every":         {"99ms", "61s", "6s"},
		"drain_limit":          {"-1s", "61m"},
		"build_timeout":        {"0s", "999ms", "-1m", "25h"},
		"output_files":         {"1", "101"},
		"output_file_bytes":    {"65535", "1073741825"},
		"log_level":            {"trace", ""},
		"log_format":           {"xml"},
		"router_workers":       {"-1", "1025"},
		"tls_cert":             {"cert.pem"},
		"containers_may_reach": {"10.0.0.1", "db.example.com:5432", "10.0.0.0/8:5432", ":0", ":x", "127.0.0.1:5432", "[::1]:5432", "[fe80::1%eth0]:1", "5432"},
		"docker_host":          {"/var/run/docker.sock", "127.0.0.1:2375", "unix://", "://x"},
	} {
		for _, value := range values {
			_, _, err := Load(Sources{Flags: []string{"--data-dir", "/d", "--" + strings.ReplaceAll(field, "_", "-"), value}})

			var coded *cluster.Error
			if !errors.As(err, &coded) || coded.Code != cluster.CodeInvalid || coded.Field != field {
				t.Errorf("%s %q: got %v, want it invalid by its name", field, value, err)
			}
		}
	}
	if _, _, err := Load(Sources{}); cluster.CodeOf(err) != cluster.CodeInvalid || !strings.HasPrefix(err.Error(), "data_dir:") {
		t.Errorf("got %v, want data_dir asked for", err)
	}
}

// Who mends a file hears of all that is wrong, and of nothing that follows from it.
func TestLoad_AllMistakesAtOnce(t *testing.T) {
	path := write(t, "listne: 1\nroles: [king]\ndead_after: soon\nrouter_workers: 1.5\nreport_every: 1h\nlog_level: loud\n")

	_, _, err := Load(Sources{File: path, Environ: map[string]string{"AORTAD_DRAIN_LIMIT": "long", "AORTAD_KEEP_RELEASES": "many"}})

	want := "9 mistakes in the configuration:\n" +
		"  listne: is no option; did you mean listen? (" + path + ":1:1)\n" +
		"  dead_after: \"soon\" is not a duration like 30s or 5m (" + path + ":3:13)\n" +
		"  router_workers: \"1.5\" is not a whole number in digits (such as 8) (" + path + ":4:17)\n" +
		"  drain_limit: \"long\" is not a duration like 30s or 5m (AORTAD_DRAIN_LIMIT)\n" +
		"  keep_releases: \"many\" is not a whole number in digits (such as 8) (AORTAD_KEEP_RELEASES)\n" +
		"  data_dir: is not given (--data-dir DIR, or data_dir in the file)\n"
	if err == nil || !strings.HasPrefix(err.Error(), want) || cluster.CodeOf(err) != cluster.CodeInvalid {
		t.Errorf("got %v, want it to begin with\n%s", err, want)
	}
	for _, rest := range []string{"roles: ", "report_every: 1h is outside", "log_level: "} {
		if !strings.Contains(err.Error(), rest) {
			t.Errorf("got %v, want %q in it", err, rest)
		}
	}
}

func TestLoad_TwoListenersOnOneAddress(t *testing.T) {
	for flags, wrong := range map[string]string{
		"--listen 127.0.0.1:8080": "router_listen",
		"--router-listen :7420":   "router_listen",
		"--router-listen 127.0.0.1:1 --router-status-listen 127.0.0.1:1":                   "router_status_listen",
		"--node-listen 0.0.0.0:1 --router-status-listen 127.0.0.1:1":                       "router_status_listen",
		"--node-listen [::]:1 --router-status-listen [::1]:1":                              "router_status_listen",
		"--node-listen 127.0.0.1:0 --router-status-listen 127.0.0.1:0":                     "",
		"--node-listen 127.0.0.1:1 --router-status-listen 127.0.0.2:1":                     "",
		"--listen 127.0.0.1:x --router-listen 127.0.0.1:x --router-status-listen 10.0.0.1": "listen",
	} {
		_, _, err := Load(Sources{Flags: append([]string{"--data-dir", "/d"}, strings.Fields(flags)...)})

		if (err != nil) != (wrong != "") || wrong != "" && wrong != "listen" && fieldOf(err) != wrong {
			t.Errorf("%s: got %v, want %q wrong", flags, err, wrong)
		}
		if strings.Contains(fmt.Sprint(err), "too:") && wrong == "listen" {
			t.Errorf("%s: got %v, want nothing said of addresses that are none", flags, err)
		}
	}
}

// A certificate that can't be used would end each start.
func TestLoad_TheCertificateIsRead(t *testing.T) {
	text := write(t, "no certificate")
	for name, c := range map[string]struct{ cert, key, want string }{
		"no file":          {"/no/cert.pem", text, "tls_cert: can't be read: open /no/cert.pem"},
		"no key":           {text, "/no/key.pem", "tls_key: can't be read: open /no/key.pem"},
		"not certificates": {text, text, "tls_cert: " + text + " and " + text + " are no certificate with its key"},
	} {
		_, _, err := Load(Sources{Flags: []string{"--data-dir", "/d", "--tls-cert", c.cert, "--tls-key", c.key}})

		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestUnknownVariables_NamesWhatIsMeant(t *testing.T) {
	got := UnknownVariables(map[string]string{"AORTAD_LISTEN": "", "AORTAD_LISTN": "", "AORTAD_XYZZY": "", "LISTN": "", "AORTAD_CRASH_AT": ""})

	want := []string{"AORTAD_LISTN is no option's variable; did you mean AORTAD_LISTEN?", "AORTAD_XYZZY is no option's variable"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoad_PacemakersAreForThoseThatJoined(t *testing.T) {
	for name, c := range map[string]struct {
		roles, pacemakers string
		good              bool
	}{
		"told at its joining": {"heart", "", true},
		"two":                 {"heart", "https://10.0.0.1:7421,https://pace.example.com:7421", true},
		"its own":             {"pacemaker,heart", "https://10.0.0.1:7421", false},
		"in the clear":        {"heart", "http://10.0.0.1:7421", false},
		"no address":          {"heart", "10.0.0.1:7421", false},
		"a path":              {"heart", "https://10.0.0.1:7421/api", false},
	} {
		flags := []string{"--data-dir", "/d", "--roles", c.roles}
		if c.pacemakers != "" {
			flags = append(flags, "--pacemakers", c.pacemakers)
		}
		if _, _, err := Load(Sources{Flags: flags}); (err == nil) != c.good {
			t.Errorf("%s: got %v, want it good: %t", name, err, c.good)
		}
	}
}

// What follows from a node address: where other machines reach what they need.
func TestLoad_ANodeAddressOpensTheCluster(t *testing.T) {
	for name, c := range map[string]struct {
		flags          []string
		nodes, redises string
	}{
		"none":           {nil, "", "127.0.0.1"},
		"one":            {[]string{"--node-address", "10.0.0.1"}, "10.0.0.1:7421", "10.0.0.1"},
		"IPv6":           {[]string{"--node-address", "fd00::1"}, "[fd00::1]:7421", "fd00::1"},
		"said otherwise": {[]string{"--node-address", "10.0.0.1", "--node-listen", "10.0.0.2:9", "--redis-address", "10.0.0.3"}, "10.0.0.2:9", "10.0.0.3"},
		"a node alone":   {[]string{"--node-address", "10.0.0.1", "--roles", "heart"}, "", "10.0.0.1"},
	} {
		cfg, _, err := Load(Sources{Flags: append([]string{"--data-dir", "/d"}, c.flags...)})
		if err != nil || cfg.NodeListen != c.nodes || cfg.RedisAddress != c.redises {
			t.Errorf("%s: got %q and %q (%v), want %q and %q", name, cfg.NodeListen, cfg.RedisAddress, err, c.nodes, c.redises)
		}
	}
}

// What joining writes is what the next start reads; flags go before it.
func TestWrite_IsReadFromTheDataDirectory(t *testing.T) {
	dir := t.TempDir()
	given := []string{"--data-dir", dir, "--roles", "heart,router", "--node-address", "10.0.0.2", "--router-listen", ":80", "--report-every", "3s", "--router-trusted-proxies", "10.0.0.0/8", "--keep-releases", "7", "--access-log-buffered=false"}
	joined, _, err := Load(Sources{Flags: given, Joining: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := joined.Write(filepath.Join(dir, FileName)); err != nil {
		t.Fatal(err)
	}

	started, _, err := Load(Sources{Flags: []string{"--data-dir", dir}})
	changed, _, errChanged := Load(Sources{Flags: []string{"--data-dir", dir, "--router-listen", ":8081"}})

	if diff := cmp.Diff(joined, started); diff != "" || err != nil {
		t.Errorf("(-joined +started): %v\n%s", err, diff)
	}
	if errChanged != nil || changed.RouterListen != ":8081" || changed.NodeAddress != "10.0.0.2" {
		t.Errorf("got %+v (%v), want the flag before the file", changed, errChanged)
	}
}

func TestLoad_BadFlagsAndVariables(t *testing.T) {
	_, _, unknown := Load(Sources{Flags: []string{"--no-such-flag"}})
	_, _, wrong := Load(Sources{Flags: []string{"--dead-after", "soon"}})
	_, _, octal := Load(Sources{Flags: []string{"--data-dir", "/d", "--keep-releases", "010"}})
	_, _, variable := Load(Sources{Flags: []string{"--data-dir", "/d"}, Environ: map[string]string{"AORTAD_DEAD_AFTER": "soon"}})

	if !errors.Is(unknown, ErrUsage) || !errors.Is(wrong, ErrUsage) || !errors.Is(octal, ErrUsage) {
		t.Errorf("got %v, %v and %v, want usage errors", unknown, wrong, octal)
	}
	if cluster.CodeOf(variable) != cluster.CodeInvalid || !strings.Contains(variable.Error(), "soon") {
		t.Errorf("got %v, want the variable's value named", variable)
	}
}

func TestConfig_EveryKeyIsAFlagAndAVariable(t *testing.T) {
	cfg := Default()
	flags := map[string]bool{}
	newFlags(&cfg).VisitAll(func(f *flag.Flag) { flags[f.Name] = true })

	for field := range reflect.TypeFor[Config]().Fields() {
		key := field.Tag.Get("yaml")

		if !flags[strings.ReplaceAll(key, "_", "-")] || field.Tag.Get("env") != strings.ToUpper(key) {
			t.Errorf("%s: got key %q and variable %q, want a flag and a variable of the key's name", field.Name, key, field.Tag.Get("env"))
		}
	}
}

func TestLoad_TrustedProxiesAreNetworks(t *testing.T) {
	load := func(list string) ([]string, error) {
		cfg, _, err := Load(Sources{Flags: []string{"--data-dir", "data", "--router-trusted-proxies", list}})
		if err != nil {
			return nil, err
		}
		networks, err := cfg.TrustedProxies()
		var got []string
		for _, n := range networks {
			got = append(got, n.String())
		}
		return got, err
	}

	got, err := load("10.1.2.3/8, 192.0.2.1,fd00::/8")
	if diff := cmp.Diff([]string{"10.0.0.0/8", "192.0.2.1/32", "fd00::/8"}, got); diff != "" || err != nil {
		t.Errorf("got error %v, networks (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"proxy.example.com", "10.0.0.0/33", "fe80::1%eth0", "1 1;"} {
		if _, err := load(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestConfig_ReachableIsAtOneAddressOrAtAll(t *testing.T) {
	cfg, _, err := Load(Sources{Flags: []string{"--data-dir", "data", "--containers-may-reach", "10.0.0.5:5432, :8125,[fd00::1]:80,[::ffff:10.0.0.6]:1"}})
	if err != nil {
		t.Fatal(err)
	}

	got, err := cfg.Reachable()

	want := []string{"10.0.0.5:5432", "0.0.0.0:8125", "[::]:8125", "[fd00::1]:80", "10.0.0.6:1"}
	var texts []string
	for _, at := range got {
		texts = append(texts, at.String())
	}
	if diff := cmp.Diff(want, texts); diff != "" || err != nil {
		t.Errorf("got error %v, addresses (-want +got):\n%s", err, diff)
	}
}

// What a file says twice, or where nobody reads, is refused and not half heard.
func TestLoad_AFileIsReadInOneWay(t *testing.T) {
	for text, want := range map[string]string{
		"data_dir: /d\ndata_dir: /e\n":        "data_dir",
		"data_dir: /d\n---\ndomain: x.test\n": "a second document begins",
		"data_dir: /d\n---\n[\n":              "sequence end token",
		"data_dir: /d\nkeep_releases: 1.5\n":  "keep_releases: \"1.5\" is not a whole number",
		"data_dir: /d\nkeep_releases: 010\n":  "keep_releases: \"010\" is not a whole number",
		"data_dir: /d\nkeep_releases: 0x10\n": "keep_releases: \"0x10\" is not a whole number",
		"data_dir: /d\nno_such: 1\n":          "no_such",
	} {
		_, _, err := Load(Sources{File: write(t, text)})

		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it invalid with %q", text, err, want)
		}
	}
}
