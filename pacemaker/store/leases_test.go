package store

import (
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// leased is a store with a node that has said hello and reported once.
func leased(t *testing.T) (*Store, cluster.Node, cluster.Lease) {
	t.Helper()
	s := openStore(t)
	n := cluster.Node{ID: cluster.NewID(), Name: "n3", Roles: []cluster.Role{cluster.RoleHeart}, KeyHash: "k"}
	testkit.Must(t, s.CreateNode(t.Context(), n, ""))
	l := s.takes(t, n, cluster.NoLease)
	testkit.Must(t, s.UseLease(t.Context(), n.ID, l))
	return s, n, l
}

func (s *Store) asks(t *testing.T, n cluster.Node, l cluster.Lease, copied bool) (cluster.Lease, error) {
	t.Helper()
	return s.TakeLease(t.Context(), n, LeaseRequest{Presented: l, Copied: copied, Holder: "host h3 (10.77.0.3)"})
}

func (s *Store) takes(t *testing.T, n cluster.Node, l cluster.Lease) cluster.Lease {
	t.Helper()
	given, err := s.asks(t, n, l, false)
	if err != nil || given == "" || given == l {
		t.Fatalf("with the lease %q: got %q, %v; want another one", l, given, err)
	}
	return given
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	if cluster.CodeOf(err) != cluster.CodeForbidden {
		t.Errorf("%s: got %v, want it forbidden", what, err)
		return
	}
	for _, part := range []string{what, `node "n3"`, "host h3 (10.77.0.3) has used since 20", "aortad join", "--replace"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to say %q", err, part)
		}
	}
}

func TestLease_OnlyTheLastOneOpensTheNextSession(t *testing.T) {
	t.Parallel()
	s, n, first := leased(t)

	s.takes(t, n, first) // the answer is lost
	second := s.takes(t, n, first)
	third := s.takes(t, n, second) // killed before its first report
	_, before := s.asks(t, n, first, false)
	fourth := s.takes(t, n, second) // killed before the third was on its disk
	testkit.Must(t, s.UseLease(t.Context(), n.ID, fourth))
	_, outdated := s.asks(t, n, second, false)
	_, lost := s.asks(t, n, third, false)
	_, copied := s.asks(t, n, fourth, true)
	_, none := s.asks(t, n, cluster.NoLease, false)
	s.takes(t, n, fourth)

	for _, err := range []error{before, outdated, lost, none} {
		wantRefused(t, "an older copy", err)
	}
	wantRefused(t, "a copy", copied)
}

func TestLease_OneOfAnEarlierVersionIsLetInUntilTheNodeHasOne(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	n := cluster.Node{ID: cluster.NewID(), Name: "n3", Roles: []cluster.Role{cluster.RoleHeart}, KeyHash: "k"}
	testkit.Must(t, s.CreateNode(t.Context(), n, ""))

	given, err := s.asks(t, n, "", false)
	if err != nil || given != "" {
		t.Errorf("got %q, %v; want it let in without a lease", given, err)
	}
	testkit.Must(t, s.UseLease(t.Context(), n.ID, s.takes(t, n, cluster.NoLease)))
	_, later := s.asks(t, n, "", false)

	wantRefused(t, "an older copy", later)
}

// A database may be restored from a backup: a node that went on after it is newer.
func TestLease_NewerThanTheDatabaseIsLetIn(t *testing.T) {
	t.Parallel()
	s, n, old := leased(t)
	newer := cluster.NewLease(cluster.NewLease(old))

	s.takes(t, n, newer)
	_, err := s.asks(t, n, old, false)

	wantRefused(t, "an older copy", err)
}

// Who joins in the place of a node gets its lease; who was there before has none, even
// if it is the same key.
func TestLease_PassesToWhoReplacesTheNode(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	token := joinToken(t, s, cluster.JoinToken{Uses: 9})
	as := func(j *JoiningNode) {
		j.Name, j.Replace, j.InUse = "n3", true, func(cluster.Node) error { return nil }
	}
	n, err := s.joins(t, token, "k1", as)
	testkit.Must(t, err)
	former := s.takes(t, n, s.takes(t, n, cluster.NoLease))
	testkit.Must(t, s.UseLease(t.Context(), n.ID, former))

	again := joinToken(t, s, cluster.JoinToken{Uses: 9})
	_, err = s.joins(t, again, "k1", as)
	testkit.Must(t, err)
	testkit.Must(t, s.UseLease(t.Context(), n.ID, s.takes(t, n, cluster.NoLease)))
	_, refused := s.asks(t, n, former, false)

	wantRefused(t, "an older copy", refused)
}
