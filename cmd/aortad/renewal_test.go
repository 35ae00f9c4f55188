package main_test

import (
	"fmt"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// A node whose certificates last for seconds: it renews them while it works and fails
// no request or deploy, and comes back by one that has expired while it was off.
func TestNodes_CertificatesAreRenewedUnderLoad(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := unstarted(t, "--node-listen", nodes)
	c.env = append(c.env, "AORTAD_NODE_LIFE=12s")
	c.start()
	shop := c.newApp("shop", "hello")
	shop.deploy()
	n := c.join("n2", "heart", "https://"+nodes)
	file := n.dir + "/data/node/node.crt"
	testkit.Eventually(t, "n2 to be ready", func() bool { return c.nodeNamed("n2").State == "ready" })
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	load := shop.underLoad(rate{gets: 20, posts: 5})
	seen := map[string]bool{}
	renewed := func(times int) {
		t.Helper()
		testkit.Eventually(t, fmt.Sprintf("%d certificates", times), func() bool {
			seen[certIn(t, file).SerialNumber.String()] = true
			return len(seen) >= times
		})
	}

	renewed(3)
	shop.commit("second")
	shop.deploy()
	renewed(5)

	load.end(0)
	if got := shop.spread(2); got["n2"] != 1 {
		t.Errorf("got the instances at %v, want one on n2 still", got)
	}
	n.term()
	last := certIn(t, file)
	testkit.Eventually(t, "the certificate to expire", func() bool { return time.Now().After(last.NotAfter) })
	n.start()
	testkit.Eventually(t, "the node to be ready by a new one", func() bool {
		return c.nodeNamed("n2").State == "ready" && certIn(t, file).NotAfter.After(last.NotAfter)
	})
}
