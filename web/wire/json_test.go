package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// filled gives every field of a value something that is not its zero value, down
// to a depth that ends shapes which hold themselves.
func filled(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if omitted := strings.Contains(v.Type().Field(i).Tag.Get("json"), ",omitempty"); omitted && depth <= 0 && v.Field(i).Kind() == reflect.Slice {
				continue // an empty one is not sent
			}
			filled(v.Field(i), depth)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem(), depth)
	case reflect.Slice:
		n := min(depth, 2)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			filled(v.Index(i), depth-1)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		filled(key, depth)
		filled(value, depth)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("a <b> \u2028 \"c\" \x00 ä")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<53 - 1) // as much as a browser can read
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<32 - 1)
	case reflect.Float64:
		v.SetFloat(0.125)
	}
}

func roundTrip[T any](t *testing.T) {
	t.Helper()
	var want, got T
	filled(reflect.ValueOf(&want).Elem(), 3)

	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	in := json.NewDecoder(strings.NewReader(string(raw)))
	in.DisallowUnknownFields()
	if err := in.Decode(&got); err != nil {
		t.Fatalf("%T: %v", want, err)
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%T: - sent + read\n%s", want, diff)
	}
}

func TestShapes_AreReadAsTheyWereSent(t *testing.T) {
	roundTrip[Problem](t)
	roundTrip[Page[App]](t)
	roundTrip[Page[Instance]](t)
	roundTrip[Page[Release]](t)
	roundTrip[Page[Domain]](t)
	roundTrip[Page[Node]](t)
	roundTrip[Page[LogLine]](t)
	roundTrip[Page[JobLogLine]](t)
	roundTrip[Job](t)
	roundTrip[Stats](t)
	roundTrip[Status](t)
	roundTrip[Config](t)
	roundTrip[ConfigChange](t)
	roundTrip[BuildSecrets](t)
	roundTrip[BuildSecretsChange](t)
	roundTrip[Formation](t)
	roundTrip[FormationChange](t)
	roundTrip[Series](t)
	roundTrip[Session](t)
	roundTrip[Page[OpenSession]](t)
	roundTrip[LiveHello](t)
	roundTrip[LiveOverview](t)
	roundTrip[LiveRows[LiveApp]](t)
	roundTrip[LiveRows[Job]](t)
	roundTrip[LiveAppPage](t)
	roundTrip[LiveGone](t)
}

// What is not known is null or left out, and never a zero that reads like a
// figure.
func TestShapes_SayWhatIsNotKnown(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{Rates{}, `{"requests_per_s":null,"error_ratio":null,"p95_ms":null}`},
		{Accepted{}, `{}`},
		{Session{User: "ann", Role: "viewer"}, `{"user":"ann","role":"viewer"}`},
		{ProcessChange{}, `{}`},
		{LiveApp{Name: "a"}, `{"name":"a","state":"","severity":"","verdict":"","release":"","url":"","running":0,"wanted":0,"requests_per_s":null,"error_ratio":null,"p95_ms":null,"spark":null,"operation":null}`},
		{Page[string]{Items: []string{}}, `{"items":[]}`},
	} {
		raw, err := json.Marshal(c.value)

		if err != nil || string(raw) != c.want {
			t.Errorf("%T: got %s, %v; want %s", c.value, raw, err, c.want)
		}
	}
}
