package main_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/pause"
	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/internal/testkit/storm"
)

var (
	stormSeed    = flag.Uint64("storm.seed", 0, "of the storm; 0: another one each time")
	stormMinutes = flag.Int("storm.minutes", 3, "how long the storm lasts, about")
)

// A round of a storm is so many faults, and then the time until all is calm again.
const (
	stormSlots     = 3
	roundsInAnHour = 40
)

// stormDeadAfter is the time until a host counts as dead: shorter than make up has it, so
// that what is lost in the middle of a round is replaced in it.
const stormDeadAfter = 8 * time.Second

// stormy is an app on four hosts in a storm.
type stormy struct {
	t    *testing.T
	seed uint64
	lab  *lab.Lab
	c    *cluster
	app  *project

	round    int
	began    time.Time      // of the round
	asking   sync.WaitGroup // what people ask for, until it has its answer
	pushing  sync.Mutex     // held by who pushes
	outages  []outage       // of all rounds
	programs map[string]int // at first: what runs on a host, by host and name
	drained  sync.Map       // names of the hosts that are to be undrained
	ledger   ledger
	epoch    [2]uint64 // of the table, at the last quiet point: epoch and generation
}

// outage is a fault that was begun: in which time it was, and in which it ended.
type outage struct {
	storm.Fault
	from, begun time.Time
	until       time.Time // zero: not yet
	newest      time.Time // when the routers that it had parted from the pacemaker had the newest table again
}

// Faults come over hosts, daemons and connections, and changes in the middle of them, all
// at the will of a seed. Whenever it is calm again, nothing is lost, doubled or left over,
// and no request has failed but those that were on their way to what was killed.
func TestStorm_LeavesNothingLostDoubledOrOver(t *testing.T) {
	t.Parallel()
	s := &stormy{t: t, seed: *stormSeed}
	if s.seed == 0 {
		s.seed = uint64(time.Now().UnixNano())
	}
	t.Logf("the storm of -storm.seed %d", s.seed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Errorf("it was in round %d of -storm.seed %d", s.round, s.seed)
		}
	})
	specs := lab.Specs(4)
	specs[0].Flags = []string{"--dead-after=" + stormDeadAfter.String()}
	s.lab = ownLab(t, nil, specs...)
	s.c = on(t, s.lab.Pacemaker())
	s.app = s.c.newApp("shop", "hello")
	s.app.deploy()
	s.c.aorta("ps", "scale", "-a", "shop", "web=4")
	s.app.running(4)
	s.programs = s.allPrograms()

	for s.round = range max(1, *stormMinutes*roundsInAnHour/60) {
		s.blow(storm.Round(s.seed, s.round, stormSlots, len(s.lab.Hosts)))
		if t.Failed() {
			return
		}
	}
}

// blow is one round: faults under load, all of them mended, and a look at what is left.
func (s *stormy) blow(faults []storm.Fault) {
	s.t.Helper()
	var said []string
	for _, f := range faults {
		said = append(said, "  "+f.String())
	}
	s.t.Logf("round %d:\n%s", s.round, strings.Join(said, "\n"))
	get, post := loading(s.t, s.lab, lab.Load{App: "shop", Rate: 40}), loading(s.t, s.lab, lab.Load{App: "shop", Rate: 10, Post: true})
	s.began = time.Now()
	for _, e := range storm.Events(faults) {
		if !pause.For(s.t.Context(), time.Until(s.began.Add(e.At))) {
			s.t.Fatal("the storm was ended")
		}
		s.happen(e)
	}
	s.mend()
	s.asking.Wait()
	gets, posts := get(), post()
	s.ledger.add(gets, posts)
	s.judge("GET", gets)
	s.judge("POST", posts)
	s.calm()
}

// note says something of the round, with its time in it.
func (s *stormy) note(format string, args ...any) {
	s.t.Logf("%7s: %s", lab.Moment(s.began).Passed(), fmt.Sprintf(format, args...))
}

// ask runs the client, which may be refused, and gives what it prints.
func (s *stormy) ask(args ...string) (string, error) {
	out, err := s.lab.Aorta(testkit.BoundedBy(s.t, context.Background()), args...)
	return string(out), err
}

// tell reads what the client prints.
func tell[T any](s *stormy, args ...string) (v T, err error) {
	out, err := s.ask(append(args, "--json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &v)
	}
	return v, err
}
