package docker

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Container is the state of one instance's container.
type Container struct {
	Instance   cluster.ID
	EngineID   string // that the engine gave it; in the path of its control group
	Renamed    bool   // its name is not its instance's id; of List alone
	Labels     map[string]string
	Image      string // "sha256:…"
	Started    bool   // it has run at least once
	Running    bool   // its process lives
	Paused     bool   // and is frozen: somebody paused the container
	ExitCode   int    // of the last run
	OOM        bool   // the last run was ended by its memory limit
	StopSignal string // that asks its process to end; the image's, or SIGTERM
	Health     HealthStatus
	Runtime    string     // that runs it, such as runc
	Pid        int        // of its first process, 0 when it does not run
	Address    netip.Addr // in the cluster's network; invalid when it does not run, or is in there no more
	Published  netip.Addr // that its port is reached at; invalid when it has none
	Written    []string   // directories on its engine's machine that hold what it has written; none: not known
	LogPath    string     // of the file that the engine writes its output to; empty before the first start
	StartedAt  time.Time  // last start; zero when it never ran
	FinishedAt time.Time  // last end
}

// Create makes an instance's container, not started. Its name is the instance's
// id: one that is there already with our labels is adopted.
func (e *Engine) Create(ctx context.Context, l Launch) (Container, error) {
	img, err := e.Find(ctx, l.Spec.Image)
	if err != nil {
		return Container{}, err
	}
	withInit, err := e.initWanted(ctx)
	if err != nil {
		return Container{}, err
	}
	config := containerConfig(l, e.cluster, img)
	if err := startable(config, img); err != nil {
		return Container{}, err
	}
	err = e.call(ctx, "create a container", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerCreate(ctx, client.ContainerCreateOptions{
			Name: string(l.Spec.ID), Config: config, HostConfig: e.hostConfig(l, withInit && !bringsInit(l.Spec, img)),
		})
		return err
	})
	if err != nil && !errors.Is(err, ErrInUse) {
		return Container{}, err
	}
	return e.Inspect(ctx, l.Spec.ID)
}

// Start runs the container's process, again if it ran before. If the cluster's network
// is gone, it is made again first.
func (e *Engine) Start(ctx context.Context, id cluster.ID) error {
	err := e.start(ctx, id)
	if !isLostNetwork(err) {
		return err
	}
	if err := e.rejoin(ctx, id); err != nil {
		return err
	}
	return e.start(ctx, id)
}

func (e *Engine) start(ctx context.Context, id cluster.ID) error {
	return e.call(ctx, "start a container", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerStart(ctx, string(id), client.ContainerStartOptions{})
		return err
	})
}

// Signal sends a signal such as SIGTERM to the container's first process. It is
// no error when the container does not run.
func (e *Engine) Signal(ctx context.Context, id cluster.ID, signal string) error {
	err := e.call(ctx, "signal a container", queryTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerKill(ctx, string(id), client.ContainerKillOptions{Signal: signal})
		return err
	})
	if errors.Is(err, ErrInUse) || errors.Is(err, ErrNoContainer) {
		return nil
	}
	return err
}

// Remove kills and removes the container with its anonymous volumes. It is no
// error when there is none.
func (e *Engine) Remove(ctx context.Context, id cluster.ID) error {
	return e.remove(ctx, string(id))
}

// remove takes a name or the engine's own id.
func (e *Engine) remove(ctx context.Context, handle string) error {
	err := e.call(ctx, "remove a container", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerRemove(ctx, handle, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		return err
	})
	if errors.Is(err, ErrNoContainer) {
		return nil
	}
	return err
}

// Inspect returns an instance's container: ErrNoContainer when there is none, a
// conflict when a container that is not this cluster's has its name.
func (e *Engine) Inspect(ctx context.Context, id cluster.ID) (Container, error) {
	return e.inspect(ctx, id, string(id))
}

// inspect takes a name or the engine's own id of an instance's container.
func (e *Engine) inspect(ctx context.Context, id cluster.ID, handle string) (Container, error) {
	var r container.InspectResponse
	err := e.call(ctx, "inspect a container", queryTimeout, func(ctx context.Context) error {
		out, err := e.cli.ContainerInspect(ctx, handle, client.ContainerInspectOptions{})
		r = out.Container
		return err
	})
	if err != nil {
		return Container{}, err
	}
	if r.Config == nil || r.State == nil || r.Config.Labels[cluster.LabelCluster] != string(e.cluster) || r.Config.Labels[cluster.LabelInstance] != string(id) {
		return Container{}, cluster.Conflict("the container %s is not this cluster's instance; remove it if nobody needs it (docker rm %s)", id, id)
	}
	c := containerFrom(id, r)
	c.Address, err = e.addressOf(ctx, r)
	return c, err
}

func containerFrom(id cluster.ID, r container.InspectResponse) Container {
	c := Container{
		Instance: id, EngineID: r.ID, Labels: r.Config.Labels, Image: r.Image,
		Running: r.State.Running, Paused: r.State.Paused, ExitCode: r.State.ExitCode, OOM: r.State.OOMKilled, Pid: r.State.Pid,
		StopSignal: cmp.Or(r.Config.StopSignal, "SIGTERM"), Health: healthStatus(r),
		StartedAt: engineTime(r.State.StartedAt), FinishedAt: engineTime(r.State.FinishedAt),
	}
	c.Started = !c.StartedAt.IsZero()
	if r.HostConfig != nil {
		c.Runtime = r.HostConfig.Runtime
		if at := r.HostConfig.PortBindings[appPort()]; len(at) > 0 {
			c.Published = at[0].HostIP
		}
		if r.HostConfig.LogConfig.Type == logDriver {
			c.LogPath = r.LogPath
		}
	}
	c.Written = writtenDirs(r)
	return c
}

// engineTime parses a time of the engine; its year 1 means never.
func engineTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// List returns every container of this cluster on the engine, running or not,
// with its labels only; use Inspect for the full state.
func (e *Engine) List(ctx context.Context) ([]Container, error) {
	var list []Container
	err := e.call(ctx, "list containers", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: e.clusterFilter()})
		for _, item := range r.Items {
			id, bad := cluster.ParseID(item.Labels[cluster.LabelInstance])
			if bad != nil {
				continue
			}
			list = append(list, Container{
				Instance: id, EngineID: item.ID, Renamed: !slices.Contains(item.Names, "/"+string(id)), Labels: item.Labels, Image: item.ImageID, Running: item.State == container.StateRunning || item.State == container.StatePaused,
				Paused: item.State == container.StatePaused,
			})
		}
		return err
	})
	return list, err
}
