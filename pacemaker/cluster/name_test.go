package cluster

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// nameCase is a line of testdata/names.json, the one statement of what names may
// be. The routing table's rules in Go and in Lua are walked through it too.
type nameCase struct {
	Kind string // "name": of an app, a process type, a workspace; "node": of a node
	Text string
	OK   bool
}

func nameCases(tb testing.TB) []nameCase {
	tb.Helper()
	raw, err := os.ReadFile("testdata/names.json")
	if err != nil {
		tb.Fatal(err)
	}
	var cases []nameCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		tb.Fatal(err)
	}
	return cases
}

// wantInvalid checks that an error, if there is to be one, is of bad input in
// the field, and quotes no more of it than people can read.
func wantInvalid(tb testing.TB, what string, err error, field string, ok bool) {
	tb.Helper()
	if ok {
		if err != nil {
			tb.Errorf("%.60q: got %v, want it accepted", what, err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeInvalid || e.Field != field {
		tb.Errorf("%.60q: got %v, want it refused as invalid in %s", what, err, field)
		return
	}
	if len(e.Message) > 800 || strings.ContainsAny(e.Message, "\x00\n\r\x1b") {
		tb.Errorf("%.60q: got the message %q, want one short line", what, e.Message)
	}
}

func TestValidateName_FollowsTheTable(t *testing.T) {
	validators := map[string]func(field, name string) error{"name": ValidateName, "node": ValidateNodeName}
	for _, c := range nameCases(t) {
		wantInvalid(t, c.Kind+" "+c.Text, validators[c.Kind]("app.name", c.Text), "app.name", c.OK)
	}
}

func TestValidateHost(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".") // 253
	for host, ok := range map[string]bool{
		"shop.example.com": true, "a.b": true, "1.a": true, "127.0.0.1.nip.io": true, "0x.b0": true, "*.example.com": true, "xn--e1afmkfd.com": true, "a--b.com": true,
		label + ".com": true, long: true,

		"127.0.0.1": false, "127.1": false, "1.2": false, "10.0.0.0x1": false, "a.0x": false, "a.1": false, "*.0.0.1": false,
		"": false, "shop": false, "*": false, "*.": false, "*.com": false, "*.*.com": false, "a.*.com": false, "**.a.com": false,
		".a.com": false, "a.com.": false, "a..com": false, "-a.com": false, "a-.com": false, "a.-com": false, "A.com": false,
		"a_b.com": false, "a b.com": false, "ä.com": false, "a.com:80": false, "a.com/x": false, "http://a.com": false, "[::1]": false,
		"a.com\n": false, "a.com\x00": false, "a\".com": false, label + "a.com": false, long + "a": false,
	} {
		wantInvalid(t, host, ValidateHost("hosts", host), "hosts", ok)
	}
}

func TestValidateConfigKey(t *testing.T) {
	for key, ok := range map[string]bool{
		"A": true, "a": true, "_": true, "_1": true, "DATABASE_URL": true, "PORTS": true, "AORTA": true, strings.Repeat("K", 128): true,

		"": false, "1A": false, "A-B": false, "A B": false, "A=B": false, "A\n": false, "A\x00": false, "Ä": false, "A.B": false,
		"PORT": false, "AORTA_": false, "AORTA_APP": false, strings.Repeat("K", 129): false,
	} {
		wantInvalid(t, key, ValidateConfigKey("set", key), "set", ok)
	}
}

func TestValidateConfigValue(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "plain": true, "two\nlines": true, "\xff\xfe": true, strings.Repeat("v", MaxConfigValue): true,
		"a\x00b": false, strings.Repeat("v", MaxConfigValue+1): false,
	} {
		wantInvalid(t, value, ValidateConfigValue("set", value), "set", ok)
	}
}

func TestValidateConfigValue_NeverQuotesASecret(t *testing.T) {
	secret := "s3cr3t\x00"
	if err := ValidateConfigValue("set", secret); err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v, want a refusal without the value", err)
	}
}

func TestNodeNameFrom(t *testing.T) {
	for hostname, want := range map[string]string{
		"web1": "web1", "Web1.Example.com": "web1", "my_host": "my-host", "-a-": "a", "": "node", ".": "node", "___": "node", "ä": "node",
		strings.Repeat("a", 70): strings.Repeat("a", 63), strings.Repeat("a", 62) + "__b": strings.Repeat("a", 62),
	} {
		if got := NodeNameFrom(hostname); got != want {
			t.Errorf("%q: got %q, want %q", hostname, got, want)
		}
	}
}

func FuzzNodeNameFrom(f *testing.F) {
	for _, s := range []string{"", "web1.example.com", "-", "ÄÖ", strings.Repeat("-", 100) + "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, hostname string) {
		if got := NodeNameFrom(hostname); ValidateNodeName("name", got) != nil {
			t.Errorf("%q: got %q, want a node name", hostname, got)
		}
	})
}

// FuzzValidateName holds the validators together: what one lets in, those that
// are wider let in too, and none lets in what must never reach a file name, a
// header or a shell.
func FuzzValidateName(f *testing.F) {
	f.Add("shop")
	f.Add("a--b")
	f.Add("a\n")
	f.Fuzz(func(t *testing.T, s string) {
		name, node := ValidateName("n", s) == nil, ValidateNodeName("n", s) == nil
		host := ValidateHost("n", s+".example.com") == nil
		if name && (!node || !host) {
			t.Errorf("%q is a name, and no node name (%t) or no label of a host (%t)", s, node, host)
		}
		if (name || node || ValidateHost("n", s) == nil || ValidateConfigKey("n", s) == nil) && strings.ContainsAny(s, " /\\\x00\n\r\"'$;:%&|<>`") {
			t.Errorf("%q was let in", s)
		}
	})
}
