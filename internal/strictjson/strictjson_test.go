package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"aorta/internal/strictjson"
)

func TestCheck_RefusesWhatCanBeReadInTwoWays(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`: "",
		`{"a":"a","b":"a"}`:                         "",
		`["a","a",1,1]`:                             "",
		`"a"`:                                       "",
		` 1e400 `:                                   "",
		`{"a":1,"a":1}`:                             `the key "a" is repeated`,
		`{"a":1,"\u0061":2}`:                        `the key "a" is repeated`,
		"[" + strings.Repeat("{},", 497) + "{}]":    "",
		"[" + strings.Repeat("{},", 500) + "{}]":    "there are more values than 1000",
		"[" + strings.Repeat("1,", 1000) + "1]":     "there are more values than 1000",
		`"` + strings.Repeat(",{[", 1000) + `"`:     "",
		`[{"x":{"a":[],"b":null,"a":{}}}]`:          `the key "a" is repeated`,
		`{} {}`:                                     "behind",
		`{}x`:                                       "behind",
		`{"a":1`:                                    "EOF",
		``:                                          "EOF",
		`[1,]`:                                      "invalid",
		`{a:1}`:                                     "invalid",
		strings.Repeat("[", 5) + strings.Repeat("]", 5): "nested more than 4 deep",
		strings.Repeat(`{"a":`, 100_000):                "nested more than 4 deep",
	} {
		err := strictjson.Check([]byte(text), 4, 1000)

		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[[]]`, `"\ud800"`, `{"a" 1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if err := strictjson.Check(data, 50, 1000); err == nil && json.Unmarshal(data, &v) != nil {
			t.Errorf("let %q in, which is no JSON", data)
		}
	})
}
