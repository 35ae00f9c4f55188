package build

import (
	"fmt"
	"strings"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// appPort is the port that requests go to, as an image would EXPOSE it.
var appPort = fmt.Sprintf("%d/tcp", docker.ContainerPort)

// remarks names what an image says about how it is to be run and the platform
// does otherwise, so that nobody has to find out from what the app does.
func remarks(run docker.ImageRun, types []cluster.ProcessType) []string {
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	commanded, own := byCommand(types)
	if len(run.Entrypoint) > 0 && len(commanded) > 0 {
		say("the image's ENTRYPOINT (%s) is not run for %s: the command of Procfile or aorta.yml replaces it (begin the command with it if it is needed)",
			cluster.Clip(strings.Join(run.Entrypoint, " ")), typeNames(commanded))
	}
	if unused := append(commanded, withPath(own)...); run.Healthcheck && len(unused) > 0 {
		say("the image's HEALTHCHECK is not used for %s: the process type has a command or a health path of its own", typeNames(unused))
	}
	if len(run.Volumes) > 0 {
		say("what an instance writes to the image's VOLUME %s is removed with the instance", strings.Join(run.Volumes, ", "))
	}
	for _, port := range run.Ports {
		if port != appPort {
			say("the image EXPOSEs %s, where no request goes: the app has to listen on $PORT (%d)", port, docker.ContainerPort)
		}
	}
	for _, kv := range run.Env {
		if key, _, _ := strings.Cut(kv, "="); key == "PORT" || strings.HasPrefix(key, "AORTA_") {
			say("the image's ENV %s is replaced by the platform's", cluster.Clip(key))
		}
	}
	return said
}

// byCommand parts the types with a command of their own from those that run the
// image's.
func byCommand(types []cluster.ProcessType) (commanded, own []cluster.ProcessType) {
	for _, t := range types {
		if t.Command != "" {
			commanded = append(commanded, t)
		} else {
			own = append(own, t)
		}
	}
	return commanded, own
}

func withPath(types []cluster.ProcessType) []cluster.ProcessType {
	var found []cluster.ProcessType
	for _, t := range types {
		if t.Health.Path != "" {
			found = append(found, t)
		}
	}
	return found
}

func typeNames(types []cluster.ProcessType) string {
	list := make([]string, len(types))
	for i, t := range types {
		list[i] = t.Name
	}
	return strings.Join(list, ", ")
}
