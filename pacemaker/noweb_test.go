package pacemaker

import (
	"fmt"
	"slices"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestReportDeployed_GivesAnAddressToWhatServesOneOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	none, one := 0, 1
	cases := map[string]struct {
		types []cluster.ProcessType
		want  []string
	}{
		"web": {[]cluster.ProcessType{{Name: "web"}}, []string{"v1 serves: http://web.test.local"}},
		"idle": {[]cluster.ProcessType{{Name: "web", Quantity: &none}, {Name: "worker", Quantity: &one}}, []string{
			"v1 is deployed; web is scaled to 0, so http://idle.test.local answers 503. To start one: aorta ps scale web=1",
		}},
		"none": {[]cluster.ProcessType{{Name: "worker"}}, []string{
			"v1 is deployed; it has no web process, so no address.", "No process runs yet. To start one: aorta ps scale worker=1",
		}},
		"scaled": {[]cluster.ProcessType{{Name: "worker", Quantity: &one}}, []string{"v1 is deployed; it has no web process, so no address."}},
	}
	for name, c := range cases {
		app := r.App(name)
		release := r.Deploy(app, c.types...)
		var got []string

		err := r.reportDeployed(t.Context(), app, release, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })

		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
		if seen, err := r.Overview.App(t.Context(), app); err != nil || seen.NoWeb != (name != "web" && name != "idle") {
			t.Errorf("%s: got %+v, %v", name, seen, err)
		}
	}
}
