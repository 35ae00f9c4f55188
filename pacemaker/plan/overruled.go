package plan

import (
	"fmt"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// Overruled says, a line each, what a source's files ask for of its process types
// and a person has set otherwise.
func Overruled(types []cluster.ProcessType, asked map[string]cluster.Formation) []string {
	var said []string
	for _, t := range types {
		f, has := asked[t.Name]
		if !has {
			continue
		}
		if t.Quantity != nil && f.Quantity != nil && *t.Quantity != *f.Quantity {
			said = append(said, fmt.Sprintf("the source asks for %d of %s; %d stays, as was set by aorta ps scale (to have the source's: aorta ps scale %s=)",
				*t.Quantity, t.Name, *f.Quantity, t.Name))
		}
		if want, is := t.Limits.Memory, f.Limits.Memory; want != 0 && is != 0 && want != is {
			said = append(said, fmt.Sprintf("the source asks for %s of memory for %s; %s stays, as was set by aorta ps type (to have the source's: aorta ps type %s --memory '')",
				cluster.Bytes(want), t.Name, cluster.Bytes(is), t.Name))
		}
		if want, is := t.Limits.CPUs, f.Limits.CPUs; want != 0 && is != 0 && want != is {
			said = append(said, fmt.Sprintf("the source asks for %v CPUs for %s; %v stays, as was set by aorta ps type (to have the source's: aorta ps type %s --cpus '')",
				want, t.Name, is, t.Name))
		}
	}
	return said
}

// RouteOf is what a deploy changes of an app's limits: what its aorta.yml asks for
// now, and back to the default what only the one before asked for. What somebody
// has changed since stays; said has a line for each.
func RouteOf(before, now cluster.RequestLimitsChange, have cluster.RequestLimits) (change cluster.RequestLimitsChange, said []string) {
	change = now
	var none time.Duration
	var noBody int64
	for _, key := range []struct {
		name, flag  string
		before, now *time.Duration
		have        time.Duration
		to          **time.Duration
	}{
		{"timeout", "--timeout", before.Timeout, now.Timeout, have.Timeout, &change.Timeout},
		{"idle_timeout", "--idle-timeout", before.IdleTimeout, now.IdleTimeout, have.IdleTimeout, &change.IdleTimeout},
	} {
		if key.before == nil || key.now != nil || key.have == 0 {
			continue
		}
		if key.have == *key.before {
			*key.to = &none
		}
		said = append(said, gone(key.name, key.flag, duration.Text(key.have), key.have == *key.before))
	}
	if before.MaxBody != nil && now.MaxBody == nil && have.MaxBody != 0 {
		if have.MaxBody == *before.MaxBody {
			change.MaxBody = &noBody
		}
		said = append(said, gone("max_body", "--max-body", cluster.Bytes(have.MaxBody), have.MaxBody == *before.MaxBody))
	}
	return change, said
}

// gone says what becomes of a key of route: that aorta.yml has no more.
func gone(key, flag, have string, back bool) string {
	if back {
		return fmt.Sprintf("aorta.yml has no route.%s any more: %s goes, and the default is back", key, have)
	}
	return fmt.Sprintf(`aorta.yml has no route.%s any more; %s stays, as was set by aorta route set (to take it back: aorta route set %s "")`, key, have, flag)
}
