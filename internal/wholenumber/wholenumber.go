// Package wholenumber reads the numbers that people write into files and flags.
// What decodes YAML cuts 1.5 to 1, and it, like Go's flags, takes 010 for eight.
package wholenumber

import (
	"regexp"
	"strconv"
)

// Form says in messages what is taken.
const Form = "a whole number in digits (such as 8)"

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// Parse refuses a fraction, another base, and what is too large.
func Parse(text string) (n int64, ok bool) {
	if !decimal.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
