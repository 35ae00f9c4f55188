package build

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestGuard_LetsNoBuildFetchFromItsOwnMachine(t *testing.T) {
	names := map[string]string{"files.example.com": "203.0.113.7", "sneaky.example.com": "127.0.0.1", "node.example.com": "10.1.2.3", "localhost": "::1"}
	g := guard{
		lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if names[host] == "" {
				return nil, errors.New("no such host")
			}
			return []netip.Addr{netip.MustParseAddr("203.0.113.8"), netip.MustParseAddr(names[host])}, nil
		},
		own: func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil },
	}
	for address, refused := range map[string]bool{
		"https://files.example.com/x":       false,
		"http://203.0.113.7:8080/x":         false,
		"http://10.1.2.4/x":                 false,
		"https://nowhere.example.com/x":     false, // the engine says so
		"git://files.example.com/x.git":     false,
		"git@files.example.com:x.git":       false,
		"ssh://git@files.example.com/x":     false,
		"http://127.0.0.1:7420/apps":        true,
		"http://127.8.8.8/":                 true,
		"http://localhost/":                 true,
		"http://user:pw@sneaky.example.com": true,
		"http://0.0.0.0/":                   true,
		"http://169.254.169.254/latest":     true,
		"http://10.1.2.3:8080/":             true,
		"http://node.example.com/":          true,
		"http://[::1]/":                     true,
		"http://[::]:80/":                   true,
		"http://[::ffff:127.0.0.1]/":        true,
		"http://[fe80::1%25eth0]/":          true,
		"http://2130706433/":                true,
		"http://0x7f.1/":                    true,
		"http://127.1./":                    true,
		"http:///x":                         true,
		"http://%zz/x":                      true,
		"git@sneaky.example.com:x.git":      true,
		"https://localhost/x.git#main":      true,
	} {
		err := g.host(t.Context(), address)

		if (err != nil) != refused || refused && (cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), address)) {
			t.Errorf("%s: got %v, want it refused by name: %t", address, err, refused)
		}
	}
}

// What the engine fetches by itself may lead anywhere, so the operator names whom
// it may ask.
func TestGuard_LetsTheEngineFetchFromHostsThatTheOperatorNames(t *testing.T) {
	g := guard{
		fetch: []string{"git.example.com", "localhost:3000", "[::1]:80"},
		lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("::1")}, nil
		},
		own: func() ([]netip.Addr, error) { return nil, nil },
	}
	for address, want := range map[string]string{
		"https://git.example.com/x.git":        "",
		"https://GIT.example.com:444/x.git":    "",
		"git@git.example.com:x.git":            "",
		"http://localhost:3000/x.git":          "",
		"http://[::1]:80/x.git":                "",
		"http://localhost:3001/x.git":          "leads to ::1",
		"http://localhost/x.git":               "leads to ::1",
		"http://[::1]/x.git":                   "leads to ::1",
		"https://203.0.113.7/x.git":            "(--build-fetch 203.0.113.7,",
		"git@203.0.113.7:x.git":                "(--build-fetch 203.0.113.7,",
		"https://git.example.com@h.test/x.git": "leads to ::1",
	} {
		err := g.URL(t.Context(), address)

		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}

func TestGuard_LetsNoBuildAskForAnImageOnItsOwnMachine(t *testing.T) {
	g := guard{
		fetch: []string{"localhost:5000"},
		lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			return map[string][]netip.Addr{
				"localhost": {netip.MustParseAddr("::1")}, "sneaky.example.com": {netip.MustParseAddr("127.0.0.1")}, "ghcr.io": {netip.MustParseAddr("203.0.113.7")},
			}[host], nil
		},
		own: func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil },
	}
	for ref, refused := range map[string]bool{
		"debian:12":                false,
		"blog/app":                 false,
		"docker.io/library/debian": false,
		"ghcr.io/a/b:1":            false,
		"10.1.2.4:5000/a":          false,
		"localhost:5000/a/b":       false, // the operator's
		"UPPER/case":               false, // the engine says so
		"localhost:27420/a/b":      true,
		"localhost/a":              true,
		"127.0.0.1:27420/x@sha256:0000000000000000000000000000000000000000000000000000000000000000": true,
		"10.1.2.3:80/x":          true,
		"169.254.169.254/x":      true,
		"[::1]:5000/x":           true,
		"sneaky.example.com/x:1": true,
		"2130706433:80/x":        true,
	} {
		err := g.Registry(t.Context(), ref)

		if (err != nil) != refused || refused && (cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), "--build-fetch")) {
			t.Errorf("%s: got %v, want it refused: %t", ref, err, refused)
		}
	}
}

func TestGuard_LetsNoBuildUseAnotherAppsImage(t *testing.T) {
	g := guard{spec: cluster.BuildSpec{App: "shop", AppID: "1", Cluster: "c"}}
	for name, c := range map[string]struct {
		labels  map[string]string
		refused bool
	}{
		"no label":         {nil, false},
		"its own":          {map[string]string{cluster.LabelCluster: "c", cluster.LabelAppID: "1"}, false},
		"another's":        {map[string]string{cluster.LabelCluster: "c", cluster.LabelAppID: "2"}, true},
		"another cluster":  {map[string]string{cluster.LabelCluster: "d", cluster.LabelAppID: "2"}, true},
		"its id elsewhere": {map[string]string{cluster.LabelCluster: "d", cluster.LabelAppID: "1"}, true},
		"no cluster":       {map[string]string{cluster.LabelAppID: "2"}, true},
	} {
		if err := g.Image("aorta/blog:1", c.labels); (err != nil) != c.refused {
			t.Errorf("%s: got %v, want it refused: %t", name, err, c.refused)
		}
	}
}

func FuzzGuard_Host(f *testing.F) {
	for _, s := range []string{"http://h/x", "git@h:x", "http://[::1%25a]/", "http://1.", "://", "a:b@c:d"} {
		f.Add(s)
	}
	g := guard{
		lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("none") },
		own:    func() ([]netip.Addr, error) { return nil, nil },
	}
	f.Fuzz(func(_ *testing.T, address string) { _ = g.host(context.Background(), address) })
}
