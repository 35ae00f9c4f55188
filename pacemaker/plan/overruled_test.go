package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func TestOverruled_SaysWhatAPersonHasSetOtherwise(t *testing.T) {
	two, three, eu := 2, 3, []cluster.Tag{{Key: "region", Value: "eu"}}
	types := []cluster.ProcessType{
		{Name: "web", Quantity: &two, Limits: cluster.Limits{Memory: 256 << 20, CPUs: 0.5}, Tags: cluster.Tags{Require: []cluster.Tag{{Key: "ssd"}}, Prefer: eu}},
		{Name: "same", Quantity: &two, Limits: cluster.Limits{Memory: 64 << 20}},
		{Name: "silent"},
		{Name: "alone", Quantity: &two},
	}
	asked := map[string]cluster.Formation{
		"web":    {Quantity: &three, Limits: cluster.Limits{Memory: 1 << 30, CPUs: 2}, Tags: cluster.Tags{Require: []cluster.Tag{{Key: "rack", Value: "r7"}}, Prefer: eu}},
		"same":   {Quantity: &two, Limits: cluster.Limits{Memory: 64 << 20}},
		"silent": {Quantity: &three, Limits: cluster.Limits{Memory: 1 << 30}},
		"gone":   {Quantity: &three},
	}

	got := strings.Join(Overruled(types, asked), "\n")

	want := `the source asks for 2 of web; 3 stays, as was set by aorta ps scale (to have the source's: aorta ps scale web=)
the source asks for 256m of memory for web; 1g stays, as was set by aorta ps type (to have the source's: aorta ps type web --memory '')
the source asks for 0.5 CPUs for web; 2 stays, as was set by aorta ps type (to have the source's: aorta ps type web --cpus '')
the source asks to require tags ssd for web; rack=r7 stays, as was set by aorta ps type (to have the source's: aorta ps type web --require '')`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestRouteOf_TakesBackWhatOnlyTheFileBeforeAskedFor(t *testing.T) {
	minute := time.Minute
	timeout, idle, body, none, noBody := 90*time.Second, 2*time.Hour, int64(50<<20), time.Duration(0), int64(0)
	before := cluster.RequestLimitsChange{Timeout: &timeout, IdleTimeout: &idle, MaxBody: &body}
	for name, c := range map[string]struct {
		now  cluster.RequestLimitsChange
		have cluster.RequestLimits
		want cluster.RequestLimitsChange
		said []string
	}{
		"nobody has changed them": {
			have: cluster.RequestLimits{Timeout: timeout, IdleTimeout: idle, MaxBody: body},
			want: cluster.RequestLimitsChange{Timeout: &none, IdleTimeout: &none, MaxBody: &noBody},
			said: []string{"route.timeout any more: 1m30s goes", "route.idle_timeout any more: 2h goes", "route.max_body any more: 50m goes"},
		},
		"one was changed since": {
			have: cluster.RequestLimits{Timeout: time.Minute},
			said: []string{`route.timeout any more; 1m stays, as was set by aorta route set (to take it back: aorta route set --timeout '')`},
		},
		"one is still asked for": {
			now:  cluster.RequestLimitsChange{Timeout: &idle},
			have: cluster.RequestLimits{Timeout: timeout, MaxBody: body},
			want: cluster.RequestLimitsChange{Timeout: &idle, MaxBody: &noBody},
			said: []string{"route.max_body any more: 50m goes"},
		},
		"they are back already": {},
		"what a person set stays": {
			now:  cluster.RequestLimitsChange{Timeout: &minute, IdleTimeout: &idle, MaxBody: &body},
			have: cluster.RequestLimits{Timeout: 2 * time.Minute, IdleTimeout: idle, MaxBody: 1 << 20},
			want: cluster.RequestLimitsChange{IdleTimeout: &idle},
			said: []string{
				`the source asks for a route.timeout of 1m; 2m stays, as was set by aorta route set (to have the source's: aorta route set --timeout '')`,
				`the source asks for a route.max_body of 50m; 1m stays, as was set by aorta route set (to have the source's: aorta route set --max-body '')`,
			},
		},
		"what a person set as the source says is the source's": {
			now: cluster.RequestLimitsChange{Timeout: &minute}, have: cluster.RequestLimits{Timeout: time.Minute},
			want: cluster.RequestLimitsChange{Timeout: &minute},
		},
		"the source changes its mind": {
			now:  cluster.RequestLimitsChange{Timeout: &minute, IdleTimeout: &minute, MaxBody: &body},
			have: cluster.RequestLimits{Timeout: timeout, IdleTimeout: idle, MaxBody: body},
			want: cluster.RequestLimitsChange{Timeout: &minute, IdleTimeout: &minute, MaxBody: &body},
		},
	} {
		got, said := RouteOf(before, c.now, c.have)

		if diff := cmp.Diff(c.want, got); diff != "" || len(said) != len(c.said) {
			t.Errorf("%s: said %q, change (-want +got):\n%s", name, said, diff)
			continue
		}
		for i, want := range c.said {
			if !strings.Contains(said[i], want) {
				t.Errorf("%s: got %q, want %q in it", name, said[i], want)
			}
		}
	}
}

func TestRouteBack_IsWhatTheSourceAsksFor(t *testing.T) {
	minute, hour, none, body, noBody := time.Minute, time.Hour, time.Duration(0), int64(1<<20), int64(0)
	source := cluster.RequestLimitsChange{Timeout: &minute, MaxBody: &body}

	got := RouteBack(cluster.RequestLimitsChange{Timeout: &none, IdleTimeout: &none, MaxBody: &noBody}, source)
	set := RouteBack(cluster.RequestLimitsChange{Timeout: &hour}, source)
	names := RouteSource(source, cluster.RequestLimits{Timeout: time.Minute, IdleTimeout: time.Minute, MaxBody: 2 << 20})

	if diff := cmp.Diff(cluster.RequestLimitsChange{Timeout: &minute, IdleTimeout: &none, MaxBody: &body}, got); diff != "" {
		t.Errorf("all taken back (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(cluster.RequestLimitsChange{Timeout: &hour}, set); diff != "" {
		t.Errorf("one set (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"timeout"}, names); diff != "" {
		t.Errorf("of the source (-want +got):\n%s", diff)
	}
}
