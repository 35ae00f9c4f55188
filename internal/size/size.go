// Package size reads sizes in bytes and numbers of CPU cores as people write them who
// know Docker, Kubernetes or Heroku.
package size

import (
	"regexp"
	"strconv"
	"strings"
)

// most bounds what is read, so that it can be added up.
const most = 1 << 60

// units are powers of 1024 in every spelling, as Docker counts memory: who writes 512MB
// where Kubernetes has 512Mi means the same limit.
var (
	form  = regexp.MustCompile(`^([0-9]{0,18}(?:\.[0-9]{1,9})?) ?([kmgt]?)(?:i?b|i)?$`)
	shift = map[string]uint{"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
)

// Parse reads a size such as 256m, 512MB, 512Mi, 1.5g or a number of bytes.
func Parse(text string) (bytes int64, ok bool) {
	found := form.FindStringSubmatch(strings.ToLower(text))
	if found == nil || found[2] == "" && strings.Contains(strings.ToLower(text), "i") {
		return 0, false
	}
	f, err := strconv.ParseFloat(found[1], 64)
	if err != nil || f*float64(int64(1)<<shift[found[2]]) > most {
		return 0, false
	}
	if n, err := strconv.ParseInt(found[1], 10, 64); err == nil {
		return n << shift[found[2]], true
	}
	return int64(f * float64(int64(1)<<shift[found[2]])), true
}

var cores = regexp.MustCompile(`^([0-9]{0,9}(?:\.[0-9]{1,9})?)(m?)$`)

// Cores reads a number of CPU cores, such as 0.5 or 2, or thousandths of one: 500m.
func Cores(text string) (n float64, ok bool) {
	found := cores.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if found[2] == "m" {
		n /= 1000
	}
	return n, err == nil
}
