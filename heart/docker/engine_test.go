package docker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/heart/internal/rig"
	"aorta/internal/cgroup"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func launch(t *testing.T, e *docker.Engine, image cluster.Image, env map[string]string) docker.Launch {
	t.Helper()
	n, err := e.EnsureNetwork(t.Context())
	if err != nil {
		t.Fatalf("make the network: %v", err)
	}
	return docker.Launch{Address: n.Gateway, Spec: cluster.InstanceSpec{
		ID: cluster.NewID(), AppID: cluster.NewID(), App: "shop", Release: "v1", Type: "web", Node: "n1", Commit: "abc",
		Image: image, Env: env, Port: rig.FreePort(t), Limits: cluster.Limits{Memory: 64 << 20, CPUs: 0.5},
	}}
}

func run(t *testing.T, e *docker.Engine, l docker.Launch) {
	t.Helper()
	if _, err := e.Create(t.Context(), l); err != nil {
		t.Fatalf("create: %v", err)
	}
	if err := e.Start(t.Context(), l.Spec.ID); err != nil {
		t.Fatalf("start: %v", err)
	}
}

func TestEngine_PublishesOnTheNodesAddressWithTheInjectedEnvironment(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), map[string]string{"COLOUR": "red", "AORTA_APP": "forged"})

	run(t, e, l)

	var body string
	url := fmt.Sprintf("http://%s/env", net.JoinHostPort(l.Address.String(), fmt.Sprint(l.Spec.Port)))
	testkit.Eventually(t, "an answer from "+url, func() bool {
		r, err := http.Get(url)
		if err != nil {
			return false
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		body = string(b)
		return err == nil
	})
	for _, want := range []string{"PORT=5000", "COLOUR=red", "AORTA_APP=shop", "AORTA_RELEASE=v1", "AORTA_INSTANCE=" + string(l.Spec.ID), "AORTA_PROCESS=web", "AORTA_NODE=n1", "AORTA_COMMIT=abc"} {
		if !slices.Contains(strings.Split(body, "\n"), want) {
			t.Errorf("environment lacks %q; got\n%s", want, body)
		}
	}
}

// The kernel's files and the engine say the same: the one stands in for the other
// where the engine is on another machine.
func TestEngine_MeasuresOnThisMachineAndElsewhere(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), nil)
	run(t, e, l)
	here, err := e.Inspect(t.Context(), l.Spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := here
	elsewhere.EngineID = "of another machine"

	var files, asked cgroup.Usage
	testkit.Eventually(t, "memory in use, which the engine reads with a delay", func() bool {
		var one, other error
		files, one = e.Usage(t.Context(), here)
		asked, other = e.Usage(t.Context(), elsewhere)
		return one == nil && other == nil && asked.Memory > 0
	})

	if files.Memory <= 0 || files.Memory > l.Spec.Limits.Memory || files.CPU <= 0 || asked.CPU <= 0 || asked.Memory > l.Spec.Limits.Memory {
		t.Errorf("got %+v from the kernel and %+v from the engine, want both below the limits", files, asked)
	}
}

// Whatever groups this machine has, a container that runs can be asked for, and one
// that does not run here has none.
func TestEngine_PrefersContainersWhereTheyAre(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), nil)
	run(t, e, l)
	here, err := e.Inspect(t.Context(), l.Spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := here
	elsewhere.EngineID = "of another machine"

	for name, c := range map[string]docker.Container{"here": here, "elsewhere": elsewhere} {
		if err := e.Prefer(c); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
	}
}

func TestEngine_GrantsContainersNothingOfTheHost(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), nil)
	run(t, e, l)
	raw, err := client.New(client.FromEnv, client.WithHost(testkit.DockerHost()))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()

	r, err := raw.ContainerInspect(t.Context(), string(l.Spec.ID), client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}

	h := r.Container.HostConfig
	got := fmt.Sprintf("drop %v add %v opt %v privileged %t binds %v mounts %d devices %v pid %q uts %q user %q memory %d+%d cpus %d pids %d log %s %s restart %s",
		h.CapDrop, h.CapAdd, h.SecurityOpt, h.Privileged, h.Binds, len(r.Container.Mounts), h.Devices, h.PidMode, h.UTSMode, h.UsernsMode,
		h.Memory, h.MemorySwap-h.Memory, h.NanoCPUs, *h.PidsLimit, h.LogConfig.Type, h.LogConfig.Config["max-size"], h.RestartPolicy.Name)
	want := "drop [ALL] add [CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID] opt [no-new-privileges] privileged false binds [] mounts 0 devices [] pid \"\" uts \"\" user \"\" " +
		"memory 67108864+0 cpus 500000000 pids 512 log json-file 10485760 restart no"
	if got != want {
		t.Errorf("hardening\n got %s\nwant %s", got, want)
	}
	if mode := h.NetworkMode; !strings.HasPrefix(string(mode), "aorta-") || string(h.IpcMode) == "host" {
		t.Errorf("network mode %q, IPC mode %q: want the cluster's own and no host's", mode, h.IpcMode)
	}
}

