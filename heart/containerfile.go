package heart

import "aorta/pacemaker/cluster"

// containerFile is what an instance's record holds of its container's options.
type containerFile struct {
	CapDrop  []string         `json:"cap_drop,omitempty"`
	ReadOnly bool             `json:"read_only,omitempty"`
	Tmpfs    []tmpfsFile      `json:"tmpfs,omitempty"`
	Ulimits  map[string]int64 `json:"ulimits,omitempty"`
	ShmSize  int64            `json:"shm_size,omitempty"` // bytes
	Disk     int64            `json:"disk,omitempty"`     // bytes
}

type tmpfsFile struct {
	Path string `json:"path"`
	Size int64  `json:"size,omitempty"` // bytes
}

func containerFileOf(o cluster.ContainerOptions) containerFile {
	f := containerFile{CapDrop: o.CapDrop, ReadOnly: o.ReadOnly, Ulimits: o.Ulimits, ShmSize: o.ShmSize, Disk: o.Disk}
	for _, t := range o.Tmpfs {
		f.Tmpfs = append(f.Tmpfs, tmpfsFile(t))
	}
	return f
}

func (f containerFile) options() cluster.ContainerOptions {
	o := cluster.ContainerOptions{CapDrop: f.CapDrop, ReadOnly: f.ReadOnly, Ulimits: f.Ulimits, ShmSize: f.ShmSize, Disk: f.Disk}
	for _, t := range f.Tmpfs {
		o.Tmpfs = append(o.Tmpfs, cluster.Tmpfs(t))
	}
	return o
}
