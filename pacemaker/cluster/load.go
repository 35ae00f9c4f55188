package cluster

import "fmt"

// Load is how busy a node is.
type Load struct {
	Score       float64 // the largest of its ScoreParts, 0 idle … 1 full
	CPU         float64 // share of all cores in use
	CPUs        int     // cores
	MemoryUsed  int64   // bytes
	MemoryTotal int64   // bytes
	DiskUsed    float64 // share of the engine's disk
	DiskFree    int64   // bytes
	LoadAverage float64 // over 1 minute
	Instances   int     // on the node, that have not ended
	Promised    int64   // bytes of memory that these may take together
}

// ScorePart is one measure of how busy a node is.
type ScorePart struct {
	Name  string
	Value float64 // 0 idle … 1 full
	Text  string  // what was measured, for people
}

// ScoreParts are the measures that the score is made of: what the machine does and
// what is promised to instances, which may not use it yet.
func (l Load) ScoreParts() []ScorePart {
	cpus := float64(max(1, l.CPUs))
	return []ScorePart{
		{"cpu", part(l.CPU), fmt.Sprintf("%.1f of %d cores busy", l.CPU*cpus, l.CPUs)},
		{"load", part(l.LoadAverage / cpus), fmt.Sprintf("%.1f running or waiting for a disk, on %d cores (1 min)", l.LoadAverage, l.CPUs)},
		{"memory", share(l.MemoryUsed, l.MemoryTotal), fmt.Sprintf("%s of %s in use", Size(l.MemoryUsed), Size(l.MemoryTotal))},
		{"disk", part(l.DiskUsed), fmt.Sprintf("%s free", Size(l.DiskFree))},
		{"instances", share(l.Promised, l.MemoryTotal), promisedText(l)},
	}
}

// Scored is the load with its score.
func (l Load) Scored() Load {
	l.Score = 0
	for _, p := range l.ScoreParts() {
		l.Score = max(l.Score, p.Value)
	}
	return l
}

func promisedText(l Load) string {
	if l.Instances == 1 {
		return Size(l.Promised) + " of memory promised to 1 instance"
	}
	return fmt.Sprintf("%s of memory promised to %d instances", Size(l.Promised), l.Instances)
}

func share(of, total int64) float64 {
	if total <= 0 {
		return 0
	}
	return part(float64(of) / float64(total))
}

func part(v float64) float64 { return max(0, min(v, 1)) }
