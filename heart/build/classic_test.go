package build_test

import (
	"regexp"
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/jobs"
)

// What BuildKit alone has fails by the classic builder, and the build's log has
// said why.
func TestBuilder_ClassicBuilderRefusesWhatBuildKitHas(t *testing.T) {
	for name, c := range map[string]struct{ step, want string }{
		"mount":        {"RUN --mount=type=cache,target=/c true", "--mount option requires BuildKit"},
		"chmod":        {"COPY --chmod=0640 run.sh /", "--chmod option requires BuildKit"},
		"heredoc":      {"RUN <<EOF\nmkdir /ctx\nEOF", "Dockerfile: has a heredoc in line 2, which needs BuildKit"},
		"heredoc file": {"COPY <<EOF /ctx/x\nhello\nEOF", "Dockerfile: has a heredoc in line 2, which needs BuildKit"},
		"secret":       {"RUN --mount=type=secret,id=token true", `Dockerfile mounts a build secret, which needs BuildKit, and this node is told to use it \(classic_builder\); build on an engine that has it`},
		"platform":     {"FROM --platform=$BUILDPLATFORM scratch", "platform"},
		"no step":      {"MKDIR /ctx", "^the build failed: dockerfile parse error.*unknown instruction: MKDIR"},
		"arch":         {"ARG TARGETARCH\nRUN test -n \"$TARGETARCH\"", "non-zero code: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s, r := setUp(t, nil)
			b.Classic = true
			base := rig.Shell(t, b.Engine, s.spec.Cluster)
			s.source = rig.Tar(t, map[string]string{"run.sh": "#!/bin/sh\n", "Dockerfile": "FROM " + base + "\n" + c.step + "\nCMD [\"x\"]\n"})

			_, err := b.Build(t.Context(), r)

			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || !jobs.IsPermanent(err) {
				t.Errorf("got %v, want a permanent error with %q", err, c.want)
			}
			if said := strings.Join(r.Lines(), "\n"); !strings.Contains(said, "warning: the engine's classic builder builds this, since this node is told to use it (classic_builder): RUN --mount, heredocs, COPY --chmod and --link, automatic platform args and build secrets are not available") {
				t.Errorf("got the log\n%s\nwant what is not available in it", said)
			}
		})
	}
}
