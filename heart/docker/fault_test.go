package docker

import (
	"errors"
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestEngine_SaysThatItsFirewallRulesAreGone(t *testing.T) {
	e := &Engine{host: "unix:///x"}
	said := errors.New("driver failed programming external connectivity: (iptables failed: iptables --wait -t nat -A DOCKER: iptables: No chain/target/match by that name.\n (exit status 1))")

	err := e.fault("start a container", said)

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "the firewall rules of the Docker engine at unix:///x are gone; restart it") {
		t.Errorf("got %v, want what is missing and the command", err)
	}
}
