package place

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
)

// BenchmarkChoose places instances on 5,000 nodes with tags and reservations, in
// requests of as many as an app scales to, or as few as it loses. It counts the
// processor's time, garbage collection included: a machine has others at work.
func BenchmarkChoose(b *testing.B) {
	nodes := make([]Node, 5000)
	for i := range nodes {
		n := node(i)
		n.Memory, n.CPUs, n.DiskFree, n.Arch = 64<<30, 16, 100<<30, "amd64"
		n.Reserved = cluster.Limits{Memory: int64(i%60) << 30, CPUs: float64(i % 32)}
		n.Score, n.Siblings = float64(i*7919%1000)/1000, i%2
		n.SetTags = map[string]string{"disk": []string{"ssd", "hdd"}[i%2], "rack": fmt.Sprint("r", i%40)}
		n.Tags = map[string]string{"disk": n.SetTags["disk"], "rack": n.SetTags["rack"], "region": []string{"eu", "us", "asia"}[i%3], "arch": "amd64", "os": "linux"}
		nodes[i] = n
	}
	for _, count := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("5000nodes/%d", count), func(b *testing.B) {
			req := Request{
				Count: count, Limits: cluster.Limits{Memory: 512 << 20, CPUs: 0.5}, Image: Image{Arch: "amd64", Size: 1 << 30},
				Tags: cluster.Tags{Require: []cluster.Tag{{Key: "disk", Value: "ssd"}}, Prefer: []cluster.Tag{{Key: "region", Value: "eu"}, {Key: "rack", Value: "r7"}}},
			}
			before := processorTime(b)
			for b.Loop() {
				if _, err := Choose(req, nodes); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(count)/(processorTime(b)-before).Seconds(), "instances/core-s")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
