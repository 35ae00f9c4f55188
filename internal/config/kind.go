package config

import (
	"reflect"
	"strings"
	"time"

	"github.com/agext/levenshtein"

	"aorta/internal/wholenumber"
)

// option is a key of the file, which is a flag and a variable too.
type option struct {
	key   string
	index []int // of its field
	kind  reflect.Type
}

// field is the name of its field.
func (o option) field() string { return reflect.TypeFor[Config]().FieldByIndex(o.index).Name }

// flag is the option's name on the command line.
func (o option) flag() string { return strings.ReplaceAll(o.key, "_", "-") }

// nearest is the option that a mistyped key is meant for; false if none is near.
func nearest(key string) (option, bool) {
	const allowed = 2 // letters
	best, found := option{}, allowed+1
	for _, o := range options() {
		if d := levenshtein.Distance(key, o.key, nil); d < found {
			best, found = o, d
		}
	}
	return best, found <= allowed
}

// options are all keys, in the order of their fields.
func options() []option {
	var list []option
	for field := range reflect.TypeFor[Config]().Fields() {
		list = append(list, option{key: field.Tag.Get("yaml"), index: field.Index, kind: field.Type})
	}
	return list
}

// variable is the option's name in the environment.
func (o option) variable() string { return prefix + strings.ToUpper(o.key) }

// wants is what a value of the option must be, in words.
func (o option) wants() string {
	switch o.kind {
	case reflect.TypeFor[time.Duration]():
		return "a duration like 30s or 5m"
	case reflect.TypeFor[int]():
		return wholenumber.Form
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[[]string]():
		return "a list like [a, b]"
	}
	return "one text"
}

// secret says that a value must not be shown: it may hold a log-in.
func (o option) secret(value string) bool {
	return o.kind == reflect.TypeFor[Secret]() || strings.Contains(value, "@")
}
