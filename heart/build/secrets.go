package build

import (
	"regexp"
	"strings"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// minMasked is the length from which a secret is masked in output, in bytes. A
// shorter one would hide half of every line.
const minMasked = 6

// masker replaces secrets in what a build prints. Of a secret with several lines
// it knows each.
func masker(secrets map[string]string) *strings.Replacer {
	var pairs []string
	for _, value := range secrets {
		for part := range strings.SplitSeq(value, "\n") {
			if part = strings.TrimSpace(part); len(part) >= minMasked {
				pairs = append(pairs, part, "***")
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

var secretMount = regexp.MustCompile(`--mount=\S*type=secret`)

// withoutSecrets says what becomes of secrets where there is no BuildKit: a build
// that mounts one can't work, and others don't need them.
func withoutSecrets(r dockerfile.Recipe, why string) (remark string, err error) {
	switch {
	case secretMount.Match(r.Text):
		return "", cluster.Invalid("", "%s mounts a build secret, which needs BuildKit, and %s; build on an engine that has it (Docker 18.09 or later), or take the mount out", r.Dockerfile, why)
	case len(r.Secrets) > 0:
		return "the app's build secrets are not used: the Dockerfile mounts none", nil
	}
	return "", nil
}
