package docker

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"aorta/pacemaker/cluster"
)

// ContainerPort is the port that every app listens on inside its container, as
// PORT tells it. It is the same everywhere; only the published one differs.
const ContainerPort = 5000

const (
	pidsLimit = 512
	// An engine without CAP_SYS_RESOURCE can only lower its own limit, which is
	// often 20,000 or 65,536: a container that asked for more would not start.
	openFiles   = 16384
	sharedBytes = 64 << 20
)

// Launch is one container to be made.
type Launch struct {
	Spec    cluster.InstanceSpec
	Address netip.Addr // of this node; the instance's port is published there
}

// containerConfig is what runs: image, command, environment, labels.
func containerConfig(l Launch, clusterID cluster.ID) *container.Config {
	s := l.Spec
	c := &container.Config{
		Image:    imageHandle(s.Image),
		Hostname: s.Type + "-" + s.ID.Short(),
		Env:      environment(s),
		Labels: map[string]string{
			cluster.LabelCluster: string(clusterID), cluster.LabelInstance: string(s.ID), cluster.LabelAppID: string(s.AppID),
			cluster.LabelApp: s.App, cluster.LabelRelease: s.Release, cluster.LabelProcess: s.Type, cluster.LabelNode: s.Node,
		},
	}
	if s.Command != "" {
		// The app's own shell, inside its own container.
		c.Entrypoint = []string{"/bin/sh", "-c", shellLine(s.Command)}
		c.Cmd = []string{}
	}
	if s.Port != 0 {
		c.ExposedPorts = network.PortSet{appPort(): struct{}{}}
	}
	return c
}

// notExecutable are first words that exec can't take.
var notExecutable = map[string]bool{
	"exec": true, "cd": true, "export": true, "set": true, "unset": true, "eval": true, "source": true, ".": true, "ulimit": true, "umask": true,
	"trap": true, "if": true, "for": true, "while": true, "until": true, "case": true, "!": true, "{": true, "[": true, "test": true,
}

// shellLine puts exec before a simple command, so that the command itself and
// not its shell gets SIGTERM. A compound one (cd x && ./server) is left as it
// is; its author can write exec before the last part.
func shellLine(command string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	if notExecutable[first] || strings.ContainsAny(first, "=(") || strings.ContainsAny(command, ";&|\n") {
		return command
	}
	return "exec " + command
}

// hostConfig is what the container may do. Everything that is not named here
// is the engine's default, which grants nothing of the host.
func (e *Engine) hostConfig(l Launch, withInit bool) *container.HostConfig {
	limits := l.Spec.Limits.OrDefault()
	pids := int64(pidsLimit)
	h := &container.HostConfig{
		NetworkMode:   container.NetworkMode(e.networkName()),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		LogConfig:     container.LogConfig{Type: "json-file", Config: e.output},
		CapDrop:       []string{"ALL"},
		CapAdd:        []string{"NET_BIND_SERVICE"},
		SecurityOpt:   []string{"no-new-privileges"},
		ShmSize:       sharedBytes,
		Resources: container.Resources{
			Memory:     limits.Memory,
			MemorySwap: limits.Memory, // memory and swap together: no swap
			NanoCPUs:   int64(limits.CPUs * 1e9),
			PidsLimit:  &pids,
			Ulimits:    []*container.Ulimit{{Name: "nofile", Soft: openFiles, Hard: openFiles}},
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

// environment is the config vars and, over them, what the platform says.
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

// imageHandle prefers the engine's own id: a tag can be moved under us.
func imageHandle(i cluster.Image) string {
	if i.ID != "" {
		return i.ID
	}
	return i.Ref
}

func appPort() network.Port { return network.MustParsePort(fmt.Sprintf("%d/tcp", ContainerPort)) }
