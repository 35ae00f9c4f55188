package pacemaker

import (
	"fmt"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
)

// BenchmarkReconcile_QuietApps is a round over 1,000 apps of which none has
// changed and none lacks anything.
func BenchmarkReconcile_QuietApps(b *testing.B) {
	r := newRig(b)
	n := r.newNode("n1", cluster.RoleHeart)
	for i := range 1000 {
		r.Instance(r.Deploy(r.App(fmt.Sprintf("app%d", i))), "web", n)
	}
	r.round()
	for b.Loop() {
		r.Clock.Forward(2 * time.Second)
		r.round()
	}
}
