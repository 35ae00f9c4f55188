package heart_test

import (
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Whatever answers at an instance's address, it is not healthy before it answers
// there itself.
func TestHeart_BelievesNoOtherProcessAtAnInstancesAddress(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id := cluster.NewID()
	own := rig.OwnEngine(t, id)
	l := labOn(t, rig.EngineAt(t, own.Host, id), id)
	n := l.start()
	first := netip.MustParseAddr(n.Address()).Next().String()
	ip := func(verb string) {
		t.Helper()
		if out, err := exec.Command("ip", "addr", verb, first+"/32", "dev", "lo").CombinedOutput(); err != nil {
			t.Fatalf("ip addr %s: %v: %s", verb, err, out)
		}
	}
	ip("add")
	impostor, err := net.Listen("tcp", first+":5000")
	testkit.Must(t, err)
	defer impostor.Close()
	run := forInstance(l.want("serve", nil))
	ended := make(chan error, 1)
	go func() { _, err := n.StartInstance(t.Context(), run); ended <- err }()

	l.eventually("the other process to be named", func() bool {
		return strings.Contains(strings.Join(run.Steps(), "\n"), "at its address "+first+" answers a process that is not its own")
	})
	select {
	case err := <-ended:
		t.Fatalf("the start has ended: %v", err)
	default:
	}
	ip("del")

	if err := <-ended; err != nil {
		t.Errorf("start: %v", err)
	}
}

// Somebody takes a container out of the cluster's network: another one takes its
// place, of a type without a port, too.
func TestHeart_ReplacesAContainerThatIsOutOfItsNetwork(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	web := l.running(n, "serve", nil)
	worker := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Type, s.Port = "worker", 0 })
	network, err := l.engine.EnsureNetwork(t.Context())
	testkit.Must(t, err)
	raw, err := client.New(client.WithHost(testkit.DockerHost()))
	testkit.Must(t, err)
	defer raw.Close()

	for _, id := range []cluster.ID{web, worker} {
		before := l.inspect(id)
		_, err = raw.NetworkDisconnect(t.Context(), network.Name, client.NetworkDisconnectOptions{Container: string(id), Force: true})
		testkit.Must(t, err)
		l.eventually("another container in its place", func() bool {
			c, err := l.engine.Inspect(t.Context(), id)
			s := l.pace.status(id)
			return err == nil && c.EngineID != before.EngineID && c.Address.IsValid() && !s.Crashing && s.StartedAt.Equal(c.StartedAt)
		})
	}

	l.pace.set(func() {
		if len(l.pace.crashes) > 0 {
			t.Errorf("reported as crashed: %v", l.pace.crashes)
		}
	})
}
