package main_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// frail is an app on one host that fails while another one is under load.
type frail struct {
	*siege
	app  *project
	host *lab.Host
}

// An app crashes again and again, runs out of memory, and loses its image while there is
// no registry: each cause is named with the app's last words, it is started again at
// longer and longer intervals, and nobody else notices.
func TestLab_AnAppThatFailsHurtsNoOther(t *testing.T) {
	t.Parallel()
	s := besiege(t, &four)
	f := frail{siege: s, app: s.c.newApp("frail", "testapp"), host: s.lab.Hosts[1]}
	s.c.aorta("nodes", "tag", f.host.Name, "frail")
	f.app.only(t, "frail")
	s.c.aorta("ps", "type", "web", "--memory", "32m", "-a", "frail")

	f.crashes()
	f.runsOutOfMemory()
	f.losesItsImage()

	if n := f.app.ps1().Restarts; n > 10 {
		t.Errorf("got %d starts within some minutes, want ten at the most", n)
	}
	f.app.destroy()
}

// fails has the app end while the other one is under load, and waits until it is told
// why, with its last words in the log, and until it serves again.
func (f *frail) fails(fault, cause string, end func()) {
	f.t.Helper()
	f.under(fault, f.lab.Hosts, func(cost *lab.Cost) {
		cost.Strikes()
		end()
		testkit.Eventually(f.t, "the cause to be named: "+cause, func() bool {
			in := f.c.ps("frail")
			return len(in) == 1 && in[0].Crashing && strings.Contains(in[0].Verdict, cause) && f.says("frail", cause)
		})
		cost.Known()
		testkit.Eventually(f.t, "it to run again", func() bool { return f.app.ps1().State == "running" && f.answers() })
		cost.Whole()
	})
	if log := f.c.aorta("logs", "-a", "frail", "-n", "50"); !strings.Contains(log, "testapp begins") {
		f.t.Errorf("%s: aorta logs says\n%s\nwant the app's last words", fault, log)
	}
}

// answers says whether the app does, through the pacemaker's router.
func (f *frail) answers() bool {
	resp, err := f.app.request("GET", "/")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == 200
}

func (f *frail) crashes() {
	f.t.Helper()
	f.fails("F16: an app crashes again and again", "exited with code 3", func() {
		for range 3 {
			f.app.exit(3)
		}
	})
}

func (f *frail) runsOutOfMemory() {
	f.t.Helper()
	f.fails("F16: an app runs out of memory", "ran out of memory", func() { f.app.get("/eat") })
}

// transferFailed is what a heart says of an image of the app that it can't get.
var transferFailed = regexp.MustCompile(`transfer failed; trying again" image=aorta/frail\S* push=false err="can't reach https://10\.77\.0\.1`)

// losesItsImage takes container and image from the host's engine while the pacemaker is
// away, and the registry with it.
func (f *frail) losesItsImage() {
	f.t.Helper()
	at := on(f.t, f.host)
	of := "label=aorta.app-id=" + f.app.id()
	f.under("F16: an image is gone and there is no registry", f.lab.Hosts[1:], func(cost *lab.Cost) {
		testkit.Must(f.t, f.lab.Pacemaker().KillDaemon(testkit.Bounded(f.t)))
		cost.Strikes()
		said := len(f.host.Log())
		testkit.Must(f.t, f.host.FreezeDaemon()) // which would make the container again before its image is gone
		for _, kind := range [][]string{{"ps", "-aq"}, {"images", "-q"}} {
			ids := at.engine(append(kind, "--no-trunc", "--filter", of)...)
			slices.Sort(ids)
			at.engine(append([]string{map[string]string{"ps": "rm", "images": "rmi"}[kind[0]], "-f"}, slices.Compact(ids)...)...)
		}
		testkit.Must(f.t, f.host.ThawDaemon())
		testkit.Eventually(f.t, "the heart to say what is missing, and why", func() bool {
			return transferFailed.MatchString(f.host.Log()[said:])
		})
		cost.Known()
		cost.Ends()
		testkit.Must(f.t, f.lab.Pacemaker().StartDaemon(testkit.Bounded(f.t)))
		testkit.Eventually(f.t, "it to run again", func() bool {
			in := f.c.ps("frail")
			return len(in) == 1 && in[0].State == "running" && f.answers()
		})
		cost.Whole()
	})
}
