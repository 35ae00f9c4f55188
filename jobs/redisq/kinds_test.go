package redisq

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// One key that is not what it should be holds up nobody's jobs.
func TestKeeper_DeletesKeysOfTheWrongKind(t *testing.T) {
	t.Parallel()
	a := keysOf(jobs.NodeQueue("a"))
	for _, bad := range []string{a.beat(), a.stream(jobs.Normal)} {
		t.Run(bad, func(t *testing.T) {
			t.Parallel()
			rdb := connect(t, testkit.Redis(t))
			k, ends, _ := startKeeper(t, rdb, hastyOptions(1))
			first := spec("ok", jobs.NodeQueue("a"), spec("ok", jobs.NodeQueue("b")))
			first.Priority = jobs.Normal
			if bad == a.beat() {
				testkit.Must(t, rdb.Set(t.Context(), bad, "x", 0).Err())
			} else {
				testkit.Must(t, rdb.HSet(t.Context(), bad, "x", 1).Err())
			}
			add(t, k, first)
			startWorker(t, rdb, jobs.NodeQueue("a"), map[string]jobs.Handler{"ok": ok})
			startWorker(t, rdb, jobs.NodeQueue("b"), map[string]jobs.Handler{"ok": ok})

			wantState(t, awaitEnd(t, ends), jobs.Succeeded)
		})
	}
}
