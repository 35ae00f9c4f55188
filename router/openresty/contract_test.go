package openresty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"aorta/internal/testkit"
	"aorta/router"
)

const contractConf = `%[1]s
daemon off; master_process off; pid %[2]s/nginx.pid; error_log stderr error; worker_processes 1;
events {}
http {
  lua_package_path "%[2]s/lua/?.lua;;";
  client_body_temp_path %[2]s/b; proxy_temp_path %[2]s/p; fastcgi_temp_path %[2]s/f; uwsgi_temp_path %[2]s/u; scgi_temp_path %[2]s/s;
  client_body_buffer_size 8m; client_max_body_size 8m; access_log off;
  server {
    listen unix:%[2]s/lua.sock;
    location = /host { content_by_lua_block {
      ngx.req.read_body()
      local cjson, host, out = require "cjson.safe", require "aorta.host", {}
      for i, case in ipairs(cjson.decode(ngx.req.get_body_data())) do
        out[i] = host.canonical(case) or cjson.null
      end
      ngx.print(cjson.encode(out))
    } }
    location = /record { content_by_lua_block {
      ngx.req.read_body()
      local cjson, record, network, out = require "cjson.safe", require "aorta.record", require "aorta.network", {}
      local networks = network.parse({ "10.77.0.0/20", "fd00::/9" })
      for i, case in ipairs(cjson.decode(ngx.req.get_body_data())) do
        local parsed, why = record.parse(case, networks)
        out[i] = parsed and "" or tostring(why)
      end
      ngx.print(cjson.encode(out))
    } }
  }
}
`

// startLua starts an nginx with our Lua, to be asked by the client for what that
// makes of a text.
func startLua(tb testing.TB) *http.Client {
	tb.Helper()
	dir := testkit.ShortDir(tb)
	nginxPath, err := findNginx("")
	testkit.Must(tb, err)
	b, err := inspect(nginxPath)
	testkit.Must(tb, err)
	testkit.Must(tb, os.CopyFS(filepath.Join(dir, "lua"), os.DirFS("../../nginx/lua")))
	var load strings.Builder
	for _, m := range b.modules {
		fmt.Fprintf(&load, "load_module %s;\n", m)
	}
	conf := filepath.Join(dir, "nginx.conf")
	testkit.Must(tb, os.WriteFile(conf, fmt.Appendf(nil, contractConf, load.String(), dir), 0o644))
	command := exec.Command(nginxPath, "-p", dir, "-c", conf, "-e", "stderr")
	command.Stderr = os.Stderr
	testkit.StartChild(tb, command)
	socket := filepath.Join(dir, "lua.sock")
	client := &http.Client{Timeout: testkit.Hang, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	tb.Cleanup(client.CloseIdleConnections)
	testkit.Eventually(tb, "nginx to answer", func() bool {
		answer, err := client.Post("http://lua/host", "application/json", strings.NewReader("[]"))
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	})
	return client
}

// askLua posts cases to a path and reads one answer for each.
func askLua[T any](tb testing.TB, nginx *http.Client, path string, cases []string) []T {
	tb.Helper()
	body, _ := json.Marshal(cases)
	answer, err := nginx.Post("http://lua"+path, "application/json", bytes.NewReader(body))
	testkit.Must(tb, err)
	defer answer.Body.Close()
	var out []T
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		tb.Fatalf("decode Lua's answer (%s): %v", answer.Status, err)
	}
	if len(out) != len(cases) {
		tb.Fatalf("Lua's answers: got %d, want %d", len(out), len(cases))
	}
	return out
}

func TestContract_CanonicalHost(t *testing.T) {
	t.Parallel()
	cases := []string{
		"", ".", "..", "a", "A.B", "a.b.", "a.b..", ".a", "a..b", "a:80", "a.:80", ":80", "a:80:80", "a b", "a_b",
		"[::1]", "[::1]:80", "*.b.c", "xn--e1afmkfd.com", "a\"b", "a\nb", "ä.de", "-a-", "a/b", "1.2.3.4", "a.b:",
		strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("a.", 126) + "a.", strings.Repeat("a.", 127),
	}
	alphabet := []rune("aZ0-.:* _\"\\/äß\x7f")
	for range 3000 {
		word := make([]rune, rand.N(12))
		for i := range word {
			word[i] = alphabet[rand.N(len(alphabet))]
		}
		cases = append(cases, string(word))
	}

	lua := askLua[*string](t, startLua(t), "/host", cases)

	for i, text := range cases {
		want, ok := router.CanonicalHost(text)
		if (lua[i] != nil) != ok || (ok && *lua[i] != want) {
			t.Errorf("host %q: Lua says %v, Go says %q %v", text, lua[i], want, ok)
		}
	}
}

func TestContract_ParseRecord(t *testing.T) {
	t.Parallel()
	cases := recordCases(t)
	accepted := 0

	lua := askLua[string](t, startLua(t), "/record", cases)

	for i, text := range cases {
		err := parseAndValidate(text)
		if (lua[i] == "") != (err == nil) && !(lua[i] == "" && readAlike.MatchString(text)) {
			t.Errorf("record %.300s\nLua says %q, Go says %v", text, lua[i], err)
		}
		if err == nil {
			accepted++
		}
	}
	if accepted < 10 || accepted > len(cases)-40 {
		t.Errorf("accepted: got %d of %d, want some and not all", accepted, len(cases))
	}
}

