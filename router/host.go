package router

import "strings"

const maxHost = 253

// CanonicalHost brings a Host header into the form that the table's names
// have: lower case, without port and without one trailing dot, only letters,
// digits, dashes and single dots. It reports false for anything else. As in
// nginx, a port is whatever follows the first colon.
func CanonicalHost(host string) (string, bool) {
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > maxHost {
		return "", false
	}
	lower := []byte(host)
	for i, c := range lower {
		switch {
		case c >= 'A' && c <= 'Z':
			lower[i] = c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
		case c == '.' && i > 0 && lower[i-1] != '.' && i < len(lower)-1:
		default:
			return "", false
		}
	}
	return string(lower), true
}

// ValidName reports whether name can name a record: a canonical host, or a
// wildcard "*.b.c" over one.
func ValidName(name string) bool {
	base := strings.TrimPrefix(name, "*.")
	canonical, ok := CanonicalHost(base)
	return ok && canonical == base && len(name) <= maxHost
}
