package store

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// joinToken keeps a token and gives its text.
func joinToken(t *testing.T, s *Store, token cluster.JoinToken) string {
	t.Helper()
	text := cluster.NewJoinToken(rand.Text(), strings.Repeat("0a", 32))
	token.ID, token.Uses = cluster.NewID(), max(token.Uses, 1)
	if token.ExpiresAt.IsZero() {
		token.ExpiresAt = time.Now().Add(time.Hour)
	}
	testkit.Must(t, s.CreateJoinToken(t.Context(), token, HashToken(text), "ann"))
	return text
}

func (s *Store) joins(t *testing.T, token, key string, change ...func(*JoiningNode)) (cluster.Node, error) {
	t.Helper()
	j := JoiningNode{Join: cluster.Join{Token: token, Name: "n-" + key}, KeyHash: key, InUse: func(cluster.Node) error { return nil }}
	for _, c := range change {
		c(&j)
	}
	return s.Join(t.Context(), j)
}

func TestJoin_GivesWhatTheTokenBinds(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	bound := joinToken(t, s, cluster.JoinToken{Name: "edge", Roles: []cluster.Role{cluster.RoleRouter}, Tags: map[string]string{"zone": "a"}})
	free := joinToken(t, s, cluster.JoinToken{Uses: 2})

	edge, err := s.joins(t, bound, "k1")
	testkit.Must(t, err)
	plain, err := s.joins(t, free, "k2")
	testkit.Must(t, err)
	forge, err := s.joins(t, free, "k3", func(j *JoiningNode) { j.Roles = []cluster.Role{cluster.RoleBuilder} })
	testkit.Must(t, err)

	if edge.Name != "edge" || cluster.RoleNames(edge.Roles) != "router" || edge.Tags["zone"] != "a" {
		t.Errorf("got %+v, want what the token binds", edge)
	}
	if plain.Name != "n-k2" || cluster.RoleNames(plain.Roles) != "heart,router" || cluster.RoleNames(forge.Roles) != "builder" {
		t.Errorf("got %+v and %+v, want what the nodes say", plain, forge)
	}
	if left, err := s.JoinTokens(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("got %+v (%v), want none that can be used", left, err)
	}
}

func TestJoin_TheSameKeyIsTheSameNode(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	token := joinToken(t, s, cluster.JoinToken{ExpiresAt: time.Now().Add(time.Hour)})
	first, err := s.joins(t, token, "k1")
	testkit.Must(t, err)

	again, err := s.joins(t, token, "k1")
	_, other := s.joins(t, token, "k2")

	if err != nil || again.ID != first.ID {
		t.Errorf("got %+v (%v), want %s again", again, err, first.ID)
	}
	if other == nil || !strings.Contains(other.Error(), "was used already: by n-k1 at") {
		t.Errorf("got %v for another key, want who has used the token", other)
	}
}

func TestJoin_TakesTheNameOfASilentNode(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	token := joinToken(t, s, cluster.JoinToken{Uses: 9})
	named := func(name string, replace bool, inUse error) func(*JoiningNode) {
		return func(j *JoiningNode) {
			j.Name, j.Replace, j.InUse = name, replace, func(cluster.Node) error { return inUse }
		}
	}
	first, err := s.joins(t, token, "k1", named("n1", false, nil))
	testkit.Must(t, err)

	_, taken := s.joins(t, token, "k2", named("n1", false, nil))
	_, busy := s.joins(t, token, "k2", named("n1", true, cluster.Conflict("at work")))
	second, err := s.joins(t, token, "k2", named("n1", true, nil))
	testkit.Must(t, err)
	_, former := s.NodeByKey(t.Context(), "k1")
	now, errNow := s.NodeByKey(t.Context(), "k2")

	if cluster.CodeOf(taken) != cluster.CodeConflict || cluster.CodeOf(busy) != cluster.CodeConflict {
		t.Errorf("got %v and %v, want conflicts", taken, busy)
	}
	if second.ID != first.ID || former == nil || errNow != nil || now.ID != first.ID {
		t.Errorf("got %+v, %v for the former key, want the node with the new key alone", second, former)
	}
}

