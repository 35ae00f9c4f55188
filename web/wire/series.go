package wire

// Series are numbers over time, in columns: what stands at one index is of the
// step that begins at t there. A step that nothing was counted in is null.
type Series struct {
	Step  int64        `json:"step_s" doc:"seconds of a step"`
	From  int64        `json:"from" doc:"unix time of the first step"`
	To    int64        `json:"to" doc:"unix time until which is counted: the last step may be under way"`
	T     []int64      `json:"t" doc:"unix time of each step"`
	S2xx  []*uint64    `json:"s2xx" doc:"requests with that status in the step; 101 too"`
	S3xx  []*uint64    `json:"s3xx"`
	S4xx  []*uint64    `json:"s4xx"`
	S5xx  []*uint64    `json:"s5xx"`
	Bytes []*uint64    `json:"bytes" doc:"sent to clients in the step"`
	P50   []*float64   `json:"p50_ms"`
	P95   []*float64   `json:"p95_ms"`
	P99   []*float64   `json:"p99_ms"`
	Marks []SeriesMark `json:"marks" doc:"releases made in that time"`
}

// SeriesMark is a release in a graph.
type SeriesMark struct {
	T       int64  `json:"t" doc:"unix time"`
	Release string `json:"release"`
}
