package stats

import "math"

// Counters is what is counted of some requests.
type Counters struct {
	Requests uint64
	Attempts uint64    // tries at instances: more than Requests where some were tried again
	Bytes    uint64    // sent to clients
	Status   [6]uint64 // by class, 1 to 5; 101 counts in 2, what is no status in none
	Latency  Histogram // whole request times; instances have none
}

// Add adds o. The histogram becomes a new one, so copies made before stay.
func (c *Counters) Add(o Counters) {
	c.Requests += o.Requests
	c.Attempts += o.Attempts
	c.Bytes += o.Bytes
	for i, n := range o.Status {
		c.Status[i] += n
	}
	c.Latency = c.Latency.plus(o.Latency)
}

// Percentile is the latency in ms that p percent of the requests did not
// exceed, within 5 % of the measured value; 0 is below a millisecond. It
// reports false where no latency was counted.
func (c Counters) Percentile(p float64) (ms float64, ok bool) {
	var all uint64
	for _, b := range c.Latency {
		all += b.N
	}
	if all == 0 {
		return 0, false
	}
	rank := max(1, uint64(math.Ceil(min(max(p, 0), 100)/100*float64(all))))
	var below uint64
	for _, b := range c.Latency {
		if below += b.N; below >= rank {
			return middle(b.Index), true
		}
	}
	return middle(c.Latency[len(c.Latency)-1].Index), true
}

// class is the index of a status in Counters.Status, 0 for what is no status.
func class(status int) int {
	switch {
	case status == 101:
		return 2
	case status >= 100 && status < 600:
		return status / 100
	}
	return 0
}
