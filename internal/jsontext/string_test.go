package jsontext_test

import (
	"encoding/json"
	"strings"
	"testing"

	"aorta/internal/jsontext"
)

// What is read here is what encoding/json reads, and it reads what is written here.
func FuzzString(f *testing.F) {
	for _, text := range []string{"", "ready", "\x00\t\n\"\\/\u2028é\U0001f600", "\xff", `a\u0000\ud83d\ude00\/`, `\ud83d`, `\u12`, `\q`, "a\nb", `"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := jsontext.Append(nil, text)
		var got string
		if err := json.Unmarshal(written, &got); err != nil || got != strings.ToValidUTF8(text, "\uFFFD") {
			t.Errorf("%q is written as %s, which is read as %q: %v", text, written, got, err)
		}
		wantSame(t, string(written))
		wantSame(t, `"`+text+`"`)
	})
}

// wantSame wants a string that is read to be what encoding/json reads. One that is
// no UTF-8 is read as it is.
func wantSame(t *testing.T, quoted string) {
	t.Helper()
	end, plain := jsontext.End(quoted[1:])
	if end < 0 {
		return
	}
	text, ok := jsontext.Unescape(nil, quoted[1:1+end])
	if plain && (!ok || string(text) != quoted[1:1+end]) {
		t.Errorf("%s: plain, and read as %q, %t", quoted, text, ok)
	}
	if !ok {
		return
	}
	var want string
	if err := json.Unmarshal([]byte(quoted[:end+2]), &want); err != nil || want != strings.ToValidUTF8(string(text), "\uFFFD") && strings.ToValidUTF8(quoted, "") == quoted {
		t.Errorf("%s: got %q, want %q and no %v", quoted, text, want, err)
	}
}
