package docker_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// An engine that has lost its data gives out the addresses of containers whose
// processes live on. None of these answers for a container of now.
func TestEngine_NothingItHasForgottenAnswersForAnother(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id := cluster.NewID()
	own := rig.OwnEngine(t, id)
	e := rig.EngineAt(t, own.Host, id)
	for range 2 {
		l := launch(t, e, rig.Image(t, e, id), nil)
		run(t, e, l)
		awaitAnswer(t, e, l.Spec.ID)
	}

	own.Empty()
	for range 3 {
		l := launch(t, e, rig.Image(t, e, id), nil)
		run(t, e, l)
		for range 10 {
			if got := awaitAnswer(t, e, l.Spec.ID); got != string(l.Spec.ID) {
				t.Errorf("at the address of instance %s answers %s", l.Spec.ID, got)
			}
		}
	}
}

// awaitAnswer gives the instance that answers at the address of one.
func awaitAnswer(t *testing.T, e *docker.Engine, id cluster.ID) (name string) {
	t.Helper()
	c, err := e.Inspect(t.Context(), id)
	testkit.Must(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	testkit.Eventually(t, "an answer at "+c.Address.String(), func() bool {
		resp, err := client.Get(fmt.Sprintf("http://%s:%d/env", c.Address, docker.ContainerPort))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		_, name, _ = strings.Cut(string(text), "AORTA_INSTANCE=")
		name, _, _ = strings.Cut(name, "\n")
		return err == nil
	})
	return name
}

// Those who start instances at once make the network once, again too. Not parallel, as
// the next one: engines of today give free addresses to the next network at once.
func TestEngine_MakesItsNetworkOnce(t *testing.T) {
	e, _ := rig.Engine(t)
	for range 2 {
		var g errgroup.Group
		for range 4 {
			g.Go(func() error { _, err := e.EnsureNetwork(t.Context()); return err })
		}
		if err := g.Wait(); err != nil {
			t.Errorf("make the network: %v", err)
		}
		testkit.Must(t, e.RemoveNetwork(t.Context()))
	}
}

// Another network was given the addresses of one that was removed.
func TestEngine_NamesTheNetworkThatHasItsAddresses(t *testing.T) {
	e, id := rig.Engine(t)
	ours, err := e.EnsureNetwork(t.Context())
	testkit.Must(t, err)
	testkit.Must(t, e.RemoveNetwork(t.Context()))
	thief := "thief-" + string(id)
	dockerCLI(t, "network", "create", "--subnet", ours.Subnet.String(), thief)
	t.Cleanup(func() { _ = exec.Command("docker", "-H", testkit.DockerHost(), "network", "rm", thief).Run() }) // it may be gone

	if _, err := e.EnsureNetwork(t.Context()); err == nil || !strings.Contains(err.Error(), "the Docker network "+thief+" has the addresses "+ours.Subnet.String()+" now") {
		t.Errorf("got %v, want the network that has them", err)
	}

	dockerCLI(t, "network", "rm", thief)
	if again, err := e.EnsureNetwork(t.Context()); err != nil || again.Subnet != ours.Subnet {
		t.Errorf("after it: got %+v, %v; want the addresses of before", again, err)
	}
}

// dockerCLI runs the client of the tests' engine.
func dockerCLI(tb testing.TB, args ...string) {
	tb.Helper()
	cmd := exec.Command("docker", append([]string{"-H", testkit.DockerHost()}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("docker %v: %v\n%s", args, err, out)
	}
}

// An engine that has lost its networks alone tells of addresses that it gives to
// others.
func TestEngine_TellsOfNoAddressInANetworkThatIsGone(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id := cluster.NewID()
	own := rig.OwnEngine(t, id)
	e := rig.EngineAt(t, own.Host, id)
	begin := func() docker.Container {
		l := launch(t, e, rig.Image(t, e, id), nil)
		run(t, e, l)
		c, err := e.Inspect(t.Context(), l.Spec.ID)
		testkit.Must(t, err)
		return c
	}
	before := begin()

	own.LoseNetworks()
	now := begin()
	again, err := e.Inspect(t.Context(), before.Instance)
	testkit.Must(t, err)

	if again.Address.IsValid() || now.Address != before.Address || !again.Running {
		t.Errorf("it had %s, another one has that now (%s), and it is said to have %s", before.Address, now.Address, again.Address)
	}
	if got := awaitAnswer(t, e, now.Instance); got != string(now.Instance) {
		t.Errorf("at the address of instance %s answers %s", now.Instance, got)
	}
}
