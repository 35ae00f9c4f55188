package config

import (
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestParseRegistryURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://r.example.com", "https://r.example.com:5000/", "https://r.example.com/team/aorta", "http://127.0.0.1:5000", "http://localhost:5000/x", "https://[fd00::1]:5000/a.b_c-d"} {
		if _, err := ParseRegistryURL("registry_url", good); err != nil {
			t.Errorf("%s: got %v, want it taken", good, err)
		}
	}
	for bad, want := range map[string]string{
		"r.example.com":                 "is not https://",
		"ftp://r.example.com":           "is not https://",
		"https:///x":                    "is not https://",
		"https://ann:hush@r.example":    "registry_login",
		"https://r.example.com?x=1":     "no options",
		"http://r.example.com":          "must begin with https://",
		"http://10.0.0.7:5000":          "must begin with https://",
		"https://r.example.com/Team":    "no name of a repository",
		"https://r.example.com/a//b":    "no name of a repository",
		"https://r.example.com/a/../b":  "no name of a repository",
		"https://r.example.com/-a":      "no name of a repository",
		"https://r.example.com/%2e%2e/": "no name of a repository",
	} {
		_, err := ParseRegistryURL("registry_url", bad)
		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want it invalid, with %q and without the log-in", bad, err, want)
		}
	}
}

func TestLoad_TheRegistry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags []string
		field string
	}{
		"a log-in without one": {[]string{"--registry-login", write(t, "a:b")}, "registry_login"},
		"an authority without": {[]string{"--registry-ca", write(t, "x")}, "registry_ca"},
		"without that role":    {[]string{"--registry-url", "https://r", "--roles", "heart"}, "registry_url"},
		"no file":              {[]string{"--registry-url", "https://r", "--registry-login", "/nonexistent"}, "registry_login"},
	} {
		_, _, err := Load(Sources{Flags: append([]string{"--data-dir", "/d"}, c.flags...)})
		if err == nil || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: got %v, want %s named", name, err, c.field)
		}
	}
}
