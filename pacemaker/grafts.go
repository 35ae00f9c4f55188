package pacemaker

import (
	"encoding/json"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// MayGraft decides what a job may add to its tree: the pacemaker's own may add any. Of
// nodes, who are not to be believed, a start alone may ask for its image and for the
// starts on its node after that; what is built and started for it is the pacemaker's to say.
func MayGraft(by *jobs.Job, s jobs.Spec) bool {
	if by.Queue == pacemakerQueue || by.Queue == TurnQueue {
		return true
	}
	if by.Kind != cluster.JobInstanceStart || len(s.Children) != 1 {
		return false
	}
	provide := s.Children[0]
	return asksFor(cluster.JobStart, s, by.Queue) && asksFor(cluster.JobProvide, provide, by.Queue) && len(provide.Children) == 0
}

// asksFor says whether a spec is a job of the pacemaker, of one kind and about one node.
func asksFor(kind string, s jobs.Spec, node jobs.Queue) bool {
	var args cluster.NodeArgs
	return s.Kind == kind && s.Queue == pacemakerQueue && !s.Cleanup && s.NotBefore.IsZero() &&
		json.Unmarshal(s.Args, &args) == nil && jobs.NodeQueue(string(args.Node)) == node
}
