package tags_test

import (
	"strings"
	"testing"

	"aorta/heart/tags"
)

func TestFind_ConfiguredWins(t *testing.T) {
	got := tags.Find(map[string]string{"hostname": "chosen", "zone": "a"})

	if got["hostname"] != "chosen" || got["zone"] != "a" || got["arch"] == "" || got["kernel"] == "" {
		t.Errorf("got %v, want the configured ones over what was found", got)
	}
}

func TestClean_KeepsPlainTextOnly(t *testing.T) {
	got := tags.Clean("6.1 <b>\n" + strings.Repeat("x", 100))

	if want := "6.1--b--" + strings.Repeat("x", tags.MaxValue-8); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
