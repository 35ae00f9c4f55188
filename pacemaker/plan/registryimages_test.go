package plan

import (
	"fmt"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestRegistryImages_WhatBecomesOfEach(t *testing.T) {
	build := func(id cluster.ID, n int, live, kept bool) cluster.ImageUse {
		return cluster.ImageUse{Build: id, App: "shop", AppName: "shop", Number: n, Live: live, Kept: kept}
	}
	rules := ImageRules{
		Keep: 2, MaxSize: 1, Apps: map[cluster.ID]string{"shop": "shop"}, Builds: []cluster.ID{"open"},
		Uses: []cluster.ImageUse{build("old", 1, false, false), build("live", 2, true, false), build("kept", 3, false, true), build("kept", 4, false, true)},
	}
	var list []cluster.RegistryImage
	for _, id := range []cluster.ID{"old", "live", "kept", "open", "failed"} {
		list = append(list, cluster.RegistryImage{App: "shop", Build: id, Digest: "sha256:" + string(id), Size: 1e9})
	}
	// Nobody may keep another app's image by the name of a build.
	list = append(list, cluster.RegistryImage{App: "gone", Build: "live"}, cluster.RegistryImage{App: "gone", Build: "kept"})

	var lines []string
	for _, f := range RegistryImages(list, rules) {
		lines = append(lines, fmt.Sprintf("%t %s %s %v: %s", f.Collect, f.App, f.Build, f.Releases, f.Because))
	}

	want := strings.Join([]string{
		"true shop old [v1]: older than the 2 newest releases",
		"false shop live [v2]: v2 serves or has instances",
		"false shop kept [v4 v3]: one of the 2 newest releases",
		"false shop open []: a job is at work on it",
		"true shop failed []: no release has it",
		"true gone live []: its app is gone",
		"true gone kept []: its app is gone",
	}, "\n")
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
