package access

import "testing"

func TestAllowed_AHigherRoleMayDoWhatALowerOneMay(t *testing.T) {
	roles := []Role{"none", Viewer, Developer, Admin}
	for _, kind := range []Kind{OnApp, OnWorkspace, OnCluster, OnNode, OnSelf} {
		for i, has := range roles {
			for j, need := range roles {
				want := j > 0 && i >= j
				if got := Allowed(User{Role: has}, need, Subject{Kind: kind}); got != want {
					t.Errorf("%s on one %s that needs %s: got %t, want %t", has, kind, need, got, want)
				}
			}
		}
	}
}

func TestAllowed_NobodyMayWithoutARoleOrASubject(t *testing.T) {
	admin, app := User{Name: "ann", Role: Admin}, Subject{Kind: OnApp}
	for name, got := range map[string]bool{
		"no subject":        Allowed(admin, Viewer, Subject{}),
		"no role is needed": Allowed(admin, "", app),
		"a node's":          Allowed(admin, Node, app),
		"an unknown role":   Allowed(admin, "king", app),
		"no user":           Allowed(User{}, Viewer, app),
	} {
		if got {
			t.Errorf("%s: got it allowed", name)
		}
	}
	if got, want := Refusal("pushing to app shop", User{Name: "eye", Role: Viewer}, Developer).Error(), `pushing to app shop needs the role developer; eye has "viewer"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
