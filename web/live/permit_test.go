package live

import (
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/web/access"
)

func TestPermit_NobodyFollowsWithoutARole(t *testing.T) {
	s := &Streams{}
	for what, err := range map[string]error{
		"a log":        permit(t.Context(), "following the log of app shop", access.Subject{Kind: access.OnApp}),
		"the overview": s.permitShared(t.Context(), topicOverview),
		"a node":       s.permitShared(t.Context(), topicNode+"n1"),
		"all apps":     s.permitShared(t.Context(), topicApps),
		"all jobs":     s.permitShared(t.Context(), topicJobs),
	} {
		if cluster.CodeOf(err) != cluster.CodeForbidden {
			t.Errorf("%s, for nobody: got %v, want it refused", what, err)
		}
	}
}
