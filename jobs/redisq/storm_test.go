package redisq

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"aorta/internal/testkit"
	"aorta/jobs"
)

const (
	stormTTL   = time.Second // twenty processes on few cores can't beat faster for sure
	stormTrees = 500         // of seven jobs each
	stormCrew  = 20
	stormKills = 4 // trees that end between two: a slow machine must not get more, of which three may hit one job
)

// Worker processes with one job at a time are killed, one after the other and at
// any moment, and replaced at once: nothing is lost, nothing is done twice but
// for a lost lease, nothing is left.
func TestJobs_ComeThroughAStormOfKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some 10 s, and 20 processes at a time")
	}
	server := testkit.Redis(t)
	rdb := connect(t, server)
	opt := keeperOptions(1)
	opt.LeaseTTL = stormTTL
	k, ends, _ := startKeeper(t, rdb, opt)
	c := hireCrew(t, server.Socket)
	calm := effectTree(3)
	add(t, k, calm)
	awaitGone(t, k, awaitEnd(t, ends).ID)
	before := ownKeys(t, rdb)
	planted := map[string]jobs.Spec{}
	for range stormTrees {
		s := effectTree(3)
		planted[s.ID] = s
	}

	go func() { // ends with the last tree, or with the keeper
		for _, s := range planted {
			if err := k.Add(t.Context(), s, "op"); err != nil {
				t.Errorf("Add: got %v, want nil", err)
				return
			}
		}
	}()
	ended := c.killUntil(ends, len(planted))

	checkRecords(t, planted, ended, k.Stats().Lost)
	checkEffects(t, rdb, append(ended, jobsOf(calm)))
	testkit.Eventually(t, "the keyspace to be as it was", func() bool {
		return cmp.Equal(before, ownKeys(t, rdb))
	})
	if len(ends) != 0 {
		t.Errorf("trees that ended once more: got %d, want none", len(ends))
	}
	t.Logf("workers killed: %d, leases lost: %d", c.kills, k.Stats().Lost)
}

// jobsOf is a tree of these jobs in which nothing has happened.
func jobsOf(s jobs.Spec) *jobs.Tree {
	t, _ := jobs.New(s, "", time.Time{}) // it was accepted before
	return t
}

// checkRecords looks at what the keeper handed over.
func checkRecords(t *testing.T, planted map[string]jobs.Spec, ended []*jobs.Tree, lost int64) {
	t.Helper()
	crashes := int64(0)
	seen := map[string]bool{}
	for _, tree := range ended {
		if _, known := planted[tree.ID]; !known || seen[tree.ID] {
			t.Errorf("tree %s: ended again or was never planted (planted: %t)", tree.ID, known)
		}
		seen[tree.ID] = true
		if tree.State != jobs.Succeeded {
			t.Errorf("tree %s: got %s (%+v), want succeeded", tree.ID, tree.State, tree.Stop)
		}
		for _, j := range tree.Jobs {
			crashes += int64(j.Crashes)
			if j.State != jobs.Succeeded {
				t.Errorf("job %s: got %s, want succeeded", j.ID, j.State)
			}
		}
	}
	if crashes != lost {
		t.Errorf("leases lost: got %d in the jobs' records, want %d", crashes, lost)
	}
}

// checkEffects looks at what the handlers did.
func checkEffects(t *testing.T, rdb *redis.Client, trees []*jobs.Tree) {
	t.Helper()
	effects := rdb.SMembersMap(t.Context(), keyEffects).Val()
	executions := rdb.HGetAll(t.Context(), keyExecutions).Val()
	n, repeats := 0, 0
	for _, tree := range trees {
		for _, j := range tree.Jobs {
			n++
			if _, there := effects[j.ID]; !there {
				t.Errorf("job %s: got no effect, want one", j.ID)
			}
			if executions[j.ID] != "1" {
				repeats++
				if j.Crashes == 0 {
					t.Errorf("job %s: got %s executions without a lost lease, want 1", j.ID, executions[j.ID])
				}
			}
		}
	}
	if len(effects) != n || len(executions) != n {
		t.Errorf("got %d effects of %d jobs, want %d", len(effects), len(executions), n)
	}
	if v := rdb.Get(t.Context(), keyViolations).Val(); v != "" {
		t.Errorf("jobs that ran before their children: got %s, want none", v)
	}
	t.Logf("jobs: %d, of these run again behind their effect: %d", n, repeats)
}

// ownKeys is the keyspace without what handlers wrote, and with what is pending
// in each queue.
func ownKeys(t *testing.T, rdb *redis.Client) []string {
	t.Helper()
	var out []string
	for _, key := range keyspace(t, rdb) {
		name, _, _ := strings.Cut(key, " ")
		if name == keyEffects || name == keyExecutions {
			continue
		}
		if strings.Contains(key, " stream ") {
			for _, g := range rdb.XInfoGroups(t.Context(), name).Val() {
				if g.Pending > 0 {
					key += " pending"
				}
			}
		}
		out = append(out, key)
	}
	return out
}

// crewOfOnes are worker processes with one job at a time each.
type crewOfOnes struct {
	t       *testing.T
	socket  string
	members []crewMember
	kills   int
}

type crewMember struct {
	cmd  *exec.Cmd
	gone <-chan struct{}
}

func hireCrew(t *testing.T, socket string) *crewOfOnes {
	t.Helper()
	c := &crewOfOnes{t: t, socket: socket, members: make([]crewMember, stormCrew)}
	for i := range c.members {
		c.hire(i)
	}
	return c
}

func (c *crewOfOnes) hire(i int) {
	c.t.Helper()
	cmd, gone := startChild(c.t, c.socket, 0, "single")
	c.members[i] = crewMember{cmd, gone}
}

// killUntil kills and replaces members until n trees have ended.
func (c *crewOfOnes) killUntil(ends <-chan *jobs.Tree, n int) []*jobs.Tree {
	c.t.Helper()
	ctx := testkit.Bounded(c.t)
	var ended []*jobs.Tree
	for len(ended) < n {
		select {
		case tree := <-ends:
			ended = append(ended, tree)
		case <-ctx.Done():
			c.t.Fatalf("%d of %d trees ended: %v", len(ended), n, ctx.Err())
		}
		if len(ended)%stormKills == 0 {
			i := rand.IntN(len(c.members))
			_ = c.members[i].cmd.Process.Kill()
			<-c.members[i].gone
			c.kills++
			c.hire(i)
		}
	}
	return ended
}
