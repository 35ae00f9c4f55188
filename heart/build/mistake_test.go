package build

import (
	"fmt"
	"strings"
	"testing"
)

func TestDeclared_TellsAllMistakesAtOnceWithTheirLines(t *testing.T) {
	t.Parallel()
	d := declared{
		procfile: []byte("web: ./a\n\n  Worker: ./b\nclock ./c\n"),
		appJSON:  []byte("{\n  \"formation\": {\n    \"web\": {\"quantity\": -1}\n  }\n}\n"),
		manifest: []byte("proceses: {}\nprocesses:\n  web:\n    memory: 256 megs\n    cpus: [1]\n    health: {path: up}\nroute: {timeout: soon}\ndomains: [a.example.com, localhost]\nrelease: ./m\n"),
	}

	_, err := d.resolve(true)

	want := `10 mistakes in Procfile and app.json and aorta.yml:
Procfile:3:3: "Worker" is not a name (1 to 40 of a-z, 0-9 and single hyphens, a letter first, no hyphen last)
      Worker: ./b
      ^
Procfile:4:1: "clock ./c" is not of the form name: command
    clock ./c
    ^
`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got\n%v\nwant it to begin with\n%s", err, want)
	}
	for _, one := range []string{
		"app.json:3:5: formation.web.quantity: -1 is outside",
		"aorta.yml:1:1: unknown key \"proceses\"; did you mean \"processes\"?\n    proceses: {}\n    ^\n",
		"aorta.yml:4:13: processes.web.memory: \"256 megs\" is not a size (such as 256m or 1.5g)\n        memory: 256 megs\n                ^\n",
		"aorta.yml:5:11: cpus: a list is not a number of CPU cores (such as 0.5 or 500m)\n        cpus: [1]\n              ^\n",
		"aorta.yml:6:20: processes.web.health.path: ",
		"aorta.yml:7:18: route.timeout: \"soon\" is not a time",
		"aorta.yml:8:26: domains[1]: \"localhost\" is not a hostname",
		"aorta.yml:9:10: release: not supported yet; remove it to deploy\n    release: ./m\n             ^",
	} {
		if !strings.Contains(fmt.Sprint(err), one) {
			t.Errorf("got\n%v\nwant in it\n%s", err, one)
		}
	}
}

func TestDeclared_SaysWhatOfAppJSONDoesNothingHere(t *testing.T) {
	t.Parallel()
	d := declared{procfile: []byte("web: ./a\n"), appJSON: []byte(`{"name": "shop", "env": {"A": "b"}, "buildpacks": [], "formation": {"web": {"quantity": 2}}}`)}

	p, err := d.resolve(false)

	if err != nil || len(p.warnings) != 1 || !strings.HasPrefix(p.warnings[0], "app.json: buildpacks, env: nothing is done with that here") {
		t.Errorf("got %v, %q; want what is not read named", err, p.warnings)
	}
}

// A file of mistakes alone is told in bounds.
func TestDeclared_TellsSoManyMistakesAndNoMore(t *testing.T) {
	t.Parallel()
	d := declared{procfile: []byte("web: ./a\n")}
	for i := range 500 {
		d.manifest = fmt.Appendf(d.manifest, "k%d: 1\n", i)
	}

	_, err := d.resolve(false)

	if n := strings.Count(fmt.Sprint(err), "unknown key"); n != maxMistakes {
		t.Errorf("got %d mistakes told, want %d", n, maxMistakes)
	}
}
