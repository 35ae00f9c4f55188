package nodewire

import "aorta/pacemaker/cluster"

// ContainerOptions is what a process type takes away from what its container may
// do. A node that does not know one of them leaves it out.
type ContainerOptions struct {
	CapDrop  []string         `json:"cap_drop,omitempty"`
	ReadOnly bool             `json:"read_only,omitempty"`
	Tmpfs    []Tmpfs          `json:"tmpfs,omitempty"`
	Ulimits  map[string]int64 `json:"ulimits,omitempty"`
	ShmSize  int64            `json:"shm_size,omitempty"`
	Disk     int64            `json:"disk,omitempty"`
}

// Tmpfs is a file system in memory.
type Tmpfs struct {
	Path string `json:"path"`
	Size int64  `json:"size,omitempty"`
}

func fromContainerOptions(o cluster.ContainerOptions) ContainerOptions {
	return ContainerOptions{
		CapDrop: o.CapDrop, ReadOnly: o.ReadOnly, Ulimits: o.Ulimits, ShmSize: o.ShmSize, Disk: o.Disk,
		Tmpfs: each(o.Tmpfs, func(t cluster.Tmpfs) Tmpfs { return Tmpfs(t) }),
	}
}

func (o ContainerOptions) domain() cluster.ContainerOptions {
	return cluster.ContainerOptions{
		CapDrop: o.CapDrop, ReadOnly: o.ReadOnly, Ulimits: o.Ulimits, ShmSize: o.ShmSize, Disk: o.Disk,
		Tmpfs: each(o.Tmpfs, func(t Tmpfs) cluster.Tmpfs { return cluster.Tmpfs(t) }),
	}
}
