package testkit

import "testing"

// Must ends the test with err, unless that is nil. It is for steps that the
// test only builds upon: what it is about says what it got and wanted.
func Must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
