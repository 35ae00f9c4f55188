package docker_test

import (
	"fmt"
	"io"
	"net/http"
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
	if !rig.InOwnNetwork(t) {
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

// Those who start instances at once make the network once, again too.
func TestEngine_MakesItsNetworkOnce(t *testing.T) {
	t.Parallel()
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

// An engine that has lost its networks alone tells of addresses that it gives to
// others.
func TestEngine_TellsOfNoAddressInANetworkThatIsGone(t *testing.T) {
	t.Parallel()
	if !rig.InOwnNetwork(t) {
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
