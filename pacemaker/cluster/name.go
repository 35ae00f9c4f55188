package cluster

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	namePattern      = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)
	nodeNamePattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostLabelPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// numericLabelPattern is what makes a host an IPv4 address to browsers, as its
	// last label (the URL standard's "ends in a number").
	numericLabelPattern = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)
	configKeyPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// ValidateName checks the name of an app, a process type or a workspace: 1 to
// 40 lower-case letters, digits and single hyphens, a letter first. It is the
// only such check, so that a name that one endpoint accepts is valid everywhere.
func ValidateName(field, name string) error {
	if !namePattern.MatchString(name) || strings.Contains(name, "--") {
		return Invalid(field, "%q is not a name (1 to 40 of a-z, 0-9 and single hyphens, a letter first, no hyphen last)", Clip(name))
	}
	return nil
}

// ValidateNodeName checks a node's name, which is made from its host's name.
func ValidateNodeName(field, name string) error {
	if !nodeNamePattern.MatchString(name) {
		return Invalid(field, "%q is not a node name (1 to 63 of a-z, 0-9 and hyphens)", Clip(name))
	}
	return nil
}

// NodeNameFrom makes a node's name from a host's name: its first label, lower
// case, everything else turned into hyphens; "node" when nothing is left.
func NodeNameFrom(hostname string) string {
	label, _, _ := strings.Cut(strings.ToLower(hostname), ".")
	label = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, label)
	if len(label) > 63 {
		label = label[:63]
	}
	if label = strings.Trim(label, "-"); label == "" {
		return "node"
	}
	return label
}

// ValidateHost checks a hostname of a route: lower case, two labels or more,
// 253 characters at most; a leading "*." makes it a wildcard. What browsers
// read as an IP address is none: at an address they reach the dashboard too, and
// send its cookie to every port.
func ValidateHost(field, host string) error {
	labels := strings.Split(strings.TrimPrefix(host, "*."), ".")
	ok := len(host) <= 253 && len(labels) >= 2
	for _, l := range labels {
		ok = ok && hostLabelPattern.MatchString(l)
	}
	if ok && numericLabelPattern.MatchString(labels[len(labels)-1]) {
		return Invalid(field, "%q is an IP address to browsers; an app needs a hostname, such as shop.example.com", Clip(host))
	}
	if !ok {
		return Invalid(field, "%q is not a hostname (lower-case labels of a-z, 0-9 and hyphens with dots between, such as shop.example.com or *.example.com)", Clip(host))
	}
	return nil
}

// reservedKeys are set by the platform in every instance; an app that could
// set them would not know its own port.
var reservedKeys = map[string]bool{"PORT": true}

// ValidateConfigKey checks the name of a config var.
func ValidateConfigKey(field, key string) error {
	if !configKeyPattern.MatchString(key) {
		return Invalid(field, "%q is not a config var name (letters, digits and _, no digit first, 128 at most)", Clip(key))
	}
	if reservedKeys[key] || strings.HasPrefix(key, "AORTA_") {
		return Invalid(field, "%s is set by the platform; choose another name", key)
	}
	return nil
}

// MaxConfigValue is the size limit of one config var's value, in bytes.
const MaxConfigValue = 32 << 10

// ValidateConfigValue refuses what an environment can't hold.
func ValidateConfigValue(field, value string) error {
	switch {
	case len(value) > MaxConfigValue:
		return Invalid(field, "is %d bytes long; the limit is %d", len(value), MaxConfigValue)
	case strings.ContainsRune(value, 0):
		return Invalid(field, "holds a NUL byte, which an environment can't carry")
	}
	return nil
}

// MaxSecrets is how many build secrets an app may have.
const MaxSecrets = 100

var secretNamePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// ValidateSecretName checks the name of a build secret, which a Dockerfile has as
// an id.
func ValidateSecretName(field, name string) error {
	if !secretNamePattern.MatchString(name) {
		return Invalid(field, "%q is not the name of a build secret (letters, digits, _, . and -, 128 at most)", Clip(name))
	}
	return nil
}

// Clip shortens what somebody sent, so that an error that quotes it stays
// readable: 80 bytes at the most, no half characters.
func Clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
