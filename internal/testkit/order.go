package testkit

import "strings"

// Order are tests that begin before all others, the first one first: the longest, or
// one of them would be at work alone in the end.
type Order []string

// Place is where a test stands in the order, behind all of it for one that is not named.
// A subtest stands where its test does.
func (o Order) Place(test string) int {
	name, _, _ := strings.Cut(test, "/")
	for at, named := range o {
		if named == name {
			return at
		}
	}
	return len(o)
}

// of is the first one in the order of those that wait, -1 when none does.
func (o Order) of(waiting []string) int {
	chosen := -1
	for i, test := range waiting {
		if chosen < 0 || o.Place(test) < o.Place(waiting[chosen]) {
			chosen = i
		}
	}
	return chosen
}
