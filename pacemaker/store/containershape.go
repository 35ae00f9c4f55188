package store

import "aorta/pacemaker/cluster"

type containerShape struct {
	CapDrop  []string         `json:"cap_drop,omitempty"`
	ReadOnly bool             `json:"read_only,omitempty"`
	Tmpfs    []tmpfsShape     `json:"tmpfs,omitempty"`
	Ulimits  map[string]int64 `json:"ulimits,omitempty"`
	ShmSize  int64            `json:"shm_size,omitempty"` // bytes
	Disk     int64            `json:"disk,omitempty"`     // bytes
}

type tmpfsShape struct {
	Path string `json:"path"`
	Size int64  `json:"size,omitempty"` // bytes
}

func containerShapeOf(o cluster.ContainerOptions) containerShape {
	s := containerShape{CapDrop: o.CapDrop, ReadOnly: o.ReadOnly, Ulimits: o.Ulimits, ShmSize: o.ShmSize, Disk: o.Disk}
	for _, t := range o.Tmpfs {
		s.Tmpfs = append(s.Tmpfs, tmpfsShape(t))
	}
	return s
}

func (s containerShape) options() cluster.ContainerOptions {
	o := cluster.ContainerOptions{CapDrop: s.CapDrop, ReadOnly: s.ReadOnly, Ulimits: s.Ulimits, ShmSize: s.ShmSize, Disk: s.Disk}
	for _, t := range s.Tmpfs {
		o.Tmpfs = append(o.Tmpfs, cluster.Tmpfs(t))
	}
	return o
}
