package plan

import (
	"slices"

	"aorta/pacemaker/cluster"
)

// Exclusive names the process types of which an app has one instance at a time: by the
// release that is to run, or by that of an instance which is not gone yet, which was
// promised to be alone. The releases are by id; of one that is not among them nothing is
// known.
func Exclusive(release cluster.Release, instances []cluster.Instance, releases map[cluster.ID]cluster.Release) map[string]bool {
	set := map[string]bool{}
	for _, p := range release.Processes {
		if p.Exclusive {
			set[p.Name] = true
		}
	}
	for _, in := range instances {
		if p, is := releases[in.ReleaseID].Process(in.Type); is && p.Exclusive {
			set[in.Type] = true
		}
	}
	return set
}

// SplitExclusive leaves the starts of process types that are not exclusive, and gives
// those of the others.
func (t Target) SplitExclusive(starts []Start) (shared, exclusive []Start) {
	for _, s := range starts {
		if t.Exclusive[s.Type] {
			exclusive = append(exclusive, s)
		} else {
			shared = append(shared, s)
		}
	}
	return shared, exclusive
}

// InTheWay are the instances which have to be gone before an operation may start any of
// some process types: all others of their kind, whatever their state, but those on nodes
// that are surely dead.
func (t Target) InTheWay(op cluster.ID, types []string, instances []cluster.Instance) []cluster.Instance {
	return slices.DeleteFunc(slices.Clone(instances), func(in cluster.Instance) bool {
		return in.Operation == op || in.GoneAt != nil || !slices.Contains(types, in.Type) || t.lost(in)
	})
}

// lost says that an instance counts as gone since its node is lost: one of an exclusive
// type only if somebody has said that the machine is dead, or it has ended by its heart's
// promise.
func (t Target) lost(in cluster.Instance) bool {
	return t.Lost[in.NodeID] && (!t.Exclusive[in.Type] || t.Dead[in.NodeID] || in.EndedBySilence(t.Silence[in.NodeID]))
}

// CheckAlone refuses more of an exclusive process type than one, where a person has asked
// for that while it was not exclusive.
func CheckAlone(app string, types []cluster.ProcessType, asked map[string]cluster.Formation) error {
	for _, p := range types {
		if f := asked[p.Name]; f.Quantity != nil && p.CheckQuantity("", *f.Quantity) != nil {
			return cluster.Conflict("%s is exclusive in this release, one instance of it at most, and was set to %d (first run aorta ps scale -a %s %s=1)", p.Name, *f.Quantity, app, p.Name)
		}
	}
	return nil
}