// contractNetworks are those of contractConf.
var contractNetworks = []netip.Prefix{netip.MustParsePrefix("10.77.0.0/20"), netip.MustParsePrefix("fd00::/9")}

func parseAndValidate(text string) error {
	r, err := router.ParseRecord([]byte(text))
	if err == nil {
		err = r.Validate(contractNetworks)
	}
	return err
}

// What a worker takes, whoever has written it, is what Go would write.
func FuzzContract_ParseRecord(f *testing.F) {
	for text := range slices.Chunk(recordCases(f), 25) { // more are begun with for minutes
		f.Add(text[0])
	}
	nginx := startLua(f)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || readAlike.MatchString(text) {
			return // it can't be sent as it is, or need not be refused
		}

		said := askLua[string](t, nginx, "/record", []string{text})[0]

		if err := parseAndValidate(text); said == "" && err != nil {
			t.Errorf("Lua takes what Go refuses: %v", err)
		}
	})
}

// readAlike is what cjson takes for what it looks like: it can't tell {} from [],
// nor 2.0 and 2e0 from 2.
var readAlike = regexp.MustCompile(`\{\s*\}|[:,\[]\s*(-?\d+[.eE]|-0)`)

// recordCases is a good record, then that record with one thing changed at a
// time.
func recordCases(t testing.TB) []string {
	t.Helper()
	good := route("shop.example.com", &app{Instance: router.Instance{
		ID: "0192d3a0-0000-7000-8000-000000000001", Type: "web", Node: "0192d3a0-0000-7000-8000-000000000002",
		NodeName: "one", Addr: "10.77.0.3:20017",
	}})
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	cases := []string{string(text), "", "{}", "[]", "null", "1", "{", string(text) + "x"}
	values := []string{
		`null`, `""`, `"x"`, `1`, `0`, `-1`, `1.5`, `10000`, `10001`, `86400`, `86401`, `1125899906842625`, `99999999999999`, `100000000000000`, `90071992547409920`,
		`0x10`, `0X1`, `01`, `+1`, `1.`, `.5`, `1e0`, `1E2`, `2.0`, `-0`, `nan`, `NaN`, `inf`, `Infinity`, `-inf`, `1e400`,
		`true`, `{}`, `[]`, `[1]`, `[{}]`, `{"1":2}`, `"Shop.example.com"`, `"*.example.com"`, `"*."`, `"*.*.c"`, `"a..b"`,
		`"web--x"`, `"web-"`, `"-web"`, `"9web"`, `"9"`, `"-"`, `"v0"`, `"v1234567890"`, `"v-1"`, `"0192D3A0-0000-7000-8000-000000000001"`,
		`"10.77.0.3:0"`, `"10.77.0.3:65536"`, `"10.77.0.3"`, `"10.77.15.255:1"`, `"10.77.16.0:1"`, `"10.77.00.3:1"`,
		`"[fd00::3]:20017"`, `"[fd80::3]:1"`, `"fd00::3:1"`, `"[10.77.0.3]:1"`, `"[::ffff:10.77.0.3]:1"`, `"[fd00::3%1]:1"`,
		`"10.77.0.3:1 "`, `"a:1"`, `"10.77.0.3:+1"`, `"` + strings.Repeat("a", 41) + `"`, `"` + strings.Repeat("a", 40) + `"`,
		`"` + strings.Repeat("1", 63) + `"`, `"` + strings.Repeat("1", 64) + `"`,
	}
	for _, name := range []string{
		"host", "epoch", "generation", "app", "app_name", "groups", "maintenance", "timeout", "idle_timeout", "max_body",
		"release", "release_name", "weight", "instances", "id", "type", "node", "node_name", "addr", "unheard_of",
	} {
		for _, value := range values {
			cases = append(cases, replaceValue(t, text, name, value))
		}
	}
	return cases
}

// replaceValue sets the field to a text, whether that is JSON or not, wherever in
// the record it lies.
func replaceValue(t testing.TB, text []byte, name, value string) string {
	t.Helper()
	var record map[string]json.RawMessage
	const hole = `"@"`
	var groups, instances []map[string]json.RawMessage
	decode := func(from []byte, into any) {
		if err := json.Unmarshal(from, into); err != nil {
			t.Fatalf("decode: %v", err)
		}
	}
	decode(text, &record)
	decode(record["groups"], &groups)
	decode(groups[0]["instances"], &instances)
	switch name {
	case "release", "release_name", "weight", "instances":
		groups[0][name] = json.RawMessage(hole)
	case "id", "type", "node", "node_name", "addr":
		instances[0][name] = json.RawMessage(hole)
		groups[0]["instances"], _ = json.Marshal(instances)
	default:
		record[name] = json.RawMessage(hole)
	}
	if name != "groups" {
		record["groups"], _ = json.Marshal(groups)
	}
	out, err := json.Marshal(record)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return strings.Replace(string(out), hole, value, 1)
}
