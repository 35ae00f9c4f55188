package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"aorta/pacemaker/cluster"
)

// ContainerPort is the value of PORT: the port that every app listens on inside
// its container. Only the published ports differ.
const ContainerPort = 5000

const (
	pidsLimit   = 512
	sharedBytes = 64 << 20
)

// Launch is one container to be made.
type Launch struct {
	Spec    cluster.InstanceSpec
	Address netip.Addr // of this node; the instance's port is published there
}

// containerConfig has the image, command, environment and labels. What it does
// not set (user, working directory, stop signal, volumes …) is the image's.
func containerConfig(l Launch, clusterID cluster.ID, img Image) *container.Config {
	s := l.Spec
	c := &container.Config{
		Image:    img.ID,
		Hostname: s.Type + "-" + s.ID.Short(),
		Env:      environment(s),
		Labels: map[string]string{
			cluster.LabelCluster: string(clusterID), cluster.LabelInstance: string(s.ID), cluster.LabelAppID: string(s.AppID),
			cluster.LabelApp: s.App, cluster.LabelRelease: s.Release, cluster.LabelProcess: s.Type, cluster.LabelNode: s.Node,
		},
	}
	setCommand(c, s.Command)
	setHealthcheck(c, s, img)
	if s.Port != 0 {
		c.ExposedPorts = network.PortSet{appPort(): struct{}{}}
	}
	return c
}

// hostConfig has what the container may do. All options not set here keep the
// engine's defaults, which grant nothing of the host.
func (e *Engine) hostConfig(l Launch, withInit bool) *container.HostConfig {
	limits := l.Spec.Limits.OrDefault()
	pids := int64(pidsLimit)
	h := &container.HostConfig{
		NetworkMode:   container.NetworkMode(e.networkName()),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		LogConfig:     container.LogConfig{Type: logDriver, Config: e.output},
		CapDrop:       []string{cluster.AllCapabilities},
		CapAdd:        l.Spec.Capabilities(),
		SecurityOpt:   []string{"no-new-privileges"},
		ShmSize:       cmp.Or(l.Spec.Container.ShmSize, sharedBytes),

		ReadonlyRootfs: l.Spec.Container.ReadOnly,
		Tmpfs:          tmpfs(l.Spec.Container),
		Resources: container.Resources{
			Memory:     limits.Memory,
			MemorySwap: limits.Memory, // memory and swap together: no swap
			NanoCPUs:   int64(limits.CPUs * 1e9),
			PidsLimit:  &pids,
			Ulimits:    ulimits(l.Spec.Container),
		},
	}
	if withInit {
		h.Init = &withInit
	}
	if l.Spec.Port != 0 {
		h.PortBindings = network.PortMap{appPort(): {{HostIP: l.Address, HostPort: strconv.Itoa(l.Spec.Port)}}}
	}
	return h
}

// ulimits are those of the process type and, on every node, the same for open
// files.
func ulimits(o cluster.ContainerOptions) []*container.Ulimit {
	limits := map[string]int64{"nofile": cluster.MaxOpenFiles}
	maps.Copy(limits, o.Ulimits)
	var list []*container.Ulimit
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		list = append(list, &container.Ulimit{Name: name, Soft: limits[name], Hard: limits[name]})
	}
	return list
}

func tmpfs(o cluster.ContainerOptions) map[string]string {
	mounts := map[string]string{}
	for _, t := range o.Tmpfs {
		mounts[t.Path] = ""
		if t.Size > 0 {
			mounts[t.Path] = "size=" + strconv.FormatInt(t.Size, 10)
		}
	}
	return mounts
}

// environment is the config vars, overridden by the platform's variables.
func environment(s cluster.InstanceSpec) []string {
	env := maps.Clone(s.Env)
	if env == nil {
		env = map[string]string{}
	}
	if s.Port != 0 {
		env["PORT"] = strconv.Itoa(ContainerPort)
	}
	env["AORTA_APP"], env["AORTA_RELEASE"] = s.App, s.Release
	env["AORTA_INSTANCE"], env["AORTA_PROCESS"] = string(s.ID), s.Type
	env["AORTA_NODE"], env["AORTA_COMMIT"] = s.Node, s.Commit
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}

func appPort() network.Port { return network.MustParsePort(fmt.Sprintf("%d/tcp", ContainerPort)) }
