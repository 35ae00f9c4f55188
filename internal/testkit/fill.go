package testkit

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// Filled is a T with every field set to a value of its own, so that a conversion
// that forgets a field, or swaps two, is found by a comparison.
func Filled[T any](tb testing.TB) T {
	tb.Helper()
	var v T
	n := 0
	fill(tb, reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(tb testing.TB, v reflect.Value, n *int) {
	tb.Helper()
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(tb, v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(tb, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(tb, v.Index(0), n)
		fill(tb, v.Index(1), n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(tb, key, n)
		fill(tb, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		fillScalar(tb, v, *n)
	}
}

func fillScalar(tb testing.TB, v reflect.Value, n int) {
	tb.Helper()
	switch {
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprint("text ", n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(n))
	case v.CanUint():
		v.SetUint(uint64(n))
	case v.CanFloat():
		v.SetFloat(float64(n) + 0.5)
	default:
		tb.Fatalf("fill: no value for a %s", v.Type())
	}
}
