package main

import (
	"strings"
	"testing"

	"aorta/web/wire"
)

func TestBuildSecrets_AreSetAndUnsetByName(t *testing.T) {
	api := shop(t)
	api.on("PATCH /apps/shop/build-secrets", 200, wire.BuildSecrets{Names: []string{"npmrc", "token"}})
	c := newCLI(t, api)
	c.file(".secrets", "token=\"t0 k3n\"\n")

	set := c.run("builds", "set-secret", "npmrc=//x/:_auth=1", "--file", ".secrets", "-a", "shop")
	unset := c.run("builds", "unset-secret", "npmrc", "-a", "shop")

	wantCode(t, set, 0)
	wantCode(t, unset, 0)
	wantIn(t, "stderr", set.err, "builds of shop have 2 secrets from the next one on")
	if strings.Contains(set.out+set.err, "_auth") {
		t.Errorf("a value is shown: %s%s", set.out, set.err)
	}
}

func TestBuildSecrets_RefuseWhatIsNone(t *testing.T) {
	c := newCLI(t, shop(t))

	for args, want := range map[string]string{
		"builds set-secret -a shop":           "nothing to set",
		"builds set-secret token -a shop":     "is not of the form KEY=VALUE",
		"builds set-secret a/b=x -a shop":     "is not the name of a build secret",
		"builds unset-secret -a shop":         "",
		"builds:set-secret ../x=long -a shop": "is not the name of a build secret",
		"builds secrets extra -a shop --json": "",
	} {
		got := c.run(strings.Fields(args)...)

		if got.code == 0 || !strings.Contains(got.err, want) {
			t.Errorf("%s: exit %d\n%s\nwant it refused with %q", args, got.code, got.err, want)
		}
	}
}
