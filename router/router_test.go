package router

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	idA = "0192d3a0-0000-7000-8000-00000000000a"
	idB = "0192d3a0-0000-7000-8000-00000000000b"
)

func record(host string) Record {
	return Record{Host: host, App: idA, AppName: "shop", Groups: []Group{{
		Release: idA, ReleaseName: "v1", Weight: 1,
		Instances: []Instance{{ID: idA, Type: "web", Node: idB, NodeName: "one", Addr: "10.77.0.3:20017"}},
	}}}
}

func TestPair_IsOrderedByEpochFirst(t *testing.T) {
	ordered := []Pair{{}, {0, 9}, {1, 0}, {1, 1}, {2, 0}}

	for i, p := range ordered {
		for j, q := range ordered {
			if got, want := p.Less(q), i < j; got != want {
				t.Errorf("%s < %s: got %v, want %v", p, q, got, want)
			}
		}
	}
}

func TestCanonicalHost_BringsHostsIntoOneForm(t *testing.T) {
	for host, want := range map[string]string{
		"shop.example.com": "shop.example.com", "SHOP.Example.com.:8080": "shop.example.com", "a:": "a",
		"": "", ".": "", "a..b": "", ".a": "", "a_b": "", "[::1]": "", "a b": "", "*.a": "", "ä.de": "",
		strings.Repeat("a", 254): "",
	} {
		got, ok := CanonicalHost(host)

		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", host, got, ok, want)
		}
	}
}

func FuzzCanonicalHost(f *testing.F) {
	for _, seed := range []string{"", "a", "A.b.:80", "a..b", ".a", "a:b:c", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		got, ok := CanonicalHost(host)
		if !ok {
			return
		}
		if again, still := CanonicalHost(got); !still || again != got {
			t.Errorf("%q: %q is not canonical itself, got %q %v", host, got, again, still)
		}
		if len(got) < 1 || len(got) > 253 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			t.Errorf("%q: got %q, outside of a-z 0-9 . -", host, got)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"host":"a.b","app":"` + idA + `","app_name":"shop","groups":[{"release":"` + idA + `","release_name":"v1","weight":1}]}`))
	f.Add([]byte(`{"groups":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRecord(text)
		if err != nil {
			return
		}
		if err := r.Validate(nil); err != nil {
			t.Errorf("a parsed record is not valid: %v", err)
		}
	})
}

func TestRecord_ValidateNamesWhatIsWrong(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/16")}
	for want, change := range map[string]func(*Record){
		"host":                       func(r *Record) { r.Host = "Shop" },
		"app ":                       func(r *Record) { r.App = "shop" },
		"app_name":                   func(r *Record) { r.AppName = "a--b" },
		"epoch or":                   func(r *Record) { r.Epoch = MaxNumber + 1 },
		"groups[0].weight":           func(r *Record) { r.Groups[0].Weight = 10001 },
		"groups[0].release:":         func(r *Record) { r.Groups[0].Release = "" },
		"groups[0].release_name":     func(r *Record) { r.Groups[0].ReleaseName = "1" },
		"groups[0].instances[0].id":  func(r *Record) { r.Groups[0].Instances[0].ID = "1" },
		"instances[0].type":          func(r *Record) { r.Groups[0].Instances[0].Type = "" },
		"instances[0].node:":         func(r *Record) { r.Groups[0].Instances[0].Node = "one" },
		"instances[0].node_name":     func(r *Record) { r.Groups[0].Instances[0].NodeName = "One" },
		"ip:port":                    func(r *Record) { r.Groups[0].Instances[0].Addr = "shop:80" },
		"allowed networks":           func(r *Record) { r.Groups[0].Instances[0].Addr = "169.254.169.254:80" },
		"groups[0].instances[1].id:": func(r *Record) { g := &r.Groups[0]; g.Instances = append(g.Instances, g.Instances[0]) },
		"more than 64":               func(r *Record) { r.Groups = slices.Repeat(r.Groups, 65) },
	} {
		r := record("shop.example.com")
		change(&r)

		if err := r.Validate(networks); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %q", err, want)
		}
	}
	if err := record("*.example.com").Validate(networks); err != nil {
		t.Errorf("good record: got %v, want none", err)
	}
}

func TestParseRecord_IgnoresUnknownFieldsAndRefusesOversize(t *testing.T) {
	good := `{"host":"a.b","later":{"x":1},"app":"` + idA + `","app_name":"shop","groups":[]}`

	if _, err := ParseRecord([]byte(good)); err != nil {
		t.Errorf("unknown field: got %v, want none", err)
	}
	if _, err := ParseRecord([]byte(strings.Repeat(" ", MaxRecordBytes) + good)); err == nil {
		t.Errorf("oversize: got no error")
	}
}

func TestDiff_ComparesWhatRoutes(t *testing.T) {
	same, published := record("same.a"), record("same.a")
	published.Pair = Pair{Epoch: 9, Generation: 9}
	old, changed := record("changed.a"), record("changed.a")
	changed.Groups[0].Instances = []Instance{{ID: idB, Type: "web", Node: idB, NodeName: "one", Addr: "10.77.0.4:1"}}

	gotChanged, gotRemoved := Diff(
		Table{"same.a": published, "changed.a": old, "removed.a": record("removed.a")},
		Table{"same.a": same, "changed.a": changed, "added.a": record("added.a")},
	)

	if diff := cmp.Diff([]Record{record("added.a"), changed}, gotChanged); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"removed.a"}, gotRemoved); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}
