package build

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// directive is a comment that begins a Dockerfile and is an instruction to its
// reader.
var directive = regexp.MustCompile(`^(?:#|//)\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`)

// onDockerfile names what a Dockerfile asks for and does not get.
func onDockerfile(r dockerfile.Recipe) []string {
	text := bytes.TrimPrefix(r.Text, []byte("\ufeff"))
	for line := range bytes.Lines(text) {
		found := directive.FindSubmatch(bytes.TrimRight(line, "\r\n"))
		if found == nil {
			return nil
		}
		if strings.EqualFold(string(found[1]), "syntax") {
			return []string{fmt.Sprintf("%s is ignored: builds fetch no Dockerfile syntax, they use the builder's own", cluster.Clip(string(bytes.TrimSpace(line))))}
		}
	}
	return nil
}

// withoutBuildKit says what a build lacks.
func withoutBuildKit(why string) string {
	return fmt.Sprintf("the engine's classic builder builds this, since %s: RUN --mount, heredocs, COPY --chmod and --link, automatic platform args and build secrets are not available", why)
}
