package docker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// images that say different things about how they are to be run.
var images = map[string]struct {
	lines   []string
	command string   // of the process type; empty: the image's own
	same    []string // paths that the table lets differ, but not for this image

	options cluster.ContainerOptions // of the process type
	grants  []string
	flags   container.HostConfig // docker run's for the same
}{
	"plain": {lines: []string{"COPY app /app", `CMD ["/app", "serve"]`}},
	"everything": {lines: []string{
		"COPY app /app", "WORKDIR /srv/shop", "USER 1234:5678", `ENV COLOUR="dark red" HOME=/srv`, "STOPSIGNAL SIGQUIT", "EXPOSE 8080 9090/udp",
		"VOLUME /data", "LABEL maintainer=somebody", `HEALTHCHECK --interval=20s --timeout=2s --retries=7 CMD ["/app", "orphan"]`,
		`ENTRYPOINT ["/app", "--fast"]`, `CMD ["serve"]`,
	}},
	"own init": {lines: []string{"COPY app /init", `ENTRYPOINT ["/init"]`}, same: []string{"HostConfig.Init", "inside: process 1", "inside: orphans"}},
	"fewer rights": {
		lines: []string{"COPY app /app", "VOLUME /data /tmp", `CMD ["/app", "serve"]`},
		options: cluster.ContainerOptions{
			CapDrop: []string{"ALL"}, ReadOnly: true, Tmpfs: []cluster.Tmpfs{{Path: "/run", Size: 16 << 20}, {Path: "/tmp"}},
			Ulimits: map[string]int64{"nofile": 4096, "core": 0}, ShmSize: 1 << 20,
		},
		flags: container.HostConfig{
			CapDrop: []string{"ALL"}, ReadonlyRootfs: true, Tmpfs: map[string]string{"/run": "size=16777216", "/tmp": ""}, ShmSize: 1 << 20,
			Resources: container.Resources{Ulimits: []*container.Ulimit{{Name: "core"}, {Name: "nofile", Soft: 4096, Hard: 4096}}},
		},
		same: []string{
			"HostConfig.CapAdd", "HostConfig.CapDrop", "HostConfig.Ulimits", "inside: CapBnd", "inside: CapEff", "inside: CapPrm", "inside: limit open files",
			"inside: chroot", "inside: mknod", "inside: raw socket",
		},
	},
	"granted rights": {
		lines:  []string{"COPY app /app", `CMD ["/app", "serve"]`},
		grants: []string{"AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"}, // what docker run has of its own
		same:   []string{"inside: CapBnd", "inside: CapEff", "inside: CapPrm", "inside: chroot", "inside: mknod", "inside: raw socket"},
	},
	"command of a Procfile": {command: "web --fast", lines: []string{
		"COPY app /bin/sh", "USER 1234", "WORKDIR /srv", "STOPSIGNAL SIGQUIT", `HEALTHCHECK CMD ["/bin/sh", "orphan"]`, `ENTRYPOINT ["/bin/sh", "entry"]`,
	}},
}

// TestContainer_DiffersFromDockerRunByTheTableAlone runs the same image twice,
// as an instance and as docker run does, and compares what the engine says of
// the two containers and what a process sees inside.
func TestContainer_DiffersFromDockerRunByTheTableAlone(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	raw := rawClient(t)
	met := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		img := images[name]
		l := launch(t, e, rig.ImageOf(t, e, id, rig.Probe(t), img.lines...), nil)
		l.Spec.Command, l.Spec.Container, l.Spec.Grants = img.command, img.options, img.grants
		run(t, e, l)
		plain := dockerRun(t, raw, l.Spec.Image.ID, img.command, img.flags)

		here, there := observed(t, raw, string(l.Spec.ID)), observed(t, raw, plain)

		for _, path := range slices.Sorted(maps.Keys(union(here, there))) {
			if here[path] == there[path] {
				continue
			}
			d, ok := differenceAt(path)
			if !ok || slices.Contains(img.same, path) {
				t.Errorf("%s: %s is %q here and %q with docker run; make it the same, or give the reason in differences and docs/APPS.md", name, path, here[path], there[path])
			}
			met[d.what] = true
		}
	}
	for _, d := range differences {
		if !met[d.what] {
			t.Errorf("nothing differs by %q: remove it from the table and docs/APPS.md", d.what)
		}
	}
}

// TestDifferences_AreThoseOfTheDocs keeps the table and the page in step.
func TestDifferences_AreThoseOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/APPS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Containers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| what ") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}

	var want []string
	for _, d := range differences {
		want = append(want, fmt.Sprintf("| %s | %s | %s | %s |", d.what, d.here, d.there, d.why))
	}

	if !slices.Equal(rows, want) {
		t.Errorf("the table of docs/APPS.md, Containers: got\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}

func rawClient(t *testing.T) *client.Client {
	t.Helper()
	raw, err := client.New(client.FromEnv, client.WithHost(testkit.DockerHost()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

// dockerRun does what docker run -d does with an image, and with a command what
// docker run --entrypoint does.
func dockerRun(t *testing.T, raw *client.Client, image, command string, flags container.HostConfig) string {
	t.Helper()
	c := &container.Config{Image: image}
	flags.RestartPolicy.Name = container.RestartPolicyDisabled
	if command != "" {
		c.Entrypoint, c.Cmd = []string{"/bin/sh", "-c", "exec " + command}, []string{}
	}
	made, err := raw.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: c, HostConfig: &flags})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := raw.ContainerRemove(ctx, made.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			t.Errorf("remove what docker run made: %v", err)
		}
	})
	if _, err := raw.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// observed has what the engine says of a container and what its process sees.
func observed(t *testing.T, raw *client.Client, id string) map[string]string {
	t.Helper()
	r, err := raw.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	flatten(seen, "Config", asJSON(t, r.Container.Config))
	flatten(seen, "HostConfig", asJSON(t, r.Container.HostConfig))
	for _, m := range r.Container.Mounts {
		seen["Mounts "+m.Destination] = fmt.Sprint(m.Type, " ", m.Driver, " ", m.RW)
	}
	for k, v := range probed(t, raw, id) {
		seen["inside: "+k] = strings.ReplaceAll(v, r.Container.ID[:12], "<id>")
	}
	return seen
}

// probed is the line that the probe prints.
func probed(t *testing.T, raw *client.Client, id string) map[string]string {
	t.Helper()
	out, err := raw.ContainerLogs(t.Context(), id, client.ContainerLogsOptions{ShowStdout: true, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	line, in := io.Pipe()
	go func() { _, err := stdcopy.StdCopy(in, io.Discard, out); in.CloseWithError(err) }() // ends with out
	var seen map[string]string
	if err := json.NewDecoder(line).Decode(&seen); err != nil {
		t.Fatalf("read what the probe printed: %v", err)
	}
	_ = line.Close()
	return seen
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// flatten lists the leaves of objects by their paths. What says nothing (null,
// "", false, 0, an empty list) is left out.
func flatten(into map[string]string, path string, v any) {
	if object, ok := v.(map[string]any); ok && len(object) > 0 {
		for k, inner := range object {
			flatten(into, path+"."+k, inner)
		}
		return
	}
	text, _ := json.Marshal(v)
	if !slices.Contains([]string{"null", `""`, "false", "0", "[]"}, string(text)) {
		into[path] = string(text)
	}
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
