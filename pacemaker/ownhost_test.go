package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
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
		if err := r.allowedHosts(t.Context(), cluster.App{Name: "shop"}, []string{host}); (err == nil) != want {
			t.Errorf("%s: got %v, want it let in: %t", host, err, want)
		}
	}
}

// While apps are served in a domain of before, its names are nobody else's: not
// those of apps that had other names then, and not all of them at once.
func TestAddDomain_KeepsOutOfFormerDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop, blog := r.App("shop"), r.App("blog")
	_, err := r.store.AddDomain(t.Context(), shop, "www.new.local", "ann")
	testkit.Must(t, err)
	_, err = r.store.MoveOwnHosts(t.Context(), func(app string) string { return app + ".new.local" })
	testkit.Must(t, err)
	r.Pacemaker.cfg.Domain = "new.local"
	hosts := map[string]bool{"*.test.local": false, "test.local": false, "gone.test.local": false, "a.shop.test.local": false, "nottest.local": true}

	for host, want := range hosts {
		_, err := r.AddDomain(t.Context(), shop, host, "ann")
		asked := r.allowedHosts(t.Context(), blog, []string{host})
		if (err == nil) != want || (asked == nil) != want {
			t.Errorf("%s: got %v, and of aorta.yml %v, want it let in: %t", host, err, asked, want)
		}
	}
	if err := r.allowedHosts(t.Context(), shop, []string{"www.new.local", "shop.test.local"}); err != nil {
		t.Errorf("what it has: got %v, want it let in", err)
	}
	for _, app := range []cluster.App{shop, blog} {
		testkit.Must(t, r.RemoveDomain(t.Context(), app, app.Name+".test.local", "ann"))
	}
	if _, err := r.AddDomain(t.Context(), shop, "*.test.local", "ann"); err != nil {
		t.Errorf("once nobody is served there: got %v, want it let in", err)
	}
}
