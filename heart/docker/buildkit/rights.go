package buildkit

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"aorta/heart/docker/dockerfile"
)

// refusedRight is what BuildKit says of an option of RUN that reaches out of the
// build: no builder of ours is allowed to grant it.
var refusedRight = regexp.MustCompile(`(network\.host|security\.insecure) is not allowed`)

// rightOptions are those of RUN by the right that each asks for.
var rightOptions = map[string]string{"network.host": "--network=host", "security.insecure": "--security=insecure"}

// rightRefused words a refusal, with the line of the Dockerfile that asks for the
// right; "" for any other message.
func rightRefused(r dockerfile.Recipe, message string) string {
	found := refusedRight.FindStringSubmatch(message)
	if found == nil {
		return ""
	}
	option, where := rightOptions[found[1]], r.Dockerfile
	if line := lineOf(r.Text, option); line > 0 {
		where = fmt.Sprintf("%s:%d", r.Dockerfile, line)
	}
	return fmt.Sprintf("%s: RUN %s: a build can't have this, as it reaches the machine of the builder (leave the option out)", where, option)
}

// lineOf is the line of the first RUN with an option, 0 for none.
func lineOf(text []byte, option string) int {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return 0
	}
	for _, step := range parsed.AST.Children {
		for _, flag := range step.Flags {
			if strings.EqualFold(step.Value, "run") && flag == option {
				return step.StartLine
			}
		}
	}
	return 0
}
