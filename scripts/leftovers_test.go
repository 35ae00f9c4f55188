package scripts_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"aorta/internal/testkit"
)

// leftovers are what an app has on the engine.
type leftovers struct{ containers, volumes []string }

// engine is the one that runs the instances.
func (v *visit) engine() *client.Client {
	v.Helper()
	engine, err := client.New(client.FromEnv)
	testkit.Must(v.T, err)
	v.Cleanup(func() { _ = engine.Close() })
	return engine
}

// labelled finds what is this app's and this cluster's: other clusters may
// share the engine.
func (v *visit) labelled() client.Filters {
	v.Helper()
	id, err := os.ReadFile(filepath.Join(v.dir, "state/data/cluster.id"))
	testkit.Must(v.T, err)
	return client.Filters{}.Add("label", "aorta.app="+v.app.name, "aorta.cluster="+strings.TrimSpace(string(id)))
}

func (v *visit) leftovers() (l leftovers) {
	v.Helper()
	list, err := v.engine().ContainerList(v.Context(), client.ContainerListOptions{All: true, Filters: v.labelled()})
	testkit.Must(v.T, err)
	for _, c := range list.Items {
		l.containers = append(l.containers, c.ID)
		for _, m := range c.Mounts {
			l.volumes = append(l.volumes, m.Name)
		}
	}
	return l
}

// expectNothing waits until nothing is left of what there was, and of the app
// itself.
func (v *visit) expectNothing(before leftovers) {
	v.Helper()
	if len(before.containers) == 0 {
		v.Fatal("there was no container before its end; want one at least, or this test sees nothing")
	}
	engine := v.engine()
	testkit.Eventually(v.T, "no container is left", func() bool { return len(v.leftovers().containers) == 0 })
	for _, volume := range before.volumes {
		testkit.Eventually(v.T, "the volume "+volume+" is gone", func() bool {
			_, err := engine.VolumeInspect(v.Context(), volume, client.VolumeInspectOptions{})
			return errdefs.IsNotFound(err)
		})
	}
	resp, err := sender.Do(v.request(v.T, v.app.name, "GET", "/"))
	testkit.Must(v.T, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusNotFound {
		v.Errorf("its host after its end: got %s, want 404", resp.Status)
	}
	v.refused([]string{v.app.name, "apps create"}, "apps", "info", "-a", v.app.name)
}
