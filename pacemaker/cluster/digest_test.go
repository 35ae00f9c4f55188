package cluster

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestInstanceDigest_TellsEachFieldApart(t *testing.T) {
	now := time.Unix(1, 5)
	base := InstanceStatus{ID: "a", State: InstanceRunning}
	seen := map[string]string{InstanceDigest(nil): "none", InstanceDigest([]InstanceStatus{base}): "one"}
	for name, change := range map[string]func(s *InstanceStatus){
		"id":       func(s *InstanceStatus) { s.ID = "b" },
		"state":    func(s *InstanceStatus) { s.State = InstanceFailed },
		"crashing": func(s *InstanceStatus) { s.Crashing = true },
		"restarts": func(s *InstanceStatus) { s.Restarts = 1 },
		"error":    func(s *InstanceStatus) { s.Error = "e" },
		"port":     func(s *InstanceStatus) { s.Port = 1 },
		"started":  func(s *InstanceStatus) { s.StartedAt = &now },
		"gone":     func(s *InstanceStatus) { s.Gone = true },
		// An error can't pass for a second instance.
		"injected": func(s *InstanceStatus) { s.Error = "\"\nb running false 0 0 0 false \"" },
	} {
		other := base
		change(&other)
		digest := InstanceDigest([]InstanceStatus{other})
		if was, ok := seen[digest]; ok {
			t.Errorf("%s has the digest of %s", name, was)
		}
		seen[digest] = name
	}
	if digest := InstanceDigest([]InstanceStatus{base, base}); seen[digest] != "" {
		t.Errorf("twice the same has the digest of %s", seen[digest])
	}
	busy := base
	busy.Memory = 1 << 30
	if InstanceDigest([]InstanceStatus{busy}) != InstanceDigest([]InstanceStatus{base}) {
		t.Error("memory in use changes the digest, so that no report would ever be short")
	}
}

func TestInstanceDigest_IsOfASetWhateverItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) InstanceStatus {
			return InstanceStatus{
				ID: ID(rapid.String().Draw(t, "id")), State: rapid.SampledFrom([]InstanceState{InstanceRunning, InstanceFailed}).Draw(t, "state"),
				Restarts: rapid.Int().Draw(t, "restarts"), Error: rapid.String().Draw(t, "error"),
			}
		}), 0, 20).Draw(t, "list")
		mixed := append([]InstanceStatus(nil), list...)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })

		if a, b := InstanceDigest(list), InstanceDigest(mixed); a != b || len(a) != 32 {
			t.Errorf("got %s and %s, want one digest of 32 characters", a, b)
		}
	})
}

// TestInstanceDigest_IsWhatItWas guards the upgrade: a heart of the version
// before must not send its full set for ever.
func TestInstanceDigest_IsWhatItWas(t *testing.T) {
	at := time.Unix(1_700_000_000, 123)
	list := []InstanceStatus{
		{ID: "0192d3a0-0000-7000-8000-000000000002", State: InstanceRunning, Port: 20001, StartedAt: &at, Memory: 5},
		{ID: "0192d3a0-0000-7000-8000-000000000001", State: InstanceFailed, Crashing: true, Restarts: 3, Error: "exit 1: \"no\"", Gone: true},
	}
	if got, want := InstanceDigest(list), "7e11b665e21d6e49426e7c310c8df73a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
