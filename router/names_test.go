package router

import (
	"encoding/json"
	"os"
	"testing"
)

// TestNames_AreThoseOfTheVocabulary walks the rules of the table through the one
// statement of what names may be, as the vocabulary's own tests do.
func TestNames_AreThoseOfTheVocabulary(t *testing.T) {
	raw, err := os.ReadFile("../pacemaker/cluster/testdata/names.json")
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
	rules := map[string]func(string) bool{"name": validLabel, "node": nodeRule.MatchString}
	for _, c := range cases {
		if got := rules[c.Kind](c.Text); got != c.OK {
			t.Errorf("%s %.60q: got it let in: %t, want %t", c.Kind, c.Text, got, c.OK)
		}
	}
}
