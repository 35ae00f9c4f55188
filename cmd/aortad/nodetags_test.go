package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// A node says how busy it is part by part, and where each of its tags comes from;
// a program of tags that fails takes no tag away, and is named.
func TestNodes_SayWhereLoadAndTagsComeFrom(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "tags")
	write := func(lines string) { testkit.Must(t, os.WriteFile(program, []byte("#!/bin/sh\n"+lines+"\n"), 0o700)) }
	write("echo rack=r7\necho disk=hdd")
	c := newCluster(t, "--tags", "disk=ssd,zone=b", "--tags-program", program)
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	name := c.node().Name
	c.aorta("nodes", "tag", name, "zone=a")

	testkit.Eventually(t, "a node with an instance and tags", func() bool {
		n := c.node()
		return promisedTo(n, "1 instance") && n.TagSources["rack"] != ""
	})

	n := c.node()
	for tag, want := range map[string]string{"zone=a": "set", "disk=ssd": "configured", "rack=r7": "program", "os=linux": "platform"} {
		key, value, _ := strings.Cut(tag, "=")
		if n.Tags[key] != value || n.TagSources[key] != want {
			t.Errorf("%s is %q from %q, want %q from %q", key, n.Tags[key], n.TagSources[key], value, want)
		}
	}
	largest := 0.0
	for _, p := range n.ScoreParts {
		largest = max(largest, p.Value)
	}
	if n.Score == nil || *n.Score != largest || len(n.ScoreParts) != 5 {
		t.Errorf("the score is %v of %+v, want the largest of five", n.Score, n.ScoreParts)
	}

	write("exit 1")
	c.kill()
	c.start()
	testkit.Eventually(t, "the program to be named", func() bool {
		return strings.Contains(strings.Join(strings.Fields(c.aorta("status")), " "), "program of tags "+program+" failed: exit status 1")
	})
	if code, roles := c.readyz(); code != 200 {
		t.Errorf("the node is not ready for want of tags: %d %s", code, roles)
	}
}

// node is the cluster's one node.
func (c *cluster) node() wire.Node {
	c.tb.Helper()
	var nodes []wire.Node
	testkit.Must(c.tb, json.Unmarshal([]byte(c.aorta("nodes", "--json")), &nodes))
	if len(nodes) != 1 {
		c.tb.Fatalf("there are %d nodes, want one", len(nodes))
	}
	return nodes[0]
}

func promisedTo(n wire.Node, whom string) bool {
	for _, p := range n.ScoreParts {
		if p.Name == "instances" && strings.HasSuffix(p.Text, "promised to "+whom) {
			return true
		}
	}
	return false
}
