package plan

import (
	"slices"
	"time"

	"aorta/pacemaker/cluster"
)

// The pauses between replacements of what keeps failing.
const (
	FirstPause   = 2 * time.Second
	LongestPause = 5 * time.Minute
)

// Pause is how long the next try waits after a number of failures: twice as
// long after each.
func Pause(failures int) time.Duration {
	pause := FirstPause
	for range failures - 1 {
		if pause *= 2; pause >= LongestPause {
			return LongestPause
		}
	}
	return pause
}

// Tries are the replacements of one process type of an app that have failed
// since one succeeded.
type Tries struct {
	Failed int
	Last   time.Time // when the newest of them ended
}

// TypeOf names a process type of an app.
type TypeOf struct {
	App  cluster.ID
	Type string
}

// FailedTries counts them for some process types, from recent operations. What
// somebody asked of an app begins the count anew at its turn: it may have changed
// what failed.
func FailedTries(recent []cluster.Operation, of []TypeOf) (map[TypeOf]Tries, error) {
	tries := map[TypeOf]Tries{}
	counting := map[cluster.ID][]string{} // types by app
	for _, t := range of {
		counting[t.App] = append(counting[t.App], t.Type)
	}
	newestFirst := func(a, b cluster.Operation) int { return b.TurnOrCreated().Compare(a.TurnOrCreated()) }
	for _, op := range slices.SortedStableFunc(slices.Values(recent), newestFirst) {
		switch types := counting[op.AppID]; {
		case len(types) == 0:
		case op.Changing():
			delete(counting, op.AppID)
		case op.Kind == cluster.OpReplace && op.EndedAt != nil:
			req, err := op.Request()
			if err != nil {
				return nil, err
			}
			counting[op.AppID] = count(tries, op, req, types)
		}
	}
	return tries, nil
}

// count adds an ended replacement to the tries of the types that it was about,
// and gives those to go on with.
func count(tries map[TypeOf]Tries, op cluster.Operation, req cluster.Request, types []string) []string {
	var rest []string
	for _, typ := range types {
		covers := len(req.Types) == 0 || slices.Contains(req.Types, typ)
		if covers && op.State == cluster.OperationSucceeded {
			continue
		}
		rest = append(rest, typ)
		if covers {
			t := tries[TypeOf{op.AppID, typ}]
			t.Failed++
			if op.EndedAt.After(t.Last) {
				t.Last = *op.EndedAt
			}
			tries[TypeOf{op.AppID, typ}] = t
		}
	}
	return rest
}
