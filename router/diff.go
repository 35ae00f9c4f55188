package router

import (
	"maps"
	"slices"
)

// Diff says how to get from old to new: the records that are new or differ,
// and the names that are gone, both in the order of their names. Epochs and
// generations say when a record was published, not what it is: they are not
// compared.
func Diff(old, new Table) (changed []Record, removed []string) {
	for _, host := range slices.Sorted(maps.Keys(new)) {
		before, known := old[host]
		if !known || !before.Same(new[host]) {
			changed = append(changed, new[host])
		}
	}
	for _, host := range slices.Sorted(maps.Keys(old)) {
		if _, kept := new[host]; !kept {
			removed = append(removed, host)
		}
	}
	return changed, removed
}

// Same reports whether both records route alike, whenever they were published.
func (r Record) Same(other Record) bool {
	return r.Host == other.Host && r.App == other.App && r.AppName == other.AppName &&
		r.Maintenance == other.Maintenance &&
		r.Timeout == other.Timeout && r.IdleTimeout == other.IdleTimeout && r.MaxBody == other.MaxBody && slices.EqualFunc(r.Groups, other.Groups, Group.same)
}

func (g Group) same(other Group) bool {
	return g.Release == other.Release && g.ReleaseName == other.ReleaseName &&
		g.Weight == other.Weight && slices.Equal(g.Instances, other.Instances)
}
