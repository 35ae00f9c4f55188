package docker_test

import "strings"

// difference is one way in which an instance is not what docker run makes of
// the same image. Paths are those of the comparison; one that ends in * stands
// for all that begin so.
type difference struct {
	what, here, there, why string
	paths                  []string
}

var differences = []difference{
	{
		what:  "capabilities",
		here:  "CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETGID, SETUID",
		there: "also AUDIT_WRITE, MKNOD, NET_RAW, SETFCAP, SETPCAP, SYS_CHROOT",
		why:   "what stock images need to start; the rest reaches further than an app's own files and processes (devices, raw packets, chroot)",
		paths: []string{"HostConfig.CapAdd", "HostConfig.CapDrop", "inside: CapBnd", "inside: CapEff", "inside: CapPrm", "inside: CapInh", "inside: chroot", "inside: mknod", "inside: raw socket"},
	},
	{
		what:  "no new privileges",
		here:  "on",
		there: "off",
		why:   "no program gets more rights than its parent: setuid programs (sudo, su) and file capabilities change nothing",
		paths: []string{"HostConfig.SecurityOpt", "inside: NoNewPrivs"},
	},
	{
		what:  "first process",
		here:  "docker-init, unless the image starts an init of its own (/init, tini, dumb-init, systemd …)",
		there: "the image's command",
		why:   "zombies are reaped, and a program that handles no signals still ends with them",
		paths: []string{"HostConfig.Init", "inside: process 1", "inside: orphans", "inside: mount /sbin/docker-init"},
	},
	{
		what:  "memory",
		here:  "512m, as set by `aorta ps type --memory`; no swap",
		there: "no limit",
		why:   "an app can't take a neighbour's memory",
		paths: []string{"HostConfig.Memory", "HostConfig.MemorySwap", "inside: cgroup memory*"},
	},
	{
		what:  "CPU",
		here:  "1 core, as set by `aorta ps type --cpus`",
		there: "no limit",
		why:   "an app can't take a neighbour's time",
		paths: []string{"HostConfig.NanoCpus", "inside: cgroup cpu*"},
	},
	{
		what:  "processes and threads",
		here:  "512",
		there: "no limit",
		why:   "a fork bomb stays in its container",
		paths: []string{"HostConfig.PidsLimit", "inside: cgroup pids*"},
	},
	{
		what:  "open files",
		here:  "16384",
		there: "the engine's own limit",
		why:   "the same on every node",
		paths: []string{"HostConfig.Ulimits", "inside: limit open files"},
	},
	{
		what:  "environment",
		here:  "PORT, AORTA_APP, AORTA_RELEASE, AORTA_INSTANCE, AORTA_PROCESS, AORTA_NODE, AORTA_COMMIT and the config vars beside the image's own, which they replace",
		there: "the image's own",
		why:   "an app learns where to listen and which release it is",
		paths: []string{"Config.Env", "inside: env PORT", "inside: env AORTA_*"},
	},
	{
		what:  "hostname",
		here:  "the process type and the instance's short id, such as web-0af3f9f6",
		there: "the container's id",
		why:   "the name that `aorta ps` shows",
		paths: []string{"Config.Hostname", "inside: hostname", "inside: env HOSTNAME"},
	},
	{
		what:  "labels",
		here:  "those of the image and aorta.*",
		there: "those of the image",
		why:   "an instance is found again after a restart",
		paths: []string{"Config.Labels.aorta.*"},
	},
	{
		what:  "ports",
		here:  "5000/tcp (PORT) alone, on the node's address; other EXPOSEd ports can be reached by no request",
		there: "none",
		why:   "the router sends requests there",
		paths: []string{"Config.ExposedPorts*", "HostConfig.PortBindings*"},
	},
	{
		what:  "network",
		here:  "one of the cluster's own, with the engine's name server; nothing of the platform but the routers is reached ([What it reaches](#what-it-reaches))",
		there: "the engine's bridge, with the host's name server",
		why:   "what listens on a node trusts whoever gets there",
		paths: []string{"HostConfig.NetworkMode", "inside: /etc/resolv.conf", "inside: mount /etc/resolv.conf"},
	},
	{
		what:  "HEALTHCHECK",
		here:  "decides, beside the check of PORT, whether an instance gets requests; run every 5 s or as often as the image says; off for a process type with a command or a health path of its own",
		there: "shown in `docker ps` alone",
		why:   "a check of the image's command means nothing for another one",
		paths: []string{"Config.Healthcheck.*"},
	},
	{
		what:  "output",
		here:  "json-file, 5 files of 10 MiB; `aorta logs` has more",
		there: "json-file without a bound",
		why:   "a chatty app can't fill the disk",
		paths: []string{"HostConfig.LogConfig.*"},
	},
}

func differenceAt(path string) (difference, bool) {
	for _, d := range differences {
		for _, p := range d.paths {
			front, any := strings.CutSuffix(p, "*")
			if p == path || any && strings.HasPrefix(path, front) {
				return d, true
			}
		}
	}
	return difference{}, false
}
