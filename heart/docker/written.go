package docker

import (
	"fmt"
	"os"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// writtenDirs are the directories that hold what a container has written: of its own
// files, and its volumes.
func writtenDirs(r container.InspectResponse) []string {
	var dirs []string
	if dir := upperDir(r); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, m := range r.Mounts {
		if m.Type == mount.TypeVolume && m.Source != "" {
			dirs = append(dirs, m.Source)
		}
	}
	return dirs
}

// upperDir holds what a container has changed of its image's files; empty: not known. An
// engine that keeps images in containerd, as Docker 29 does where it is installed anew,
// does not say it, but its kernel does.
func upperDir(r container.InspectResponse) string {
	if r.GraphDriver != nil {
		return r.GraphDriver.Data["UpperDir"]
	}
	if r.State.Pid <= 0 {
		return ""
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", r.State.Pid))
	if err != nil {
		return "" // it has ended, or its engine is on another machine
	}
	return upperDirIn(string(mounts), r.ID)
}

// upperDirIn finds it in the mounts that a process has, in the kernel's words
// (proc_pid_mountinfo(5)); empty when that is no process of the container: numbers are
// used again.
func upperDirIn(mounts, container string) string {
	dir, own := "", false
	for line := range strings.Lines(mounts) {
		of, as, found := strings.Cut(line, " - ")
		places, how := strings.Fields(of), strings.Fields(as)
		if !found || len(places) < 5 || len(how) < 3 {
			continue
		}
		own = own || strings.HasSuffix(places[3], "/containers/"+container+"/hostname")
		if places[4] != "/" || how[0] != "overlay" {
			continue
		}
		for option := range strings.SplitSeq(how[2], ",") {
			if upper, is := strings.CutPrefix(option, "upperdir="); is {
				dir = unescapeMount.Replace(upper)
			}
		}
	}
	if !own {
		return ""
	}
	return dir
}

// unescapeMount reads what the kernel writes for bytes that would end a field.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
