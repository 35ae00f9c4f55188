package overview

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Answers are what requests got in the last minute from the release that serves.
type Answers struct{ Requests, Errors uint64 } // Errors: 5xx

// answers are those of the apps in what was read of the store.
func (o *Overview) answers(ctx context.Context, v store.Snapshot) map[cluster.ID]Answers {
	serving := make(map[cluster.ID]cluster.ID, len(v.Serving))
	for app, release := range v.Serving {
		serving[app] = release.ID
	}
	return o.cfg.Answers(ctx, serving)
}

// fewRequests is how many a minute say nothing about an app, and fewErrors how many
// errors.
const fewRequests, fewErrors = 10, 5

// manyFail is the share of errors from which an app needs attention though it serves;
// the pages colour an error rate as bad from there on.
const manyFail = 0.05

func (a Answers) mostFail() bool { return a.failed() > 0.5 }
func (a Answers) manyFail() bool { return a.Errors >= fewErrors && a.failed() >= manyFail }

// failed is the share of errors; 0 where there are too few requests to judge by.
func (a Answers) failed() float64 {
	if a.Requests < fewRequests {
		return 0
	}
	return float64(a.Errors) / float64(a.Requests)
}

func (a Answers) text() string {
	share := fmt.Sprintf("%.0f %% of", 100*a.failed())
	if a.mostFail() {
		share = "most"
	}
	return fmt.Sprintf("%s requests fail: %d of %d answered 5xx in the last minute", share, a.Errors, a.Requests)
}
