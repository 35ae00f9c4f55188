package redisd

import (
	"testing"
	"time"

	"aorta/internal/testkit"
)

// A replica that starts has an old table on its disk, and the newest once it has caught up.
func TestServer_AReplicaThatStartsCatchesUp(t *testing.T) {
	t.Parallel()
	master, replica := pair(t)
	if !replica.AwaitLink(testkit.Bounded(t)) {
		t.Fatal("the first time the replica did not catch up")
	}
	testkit.Must(t, replica.Stop(t.Context()))
	set(t, master, "routes:old", "2")

	again := openServer(t, replica.cfg)
	caught := again.AwaitLink(testkit.Bounded(t))

	testkit.Eventually(t, "what the master has written since", func() bool { return get(t, again, "routes:old") == "2" })
	if !caught || again.Adopted() {
		t.Errorf("got it caught up: %v, adopted: %v, want one that was started", caught, again.Adopted())
	}
	testkit.Must(t, master.Stop(t.Context()))
	testkit.Eventually(t, "the link to be lost", func() bool { return again.Check(t.Context()) != nil })
	if again.AwaitLink(testkit.EndedBy(t, 50*time.Millisecond)) {
		t.Error("got it caught up with a master that is gone")
	}
}