func TestRemoveNode_LeavesItsNameAndNothingThatRuns(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	token := joinToken(t, s, cluster.JoinToken{Uses: 2})
	first, err := s.joins(t, token, "k1", func(j *JoiningNode) { j.Name = "n1" })
	testkit.Must(t, err)

	_, err = s.RemoveNode(t.Context(), first, "ann")
	testkit.Must(t, err)
	_, again := s.RemoveNode(t.Context(), first, "ann")
	_, unknown := s.NodeByName(t.Context(), "n1")
	second, err := s.joins(t, token, "k2", func(j *JoiningNode) { j.Name = "n1" })
	testkit.Must(t, err)
	gone, err := s.Node(t.Context(), first.ID)
	testkit.Must(t, err)
	list, err := s.Nodes(t.Context())
	testkit.Must(t, err)

	if cluster.CodeOf(again) != cluster.CodeNotFound || cluster.CodeOf(unknown) != cluster.CodeNotFound {
		t.Errorf("got %v and %v once it is removed, want not found", again, unknown)
	}
	if second.ID == first.ID || len(list) != 1 || gone.RemovedAt == nil || gone.Name != "n1" {
		t.Errorf("got %+v of %d nodes, then %+v, want another node of that name, and the former as it was called", second, len(list), gone)
	}
	if _, err := s.NodeByKey(t.Context(), "k1"); err == nil || !strings.Contains(err.Error(), "not in the cluster") {
		t.Errorf("got %v for its key, want it refused", err)
	}
}

func TestSetTags_StayOverWhatANodeReports(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	n, err := s.joins(t, joinToken(t, s, cluster.JoinToken{}), "k1")
	testkit.Must(t, err)

	n, err = s.SetTags(t.Context(), n, map[string]string{"zone": "a", "disk": "ssd"}, "ann")
	testkit.Must(t, err)
	testkit.Must(t, s.UpdateNode(t.Context(), n, cluster.Node{Roles: n.Roles, Address: "10.0.0.1", Tags: map[string]string{"zone": "forged", "os": "linux"}}))
	n, err = s.Node(t.Context(), n.ID)
	testkit.Must(t, err)
	n, err = s.SetTags(t.Context(), n, map[string]string{"disk": ""}, "ann")
	testkit.Must(t, err)

	if len(n.Tags) != 2 || n.Tags["zone"] != "a" || n.Tags["os"] != "linux" {
		t.Errorf("got %v, want what was set over what is reported", n.Tags)
	}
	if _, err := s.SetTags(t.Context(), n, map[string]string{"Zone": "a"}, "ann"); cluster.CodeOf(err) != cluster.CodeInvalid {
		t.Errorf("got %v for a name of none, want it refused", err)
	}
}

func TestDeleteFormerMembers_LeavesWhatIsUsed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	old := joinToken(t, s, cluster.JoinToken{Uses: 2})
	gone, err := s.joins(t, old, "k1")
	testkit.Must(t, err)
	stays, err := s.joins(t, old, "k2")
	testkit.Must(t, err)
	_, err = s.RemoveNode(t.Context(), gone, "ann")
	testkit.Must(t, err)

	testkit.Must(t, s.DeleteFormerMembers(t.Context(), time.Now().Add(2*time.Hour)))

	if _, err := s.Node(t.Context(), gone.ID); cluster.CodeOf(err) != cluster.CodeNotFound {
		t.Errorf("got %v for the removed node, want it gone", err)
	}
	if n, err := s.Node(t.Context(), stays.ID); err != nil || n.RemovedAt != nil {
		t.Errorf("got %+v (%v), want the other node as it was", n, err)
	}
	if _, err := s.joins(t, old, "k2"); err == nil {
		t.Error("got in by a token that is deleted")
	}
}
