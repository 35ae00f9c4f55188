package steps

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// The steps, by id.
const (
	Build   = "build"
	Wait    = "wait"
	Release = "release"
	Start   = "start"
	Publish = "publish"
	Drain   = "drain"
	Move    = "move"
	Remove  = "remove"
	Prune   = "prune"
)

// order is that in which steps happen, with their names.
var order = []struct{ id, name string }{
	{Build, "Build"},
	{Wait, "Wait"},
	{Release, "Release"},
	{Start, "Start"},
	{Publish, "Publish"},
	{Drain, "Drain"},
	{Move, "Move instances"},
	{Remove, "Remove"},
	{Prune, "Remove images"},
}

// of is the step that each kind of job is a part of. The root of a rollout ends
// its publishing: it moves the branch to what serves.
var of = map[string]string{
	cluster.JobBuild: Build, cluster.JobTurn: Wait, cluster.JobRelease: Release,
	cluster.JobPlace: Start, cluster.JobPlaceAnew: Start, cluster.JobSwap: Start, cluster.JobStart: Start, cluster.JobProvide: Start, cluster.JobInstanceStart: Start,
	cluster.JobPublish: Publish, cluster.JobDeploy: Publish,
	cluster.JobDrain: Drain, cluster.JobInstanceStop: Drain,
	cluster.JobEmptyNode: Move,
	cluster.JobDestroy:   Remove, cluster.JobImagePrune: Prune, cluster.JobRegistryPrune: Prune,
}

// Of gives the steps of a kind of operation, from its tree. Further trees are of
// operations that it has caused; their steps join its own.
func Of(kind cluster.OperationKind, t *jobs.Tree, caused ...*jobs.Tree) []Step {
	parts := map[string]*part{}
	collect(parts, kind, t)
	for _, c := range caused {
		collect(parts, "", c)
	}
	var out []Step
	for _, o := range order {
		if p := parts[o.id]; p != nil {
			out = append(out, p.step(o.id, o.name, len(out)))
		}
	}
	for _, id := range sorted(parts) { // kinds of a later version
		out = append(out, parts[id].step(id, parts[id].own[0].Title, len(out)))
	}
	return out
}

// part is a step as it is put together.
type part struct {
	own     []*jobs.Job
	lines   map[string][]*jobs.Job
	instead map[string]string // what takes the place of a line, and why
}

// collect adds a tree's jobs to the steps that they are of.
func collect(parts map[string]*part, kind cluster.OperationKind, t *jobs.Tree) {
	for _, j := range t.Jobs {
		id, line := placeOf(kind, t, j)
		if id == "" {
			continue
		}
		p := parts[id]
		if p == nil {
			p = &part{lines: map[string][]*jobs.Job{}, instead: map[string]string{}}
			parts[id] = p
		}
		if line == "" {
			p.own = append(p.own, j)
		} else {
			p.lines[line] = append(p.lines[line], j)
		}
		if j.Kind == cluster.JobPlaceAnew {
			p.instead[line] = insteadOf(t, j)
		}
	}
}

// placeOf is the step that a job is a part of, and its line there, if it has one
// of its own. A root that does nothing by itself is shown once it has failed, and the
// wait for a turn once there is something to wait for.
func placeOf(kind cluster.OperationKind, t *jobs.Tree, j *jobs.Job) (step, line string) {
	step, known := of[j.Kind]
	switch {
	case j.Cleanup && !jobs.State(t.State).Ended() && t.Stop == nil:
		return "", ""
	case j.Kind == cluster.JobFinish && j.State != jobs.Failed:
		return "", ""
	case j.Kind == cluster.JobTurn && j.Progress.Text == "" && j.State != jobs.Failed:
		return "", ""
	case !known:
		return j.Kind, ""
	case j.Kind == cluster.JobPlace && kind == cluster.OpStop:
		return Publish, "" // there is nothing to start
	case j.Kind == cluster.JobBuild && belowStart(t, j):
		return Start, j.ID
	case j.Kind == cluster.JobImagePrune, j.Kind == cluster.JobRegistryPrune:
		return step, j.ID
	}
	return step, instanceOf(j)
}