func TestEngine_AdoptsAContainerThatIsThereAlready(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), nil)
	run(t, e, l)
	before, err := e.Inspect(t.Context(), l.Spec.ID)
	if err != nil {
		t.Fatal(err)
	}

	after, err := e.Create(t.Context(), l)

	if err != nil || !after.Running || !after.StartedAt.Equal(before.StartedAt) {
		t.Errorf("second create: got running %t since %s, %v; want the first container, since %s", after.Running, after.StartedAt, err, before.StartedAt)
	}
}

func TestEngine_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	image := rig.Image(t, e, id)
	first := launch(t, e, image, nil)
	run(t, e, first)

	second := launch(t, e, image, nil)
	second.Spec.Port = first.Spec.Port
	if _, err := e.Create(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), second.Spec.ID); !errors.Is(err, docker.ErrPortTaken) || cluster.CodeOf(err) != cluster.CodeConflict {
		t.Errorf("same port twice: got %v, want ErrPortTaken", err)
	}

	missing := launch(t, e, cluster.Image{Ref: "aorta/none:1", ID: "sha256:" + strings.Repeat("0", 64)}, nil)
	if _, err := e.Create(t.Context(), missing); !errors.Is(err, docker.ErrNoImage) {
		t.Errorf("no image: got %v, want ErrNoImage", err)
	}
	if _, err := e.Provide(t.Context(), missing.Spec.Image, "", func(string) {}); !errors.Is(err, docker.ErrNoImage) || !strings.Contains(err.Error(), "deploy the app again") {
		t.Errorf("provide a built image from nowhere: got %v, want ErrNoImage with a next step", err)
	}
	if _, err := e.Inspect(t.Context(), cluster.NewID()); !errors.Is(err, docker.ErrNoContainer) {
		t.Errorf("no container: got %v, want ErrNoContainer", err)
	}
}

func TestEngine_SaysWhenItIsAwayOrHung(t *testing.T) {
	dir := testkit.ShortDir(t)
	away := rig.EngineAt(t, "unix://"+filepath.Join(dir, "none.sock"), cluster.NewID())
	l, err := net.Listen("unix", filepath.Join(dir, "hung.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hung := rig.EngineAt(t, "unix://"+l.Addr().String(), cluster.NewID())

	_, errAway := away.Inspect(t.Context(), cluster.NewID())
	_, errHung := hung.Inspect(testkit.EndedBy(t, 200*time.Millisecond), cluster.NewID())

	if cluster.CodeOf(errAway) != cluster.CodeUnavailable || !strings.Contains(errAway.Error(), "none.sock") {
		t.Errorf("engine away: got %v, want unavailable with its address", errAway)
	}
	if !errors.Is(errHung, context.DeadlineExceeded) {
		t.Errorf("engine hung: got %v, want the deadline", errHung)
	}
}

func TestEngine_TailIsOfBothStreams(t *testing.T) {
	t.Parallel()
	e, id := rig.Engine(t)
	l := launch(t, e, rig.Image(t, e, id), map[string]string{"MODE": "exit:3"})
	run(t, e, l)
	c := rig.AwaitExit(t, e, l.Spec.ID)

	got, err := e.Tail(t.Context(), l.Spec.ID, 20)
	slices.Sort(got)

	want := []string{"no database at DATABASE_URL", "testapp begins, mode exit:3"}
	if !slices.Equal(got, want) || err != nil || c.ExitCode != 3 {
		t.Errorf("got %q, %v and exit code %d; want %q and 3", got, err, c.ExitCode, want)
	}
}

func TestEngine_FailedBuildNamesTheStep(t *testing.T) {
	t.Parallel()
	e, _ := rig.Engine(t)
	r := dockerfile.Recipe{Dockerfile: "Dockerfile", Text: []byte("FROM scratch\nCOPY nothing /nothing\n"), Content: bytes.NewReader(nil), Tag: "aorta/rig:bad", Line: func(string) {}}

	for name, build := range map[string]func(context.Context, dockerfile.Recipe) error{"BuildKit": e.BuildKit, "classic": e.BuildClassic} {
		err := build(t.Context(), r)

		var failed *dockerfile.Failed
		if !errors.As(err, &failed) || failed.Step != "COPY nothing /nothing" {
			t.Errorf("%s: got %v, want it to have failed at COPY", name, err)
		}
	}
}
