package heart_test

import (
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Somebody removes the cluster's network, which an engine allows while no container
// runs: the next start makes it again, with the addresses that routes lead to.
//
// It is not parallel: an engine may give the addresses to a network that another test
// makes meanwhile, which TestEngine_NamesTheNetworkThatHasItsAddresses is for.
func TestHeart_MakesItsNetworkAgain(t *testing.T) {
	l := newLab(t)
	n := l.start()
	address := n.Address()
	testkit.Must(t, l.engine.RemoveNetwork(t.Context()))

	id := l.running(n, "serve", nil)
	testkit.Must(t, syscall.Kill(l.inspect(id).Pid, syscall.SIGKILL))
	testkit.Eventually(t, "the network to be removed while nothing runs", func() bool {
		return l.engine.RemoveNetwork(t.Context()) == nil
	})
	l.eventually("the instance to run again", func() bool {
		s := l.pace.status(id)
		return s.State == cluster.InstanceRunning && s.Restarts == 1 && !s.Crashing
	})

	if _, err := n.StopInstance(testkit.Bounded(t), forInstance(id)); err != nil {
		t.Errorf("stop: %v", err)
	}
	made, err := l.engine.EnsureNetwork(t.Context())
	testkit.Must(t, err)
	if made.Gateway.String() != address {
		t.Errorf("got the gateway %s, want %s as before", made.Gateway, address)
	}
}
