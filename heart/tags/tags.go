// Package tags detects a node's own tags: os, arch, kernel and hostname. Tags
// that placement must rely on are configured or set by people; these are for
// preferences and for display.
package tags

import (
	"bytes"
	"maps"
	"os"
	"runtime"
	"strings"
)

// MaxValue is the longest value of a detected tag, in bytes.
const MaxValue = 64

// Find returns the detected tags, overridden by the configured ones.
func Find(configured map[string]string) map[string]string {
	found := map[string]string{"os": runtime.GOOS, "arch": runtime.GOARCH}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		found["kernel"] = Clean(string(bytes.TrimSpace(data)))
	}
	if name, err := os.Hostname(); err == nil {
		found["hostname"] = Clean(name)
	}
	maps.Copy(found, configured)
	return found
}

// Clean keeps letters, digits and ._- of a value, and its first MaxValue bytes.
func Clean(value string) string {
	value = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, value)
	return value[:min(len(value), MaxValue)]
}
