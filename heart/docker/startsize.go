package docker

import (
	"strings"

	"github.com/moby/moby/api/types/container"

	"aorta/pacemaker/cluster"
)

// startable refuses a container whose process the kernel would not start, since
// its arguments and environment are too long.
func startable(c *container.Config, img Image) error {
	args := img.Command
	if len(c.Entrypoint) > 0 {
		args = append(append([]string{}, c.Entrypoint...), c.Cmd...)
	}
	total := 0
	for _, arg := range args {
		if len(arg) > cluster.MaxStartString {
			return cluster.Invalid("", "an argument of its command is %d bytes long (%s); a process starts with %d at most", len(arg), cluster.Clip(arg), cluster.MaxStartString)
		}
		total += cluster.StartSize(arg)
	}
	given := map[string]bool{}
	var env, image int
	for _, kv := range c.Env {
		key, _, _ := strings.Cut(kv, "=")
		given[key] = true
		env += cluster.StartSize(kv)
	}
	for _, kv := range img.Env {
		key, _, _ := strings.Cut(kv, "=")
		if given[key] {
			continue
		}
		if len(kv) > cluster.MaxStartString {
			return cluster.Invalid("", "the image's ENV %s is %d bytes long; a process starts with %d at most: put it in a file of the image", cluster.Clip(key), len(kv), cluster.MaxStartString)
		}
		image += cluster.StartSize(kv)
	}
	// What docker-init and a shell add is little; a page for it.
	if total += env + image + 4096; total > cluster.MaxStart {
		return cluster.Invalid("", "its process can't start with %d bytes of arguments and environment: the limit is %d, the config vars take %d, the image's ENV %d; make these smaller", total, cluster.MaxStart, env, image)
	}
	return nil
}
