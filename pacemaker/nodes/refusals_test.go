package nodes

import (
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Why a node that comes is not heard is known until it is heard again.
func TestNodes_KnowWhyOneIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n3", cluster.RoleHeart)
	_, err := r.nodes.Report(t.Context(), n, report(n, 1, true))
	testkit.Must(t, err)
	r.Clock.Forward(time.Minute)
	heard := r.nodes.Refusal(n.ID)
	other := helloOf(n, "host-n3", "session-other")
	other.Roles = []cluster.Role{cluster.RoleRouter}

	refused := r.nodes.Hello(t.Context(), n, other)
	why := r.nodes.Refusal(n.ID)
	_, err = r.nodes.Report(t.Context(), n, report(n, 2, true))
	testkit.Must(t, err)

	if cluster.CodeOf(refused) != cluster.CodeForbidden || why != refused.Error() || !strings.Contains(why, "was made for the roles heart") {
		t.Errorf("got %v, remembered as %q, want the refusal of its roles", refused, why)
	}
	if after := r.nodes.Refusal(n.ID); heard+after != "" {
		t.Errorf("got %q before and %q after, want nothing while it is heard", heard, after)
	}
}
