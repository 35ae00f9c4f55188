package build_test

import (
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// A build that is cut off by its engine's end is no fault of the app's: it may begin
// again, and does not before the engine is back.
func TestBuilder_OutlivesItsEngine(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY testapp /testapp\nENV MODE=silent\nRUN [\"/testapp\"]\n", "testapp": string(rig.Binary(t))})
	own := rig.OwnEngine(t, s.spec.Cluster)
	b.Engine = rig.EngineAt(t, own.Host, s.spec.Cluster)
	for name, end := range map[string]func(){"killed": own.Kill, "stopped": own.Stop} {
		runs, ended, waits := make(chan struct{}, 1), make(chan error, 1), make(chan struct{}, 1)
		r.OnLog = func(line string) {
			for word, heard := range map[string]chan struct{}{"testapp begins": runs, "begins again": waits} {
				if strings.Contains(line, word) {
					select {
					case heard <- struct{}{}:
					default:
					}
				}
			}
		}
		go func() { _, err := b.Build(t.Context(), r); ended <- err }()
		testkit.Receive(t, "the step to run", runs)

		end()
		testkit.Receive(t, "the build to wait for the engine", waits)
		own.Start()
		err := testkit.Receive(t, "the attempt to end", ended)

		if cluster.CodeOf(err) != cluster.CodeUnavailable || jobs.IsPermanent(err) || len(s.done) != 0 {
			t.Errorf("%s: got %v, recorded %+v; want an attempt that failed, and nothing recorded", name, err, s.done)
		}
	}
}
