package cluster

import (
	"slices"
	"testing"
)

func TestCommandArgs_AreThoseOfAListAlone(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]string{
		`["/app","--name","two words"]`: {"/app", "--name", "two words"},
		`[ "/app" ]`:                    {"/app"},
		`["a \"b\""]`:                   {`a "b"`},
		`[]`:                            {},
		``:                              nil,
		`./app ["x"]`:                   nil,
		`[ -f x ] && ./app`:             nil,
		`["/app", 5]`:                   nil,
		`["/app"] && true`:              nil,
	} {
		got, is := CommandArgs(command)
		if is != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: got %q (%v), want %q", command, got, is, want)
		}
		if again, _ := CommandArgs(CommandOf(got)); !slices.Equal(again, got) {
			t.Errorf("%s: got %q once written and read", command, again)
		}
	}
}