// insteadOf says why an instance is placed anew, and what is started in its place.
func insteadOf(t *jobs.Tree, anew *jobs.Job) string {
	_, text, _ := strings.Cut(anew.Title, ": ")
	for _, j := range t.Children(anew.ID) {
		if j.Kind == cluster.JobInstanceStart {
			text += ", " + nameOf([]*jobs.Job{j}) + " takes its place"
		}
	}
	return text
}

// belowStart says that an instance waits for the job, as for an image that is
// built again.
func belowStart(t *jobs.Tree, j *jobs.Job) bool {
	for range jobs.MaxDepth {
		if j = t.Jobs[j.Parent]; j == nil {
			return false
		}
		if j.Kind == cluster.JobStart {
			return true
		}
	}
	return false
}

// instanceOf is the instance that a job is about, "" for none.
func instanceOf(j *jobs.Job) string {
	switch j.Kind {
	case cluster.JobPlaceAnew, cluster.JobInstanceStart, cluster.JobDrain, cluster.JobInstanceStop:
		var args cluster.InstanceArgs
		if err := json.Unmarshal(j.Args, &args); err == nil && args.Instance != "" {
			return string(args.Instance)
		}
		return j.ID
	}
	return ""
}

func (p *part) step(id, name string, index int) Step {
	s := sum(p.own)
	s.ID, s.Name, s.Index = id, name, index
	lines := make([]Step, 0, len(p.lines))
	var all []*jobs.Job
	for about, list := range p.lines {
		line := sumLine(list, p.instead[about])
		line.ID, line.Parent, line.Name = id+"/"+about, id, nameOf(list)
		line.Error = strings.TrimPrefix(line.Error, line.Name+": ") // which is beside it already
		lines, all = append(lines, line), append(all, list...)
	}
	slices.SortFunc(lines, func(a, b Step) int { return cmp.Compare(a.ID, b.ID) })
	for i := range lines {
		lines[i].Index = i
	}
	s.Children = lines
	if len(lines) > 0 {
		s.underLines(sum(append(all, p.own...)))
	}
	return s
}

// underLines makes the step what its lines are together, but for its own error.
func (s *Step) underLines(all Step) {
	s.State, s.Started, s.Ended, s.Attempt = all.State, all.Started, all.Ended, 0
	done, count := 0, 0
	for _, line := range s.Children {
		switch jobs.State(line.State) {
		case jobs.Superseded:
			continue
		case jobs.Succeeded:
			done++
		}
		count++
	}
	s.Progress = jobs.Progress{N: done, M: count}
}

// nameOf is what a line is about: the title of a job without its verb, with the
// node where one is known.
func nameOf(list []*jobs.Job) string {
	slices.SortFunc(list, byID)
	j := list[0]
	if i := slices.IndexFunc(list, func(j *jobs.Job) bool { return j.Kind == cluster.JobInstanceStart }); i >= 0 {
		j = list[i] // its title has the node
	}
	switch j.Kind {
	case cluster.JobInstanceStart, cluster.JobDrain, cluster.JobInstanceStop:
		_, name, _ := strings.Cut(j.Title, " ")
		return name
	case cluster.JobRegistryPrune:
		return "in the registry"
	case cluster.JobImagePrune:
		if j.Subject.Node != "" {
			return "on " + j.Subject.Node
		}
	}
	return j.Title
}

// ToDrain is the step of instances that are not wanted any more and that nothing
// has begun to stop.
func ToDrain(index, n int, since time.Time) Step {
	text := fmt.Sprintf("%d instances stop once their requests have ended", n)
	if n == 1 {
		text = "1 instance stops once its requests have ended"
	}
	return Step{ID: Drain, Index: index, Name: "Drain", State: string(jobs.Running), Started: since, Progress: Progress{Text: text}, Jobs: []string{}}
}

func byID(a, b *jobs.Job) int { return cmp.Compare(a.ID, b.ID) }

func sorted(parts map[string]*part) []string {
	var out []string
	for id := range parts {
		if !slices.ContainsFunc(order, func(o struct{ id, name string }) bool { return o.id == id }) && len(parts[id].own) > 0 {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
