package cluster

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestSize_IsReadByPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1 KB", 512 << 20: "512 MB", 23<<30 + 1<<29: "23.5 GB", 25_232_000_000: "23.5 GB", 1 << 40: "1 TB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d): got %q, want %q", n, got, want)
		}
	}
}

func TestLimits_ValidateHoldsTheBounds(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		field  string // that is refused; "": none
	}{
		"none":              {Limits{}, ""},
		"least":             {Limits{Memory: MinMemory, CPUs: MinCPUs}, ""},
		"most":              {Limits{Memory: MaxMemory, CPUs: MaxCPUs}, ""},
		"memory below":      {Limits{Memory: MinMemory - 1}, "limits.memory"},
		"memory above":      {Limits{Memory: MaxMemory + 1}, "limits.memory"},
		"memory negative":   {Limits{Memory: -1}, "limits.memory"},
		"memory at the end": {Limits{Memory: math.MinInt64}, "limits.memory"},
		"cpus below":        {Limits{CPUs: 0.009}, "limits.cpus"},
		"cpus above":        {Limits{CPUs: 1024.01}, "limits.cpus"},
		"cpus negative":     {Limits{CPUs: -1}, "limits.cpus"},
		"cpus no number":    {Limits{CPUs: math.NaN()}, "limits.cpus"},
		"cpus infinite":     {Limits{CPUs: math.Inf(1)}, "limits.cpus"},
	} {
		wantInvalid(t, name, c.limits.Validate("limits"), c.field, c.field == "")
	}
}

func TestProcessType_ValidateNamesTheField(t *testing.T) {
	quantity := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		change func(p *ProcessType)
		field  string // that is refused; "": none
	}{
		"as it is":           {func(*ProcessType) {}, ""},
		"a bad name":         {func(p *ProcessType) { p.Name = "Web" }, "p.name"},
		"no name":            {func(p *ProcessType) { p.Name = "" }, "p.name"},
		"no instance":        {func(p *ProcessType) { p.Quantity = quantity(0) }, ""},
		"the most instances": {func(p *ProcessType) { p.Quantity = quantity(MaxQuantity) }, ""},
		"too many instances": {func(p *ProcessType) { p.Quantity = quantity(MaxQuantity + 1) }, "p.quantity"},
		"fewer than none":    {func(p *ProcessType) { p.Quantity = quantity(-1) }, "p.quantity"},
		"the longest grace":  {func(p *ProcessType) { p.StopGrace = MaxStopGrace }, ""},
		"too long a grace":   {func(p *ProcessType) { p.StopGrace = MaxStopGrace + 1 }, "p.stop_grace"},
		"a negative grace":   {func(p *ProcessType) { p.StopGrace = -1 }, "p.stop_grace"},
		"a memory":           {func(p *ProcessType) { p.Limits.Memory = 1 }, "p.memory"},
		"a path":             {func(p *ProcessType) { p.Health.Path = "/up?a=b#c" }, ""},
		"the longest path":   {func(p *ProcessType) { p.Health.Path = "/" + strings.Repeat("a", 1023) }, ""},
		"too long a path":    {func(p *ProcessType) { p.Health.Path = "/" + strings.Repeat("a", 1024) }, "p.health.path"},
		"no slash":           {func(p *ProcessType) { p.Health.Path = "up" }, "p.health.path"},
		"a space in a path":  {func(p *ProcessType) { p.Health.Path = "/a b" }, "p.health.path"},
		"a line in a path":   {func(p *ProcessType) { p.Health.Path = "/a\r\nHost: b" }, "p.health.path"},
		"a NUL in a path":    {func(p *ProcessType) { p.Health.Path = "/a\x00" }, "p.health.path"},
		"a DEL in a path":    {func(p *ProcessType) { p.Health.Path = "/a\x7f" }, "p.health.path"},
		"the least status":   {func(p *ProcessType) { p.Health.Status = 100 }, ""},
		"the highest status": {func(p *ProcessType) { p.Health.Status = 599 }, ""},
		"status below":       {func(p *ProcessType) { p.Health.Status = 99 }, "p.health.status"},
		"status above":       {func(p *ProcessType) { p.Health.Status = 600 }, "p.health.status"},
		"status negative":    {func(p *ProcessType) { p.Health.Status = -200 }, "p.health.status"},
		"an hour to start":   {func(p *ProcessType) { p.Health.StartTimeout = time.Hour }, ""},
		"more than an hour":  {func(p *ProcessType) { p.Health.StartTimeout = time.Hour + 1 }, "p.health.start_timeout"},
		"a negative start":   {func(p *ProcessType) { p.Health.StartTimeout = -1 }, "p.health.start_timeout"},
		"no time to start":   {func(p *ProcessType) { p.Health.StartTimeout = time.Millisecond }, "p.health.start_timeout"},
		"the least interval": {func(p *ProcessType) { p.Health.Interval = time.Second }, ""},
		"checks all the day": {func(p *ProcessType) { p.Health.Interval = time.Second - 1 }, "p.health.interval"},
		"a long interval":    {func(p *ProcessType) { p.Health.Interval = time.Hour + 1 }, "p.health.interval"},
		"a negative one":     {func(p *ProcessType) { p.Health.Interval = -1 }, "p.health.interval"},
	} {
		p := ProcessType{Name: "web"}
		c.change(&p)

		wantInvalid(t, name, p.Validate("p"), c.field, c.field == "")
	}
}

func TestProcessType_DefaultsHoldUntilSomebodySetsThem(t *testing.T) {
	three := 3
	for name, c := range map[string]struct {
		p        ProcessType
		quantity int
		grace    time.Duration
	}{
		"web":    {ProcessType{Name: WebType}, 1, DefaultStopGrace},
		"worker": {ProcessType{Name: "worker"}, 0, DefaultStopGrace},
		"asked":  {ProcessType{Name: "worker", Quantity: &three, StopGrace: time.Second}, 3, time.Second},
	} {
		if got := c.p.DefaultQuantity(); got != c.quantity {
			t.Errorf("%s: got %d instances, want %d", name, got, c.quantity)
		}
		if got := c.p.Grace(); got != c.grace {
			t.Errorf("%s: got a grace of %s, want %s", name, got, c.grace)
		}
	}
	if got, want := (Limits{}).OrDefault(), (Limits{Memory: DefaultMemory, CPUs: DefaultCPUs}); got != want {
		t.Errorf("limits: got %+v, want %+v", got, want)
	}
	if got, want := (Health{}).OrDefault(), (Health{StartTimeout: DefaultStartTimeout, Interval: DefaultHealthInterval}); got != want {
		t.Errorf("health: got %+v, want %+v", got, want)
	}
	if set := (Limits{Memory: 1, CPUs: 2}); set.OrDefault() != set {
		t.Errorf("limits that are set: got %+v, want %+v", set.OrDefault(), set)
	}
	if set := (Health{Path: "/", StartTimeout: 1, Interval: 2}); set.OrDefault() != set {
		t.Errorf("health that is set: got %+v, want %+v", set.OrDefault(), set)
	}
	if err := (Limits{}).OrDefault().Validate("limits"); err != nil {
		t.Errorf("the default limits: got %v, want them valid", err)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0b", 1: "1b", 1023: "1023b", 1 << 10: "1k", 1536: "1536b", 1 << 20: "1m", 256 << 20: "256m", 1536 << 10: "1536k",
		1 << 30: "1g", 3 << 29: "1536m", 1 << 40: "1024g", -1: "-1b",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
