package plan

import (
	"fmt"
	"slices"
	"strings"
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
		said = append(said, overruledTags(t.Name, "require", t.Tags.Require, f.Tags.Require)...)
		said = append(said, overruledTags(t.Name, "prefer", t.Tags.Prefer, f.Tags.Prefer)...)
	}
	return said
}

func overruledTags(typ, flag string, want, is []cluster.Tag) []string {
	if len(want) == 0 || len(is) == 0 || slices.Equal(want, is) {
		return nil
	}
	return []string{fmt.Sprintf("the source asks to %s tags %s for %s; %s stays, as was set by aorta ps type (to have the source's: aorta ps type %[3]s --%[1]s '')",
		flag, strings.Join(cluster.TagTexts(want), ","), typ, strings.Join(cluster.TagTexts(is), ","))}
}

// RouteOf is what a deploy changes of an app's limits: what its source asks for now,
// and back to the default what only the one before asked for. What somebody has set
// since stays, until it is taken back; said has a line for each that differs.
func RouteOf(before, now cluster.RequestLimitsChange, have cluster.RequestLimits) (change cluster.RequestLimitsChange, said []string) {
	note := func(line string) {
		if line != "" {
			said = append(said, line)
		}
	}
	var line string
	change.Timeout, line = limitOf(before.Timeout, now.Timeout, have.Timeout, routeKey[time.Duration]{"timeout", duration.Text})
	note(line)
	change.IdleTimeout, line = limitOf(before.IdleTimeout, now.IdleTimeout, have.IdleTimeout, routeKey[time.Duration]{"idle_timeout", duration.Text})
	note(line)
	change.MaxBody, line = limitOf(before.MaxBody, now.MaxBody, have.MaxBody, routeKey[int64]{"max_body", cluster.Bytes})
	note(line)
	return change, said
}

// routeKey is a key of route: in aorta.yml, and how its values are written.
type routeKey[T time.Duration | int64] struct {
	name string
	text func(T) string
}

func (k routeKey[T]) takeBack() string {
	return fmt.Sprintf("aorta route set --%s ''", strings.ReplaceAll(k.name, "_", "-"))
}

// limitOf is what becomes of one limit; nil leaves it alone. What is as the source
// before asked, nobody has set.
func limitOf[T time.Duration | int64](before, now *T, have T, key routeKey[T]) (to *T, said string) {
	free := have == 0 || before != nil && have == *before
	switch {
	case now != nil && (free || have == *now):
		return now, ""
	case now != nil:
		return nil, fmt.Sprintf("the source asks for a route.%s of %s; %s stays, as was set by aorta route set (to have the source's: %s)",
			key.name, key.text(*now), key.text(have), key.takeBack())
	case before == nil || have == 0:
		return nil, ""
	case free:
		return new(T), fmt.Sprintf("aorta.yml has no route.%s any more: %s goes, and the default is back", key.name, key.text(have))
	}
	return nil, fmt.Sprintf("aorta.yml has no route.%s any more; %s stays, as was set by aorta route set (to take it back: %s)", key.name, key.text(have), key.takeBack())
}

// RouteBack turns what a person takes back into what the source asks for, where it
// does; else the default is back.
func RouteBack(change, source cluster.RequestLimitsChange) cluster.RequestLimitsChange {
	change.Timeout = back(change.Timeout, source.Timeout)
	change.IdleTimeout = back(change.IdleTimeout, source.IdleTimeout)
	change.MaxBody = back(change.MaxBody, source.MaxBody)
	return change
}

func back[T time.Duration | int64](to, source *T) *T {
	if to != nil && *to == 0 && source != nil {
		return source
	}
	return to
}

// RouteSource names the limits that are as the source asks for.
func RouteSource(source cluster.RequestLimitsChange, have cluster.RequestLimits) []string {
	names := []string{}
	for _, key := range []struct {
		name string
		is   bool
	}{
		{"timeout", is(source.Timeout, have.Timeout)},
		{"idle_timeout", is(source.IdleTimeout, have.IdleTimeout)},
		{"max_body", is(source.MaxBody, have.MaxBody)},
	} {
		if key.is {
			names = append(names, key.name)
		}
	}
	return names
}

func is[T time.Duration | int64](asked *T, have T) bool { return asked != nil && *asked == have }
