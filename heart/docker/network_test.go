package docker_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
)

// The engine keeps an instance's own address from others, also without the rules of
// heart/firewall, by which they don't reach either.
func TestEngine_InstancesAreReachedWhereTheyArePublishedAlone(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	image := rig.Image(t, e, id)
	l := launch(t, e, image, nil)
	run(t, e, l)
	n, err := e.EnsureNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Inspect(t.Context(), l.Spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	own, published := netip.AddrPortFrom(c.Address, 5000), netip.AddrPortFrom(l.Address, uint16(l.Spec.Port))
	reaches := func(network string, at netip.AddrPort) bool {
		cmd := exec.Command("docker", "run", "--rm", "--network", network, image.Ref, "/testapp", "ask", fmt.Sprintf("http://%s/env", at))
		cmd.Env = append(cmd.Environ(), "DOCKER_HOST="+testkit.DockerHost())
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "no answer: ") {
			t.Fatalf("run a container in %s: %v\n%s", network, err, out)
		}
		return err == nil && strings.Contains(string(out), string(l.Spec.ID))
	}

	testkit.Eventually(t, "an answer at "+published.String(), func() bool { return reaches(n.Name, published) })
	// Both networks: one of instances, and the one that builds have.
	for _, network := range []string{n.Name, "bridge"} {
		if reaches(network, own) {
			t.Errorf("from %s: %s answers, want nobody to get there", network, own)
		}
	}
}
