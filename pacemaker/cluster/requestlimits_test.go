package cluster

import (
	"testing"
	"time"
)

func TestRequestLimits_BoundsHoldBothWays(t *testing.T) {
	for name, c := range map[string]struct {
		limits RequestLimits
		good   bool
	}{
		"nothing set":               {RequestLimits{}, true},
		"least":                     {RequestLimits{Timeout: time.Second, IdleTimeout: time.Second, MaxBody: 1}, true},
		"most":                      {RequestLimits{Timeout: 24 * time.Hour, IdleTimeout: 24 * time.Hour, MaxBody: 1 << 50}, true},
		"half a second":             {RequestLimits{Timeout: 500 * time.Millisecond}, false},
		"parts of a second":         {RequestLimits{IdleTimeout: 1500 * time.Millisecond}, false},
		"negative":                  {RequestLimits{Timeout: -time.Second}, false},
		"beyond a day":              {RequestLimits{IdleTimeout: 25 * time.Hour}, false},
		"negative body":             {RequestLimits{MaxBody: -1}, false},
		"body beyond all":           {RequestLimits{MaxBody: 1<<50 + 1}, false},
		"timeout above the silence": {RequestLimits{Timeout: time.Minute, IdleTimeout: time.Second}, false},
		"timeout alone":             {RequestLimits{Timeout: 2 * time.Hour}, true},
	} {
		if err := c.limits.Validate("route."); (err == nil) != c.good {
			t.Errorf("%s: got %v, want good: %v", name, err, c.good)
		}
	}
}

func TestRequestLimits_DefaultsFollowWhatIsSet(t *testing.T) {
	for name, c := range map[string]struct{ set, want RequestLimits }{
		"nothing":      {RequestLimits{}, RequestLimits{Timeout: 5 * time.Minute, IdleTimeout: time.Hour}},
		"short idle":   {RequestLimits{IdleTimeout: time.Minute}, RequestLimits{Timeout: time.Minute, IdleTimeout: time.Minute}},
		"long timeout": {RequestLimits{Timeout: 2 * time.Hour}, RequestLimits{Timeout: 2 * time.Hour, IdleTimeout: 2 * time.Hour}},
	} {
		if got := c.set.Effective(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
