package scripts_test

import (
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// app is a program of a kind that people run, in the folder apps/NAME. Its page
// at / is the line "NAME vVERSION says GREETING from HOSTNAME".
type app struct {
	name    string
	program bool              // it is written in Go and built here, for an image FROM scratch
	config  map[string]string // set before the first push
	logs    string            // what its log has once it was used
	process string            // the process type that is scaled; empty: web

	// use is what its users do, through its own protocol.
	use func(*visit)
	// says is its line, for an app whose users don't speak HTTP: there is no
	// load on it then.
	says func(*visit) string
}

// The programs in Go need no base image, so every run of the tests has them.
var programs = []app{
	{name: "scratch", program: true, logs: "GET / by"},
	{name: "ipv6", program: true, logs: "GET / by", use: refusesIPv6Alone},
	{name: "stubborn", program: true, logs: "GET / by", use: survivesTerm},
	{name: "late", program: true, logs: "migration 4 of 4"},
	{name: "transfer", program: true, logs: "GET / by", use: transfers},
}

// Apps of the kinds that people run go through their days as they would
// anywhere, on the very cluster of `make up`.
func TestApps_InGo(t *testing.T) { live(t, programs) }

func live(t *testing.T, apps []app) {
	s := up(t)
	t.Run("apps", func(t *testing.T) { // the cluster goes when all have ended
		for _, a := range apps {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				s.liveOne(t, a)
			})
		}
	})
}

// liveOne takes an app from its first push to its end.
func (s *shipped) liveOne(t *testing.T, a app) {
	v := s.visit(t, a)
	v.push()
	v.expect("after the first push", "v1", "hello")
	if a.use != nil {
		a.use(v)
	}
	testkit.Eventually(t, "aorta logs has "+a.logs, func() bool { return strings.Contains(v.aorta("logs", "-n", "1000"), a.logs) })

	v.write("version", "2\n")
	v.underLoad("a push", func() { v.push() })
	v.expect("after the second push", "v2", "hello")
	v.underLoad("a change of the config", func() { v.aorta("config", "set", "GREETING=moin") })
	v.expect("after the change of the config", "v2", "moin")
	v.underLoad("scaling up", func() { v.aorta("ps", "scale", v.process()+"=2") })
	v.expectInstances(2)
	v.underLoad("scaling down", func() { v.aorta("ps", "scale", v.process()+"=1") })
	v.expectInstances(1)

	before := v.leftovers()
	v.aorta("apps", "destroy", a.name, "--confirm", a.name)
	v.expectNothing(before)
}
