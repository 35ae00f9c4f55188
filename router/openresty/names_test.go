package openresty

import (
	"encoding/json"
	"os"
	"testing"

	"aorta/router"
)

// TestContract_Names walks Lua's rules through the one statement of what names
// may be, as the vocabulary's own tests do: a record is good if its name is.
func TestContract_Names(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../pacemaker/cluster/testdata/names.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Kind, Text string
		OK         bool
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	fields := map[string][]string{"name": {"app_name", "type"}, "node": {"node_name"}}
	good, err := json.Marshal(route("shop.example.com", &app{Instance: router.Instance{
		ID: "0192d3a0-0000-7000-8000-000000000001", Type: "web", Node: "0192d3a0-0000-7000-8000-000000000002",
		NodeName: "one", Addr: "10.77.0.3:20017",
	}}))
	if err != nil {
		t.Fatal(err)
	}
	var records, described []string
	var want []bool
	for _, c := range cases {
		value, err := json.Marshal(c.Text)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range fields[c.Kind] {
			records = append(records, replaceValue(t, good, field, string(value)))
			described, want = append(described, field+" "+string(value)), append(want, c.OK)
		}
	}

	lua := askLua[string](t, startLua(t), "/record", records)

	for i, why := range lua {
		if (why == "") != want[i] {
			t.Errorf("%.80s: Lua says %q, want it let in: %t", described[i], why, want[i])
		}
	}
}
