package table

import "hash/fnv"

// blanks may stand around a JSON text. No line feed is among them: a record is
// one line of a file.
const blanks = "\t\r "

// salted puts blanks around a record's JSON that differ from host to host.
// LuaJIT's string hash uses a few bytes of a long string only, the first
// and last four among them, and records are alike there: without the blanks all
// of a worker's records fell into one chain, and reading one took 600 us
// instead of 2 with 20,000 of them.
func salted(host string, text []byte) []byte {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(host))
	h := hash.Sum32()
	out := make([]byte, 0, len(text)+8)
	for range 4 {
		out = append(out, blanks[h%3])
		h /= 3
	}
	out = append(out, text...)
	for range 3 {
		out = append(out, blanks[h%3])
		h /= 3
	}
	// A line's last byte is no carriage return, which readers of lines strip.
	return append(out, "\t "[h%2])
}
