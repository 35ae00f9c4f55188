package stats

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func BenchmarkBatch_Add(b *testing.B) {
	hits := make([]Hit, 4096)
	for i := range hits {
		hits[i] = hit(time.Unix(1763688000+int64(i/2048), 0))
		hits[i].Instance = fmt.Sprint(inst1, rand.IntN(50))
		hits[i].Seconds = rand.ExpFloat64() / 20
	}
	batch := NewBatch()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		batch.Add(&hits[i%len(hits)])
	}
}

// One commit of 5,000 requests over 2 releases and 20 instances, as one router
// makes it in half a second at 10,000 requests/s.
func BenchmarkStore_Commit(b *testing.B) {
	r := newRig(b)
	start := time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		batch := NewBatch()
		for k := range 20 {
			h := hit(start.Add(time.Duration(i) * time.Second / 2))
			h.Instance = fmt.Sprint(inst1, k)
			h.Release = []string{release1, release2}[k%2]
			steady(batch, h, 250, random)
		}
		b.StartTimer()
		r.commitBatch(router1, ShardOf(appA), batch)
	}
}
