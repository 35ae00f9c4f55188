package pacemaker

import (
	"testing"

	"aorta/pacemaker/cluster"
)

// Browsers send a host's cookies to every port: no app may be served where the
// dashboard is.
func TestApps_NeverHaveTheDashboardsHost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Pacemaker.cfg.OwnHost = "dash.example.com"
	for _, host := range []string{"dash.example.com", "*.example.com"} {
		if _, err := r.AddDomain(t.Context(), shop, host, "ann"); cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("domain %s: got %v, want a refusal", host, err)
		}
	}
	if _, err := r.AddDomain(t.Context(), shop, "*.shop.example.com", "ann"); err != nil {
		t.Errorf("another wildcard: got %v, want nil", err)
	}
	r.Pacemaker.cfg.OwnHost = r.OwnHost("dash")

	_, made := r.CreateApp(t.Context(), "dash", "ann")
	_, renamed := r.RenameApp(t.Context(), shop, "dash", shop.Version, "ann")

	if cluster.CodeOf(made) != cluster.CodeInvalid || cluster.CodeOf(renamed) != cluster.CodeInvalid {
		t.Errorf("app of that name: got %v and %v, want refusals", made, renamed)
	}
}

func TestMakeRelease_KeepsOutOfTheClustersOwnDomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	for host, want := range map[string]bool{
		"other.test.local": false, "test.local": false, "*.test.local": false, "a.shop.test.local": false,
		"shop.test.local": true, "shop.example.com": true, "nottest.local": true,
	} {
		if err := r.allowedHosts(cluster.App{Name: "shop"}, []string{host}); (err == nil) != want {
			t.Errorf("%s: got %v, want it let in: %t", host, err, want)
		}
	}
}
