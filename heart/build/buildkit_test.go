package build_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/heart/internal/rig"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// spellings are Dockerfiles that mean the same, on the left with what BuildKit
// alone has, or what engines of today have and older ones have not. BASE is an
// image with a shell.
var spellings = map[string]struct{ ours, plain string }{
	"heredoc":       {"FROM BASE\nRUN <<EOF\nmkdir /ctx\necho one >/ctx/a\necho \"two $HOME\" >/ctx/b\nEOF\nCMD [\"x\"]", "FROM BASE\nRUN mkdir /ctx && echo one >/ctx/a && echo \"two $HOME\" >/ctx/b\nCMD [\"x\"]"},
	"heredoc file":  {"FROM BASE\nCOPY <<EOF <<'RAW' /ctx/\nhome: $PATH\nEOF\n$PATH\nRAW\nCMD [\"x\"]", "FROM BASE\nRUN mkdir /ctx && printf 'home: %s\\n' \"$PATH\" >/ctx/EOF && printf '$PATH\\n' >/ctx/RAW\nCMD [\"x\"]"},
	"link":          {"FROM BASE AS one\nRUN mkdir /o && echo 1 >/o/f\nFROM BASE\nCOPY --link run.sh /ctx/run.sh\nCOPY --link --from=one /o/ /ctx/o/\nCMD [\"x\"]", "FROM BASE\nCOPY run.sh /ctx/run.sh\nRUN mkdir /ctx/o && echo 1 >/ctx/o/f\nCMD [\"x\"]"},
	"chmod":         {"FROM BASE\nRUN mkdir /ctx\nCOPY --chmod=0640 --chown=7:8 run.sh /ctx/\nCMD [\"x\"]", "FROM BASE\nCOPY run.sh /ctx/\nRUN chmod 0640 /ctx/run.sh && chown 7:8 /ctx/run.sh\nCMD [\"x\"]"},
	"platforms":     {"FROM --platform=$BUILDPLATFORM BASE\nARG TARGETARCH\nARG TARGETOS\nRUN mkdir /ctx && echo $TARGETOS/$TARGETARCH >/ctx/p\nCMD [\"x\"]", "FROM BASE\nRUN mkdir /ctx && echo linux/$(uname -m | sed s/x86_64/amd64/ | sed s/aarch64/arm64/) >/ctx/p\nCMD [\"x\"]"},
	"mounts":        {"FROM BASE\nRUN --mount=type=bind,target=/src --mount=type=tmpfs,target=/t --mount=type=cache,target=/c mkdir /ctx && cp -p /src/run.sh /ctx/ && touch /t/x /c/x\nCMD [\"x\"]", "FROM BASE\nCOPY run.sh /ctx/\nCMD [\"x\"]"},
	"syntax":        {"# syntax=docker/dockerfile:1.4\n# escape=`\nFROM BASE\nENV A=1 `\n  B=2\nCOPY run.sh /ctx/\nCMD [\"x\"]", "FROM BASE\nENV A=1 B=2\nCOPY run.sh /ctx/\nCMD [\"x\"]"},
	"stages":        {"FROM BASE AS unused\nRUN exit 1\nFROM BASE AS base\nENV A=1\nWORKDIR /w\nFROM base\nCOPY run.sh /ctx/\nUSER 5\nENTRYPOINT [\"e\"]\nCMD [\"x\"]", "FROM BASE\nENV A=1\nWORKDIR /w\nCOPY run.sh /ctx/\nUSER 5\nENTRYPOINT [\"e\"]\nCMD [\"x\"]"},
	"args in image": {"ARG V=3\nFROM BASE\nARG V\nENV A=$V\nCOPY run.sh /ctx/\nCMD [\"x\"]", "FROM BASE\nENV A=3\nCOPY run.sh /ctx/\nCMD [\"x\"]"},
}

func TestBuilder_BuildsWhatBuildKitKnows(t *testing.T) {
	for name, c := range spellings {
		t.Run(name, func(t *testing.T) {
			b, s, r := setUp(t, nil)
			base := rig.Shell(t, b.Engine, s.spec.Cluster)
			dir := t.TempDir()
			write(t, filepath.Join(dir, "run.sh"), "#!/bin/sh\n", 0o755)
			write(t, filepath.Join(dir, "Dockerfile"), strings.ReplaceAll(c.ours, "BASE", base), 0o644)
			s.source = packTree(t, dir)

			got, err := b.Build(t.Context(), r)
			if err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
			}

			write(t, filepath.Join(dir, "Dockerfile"), strings.ReplaceAll(c.plain, "BASE", base), 0o644)
			want := dockerBuild(t, s.spec.Cluster, dir)
			if diff := cmp.Diff(imageFiles(t, want), imageFiles(t, got.Image.Ref)); diff != "" {
				t.Errorf("files of the image (-plainly spelt +ours):\n%s", diff)
			}
			if diff := cmp.Diff(imageConfig(t, want), imageConfig(t, got.Image.Ref)); diff != "" {
				t.Errorf("configuration of the image (-plainly spelt +ours):\n%s", diff)
			}
			said := strings.Join(r.Lines(), "\n")
			if ignored := strings.Contains(said, "# syntax=docker/dockerfile:1.4 is ignored"); ignored != (name == "syntax") {
				t.Errorf("got the log\n%s\nwant a word on an ignored syntax: %v", said, name == "syntax")
			}
		})
	}
}

// imageConfig is what an image says of how it is run, without our labels.
func imageConfig(t *testing.T, image string) map[string]any {
	t.Helper()
	var list []struct{ Config map[string]any }
	if err := json.Unmarshal([]byte(dockerCLI(t, "inspect", image)), &list); err != nil || len(list) != 1 {
		t.Fatalf("inspect %s: %v, %d images", image, err, len(list))
	}
	c := list[0].Config
	if labels, ok := c["Labels"].(map[string]any); ok {
		maps.DeleteFunc(labels, func(k string, _ any) bool { return strings.HasPrefix(k, "aorta.") })
	}
	// What the engine fills in for images without a container.
	maps.DeleteFunc(c, func(k string, v any) bool { return v == nil || v == "" || v == false || k == "Image" })
	return c
}

// An app's cache mounts are its own, whatever they are called.
func TestBuilder_KeepsCacheMountsApart(t *testing.T) {
	b, s, r := setUp(t, nil)
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	build := func(app cluster.ID, id, command string) string {
		t.Helper()
		s.spec = cluster.BuildSpec{ID: cluster.NewID(), AppID: app, App: "shop", Kind: cluster.SourceArchive, Cluster: s.spec.Cluster}
		s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nENV ONCE=" + string(s.spec.ID) + "\nRUN --mount=type=cache,id=" + id + ",target=/c " + command + "\nCMD [\"x\"]"})
		r = &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}}
		if _, err := b.Build(t.Context(), r); err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
		}
		return strings.Join(r.Lines(), "\n")
	}
	one, other := cluster.NewID(), cluster.NewID()
	build(one, "npm", "echo mine >/c/f")

	same := build(one, "npm", "echo has $(ls /c)")
	if !strings.Contains(same, "| has f\n") {
		t.Errorf("the app's next build: got\n%s\nwant the file of the one before", same)
	}
	owner := string(s.spec.Cluster) + "." + string(one)
	for _, id := range []string{"npm", "../" + owner + "/npm", "/" + owner + "/npm", owner + "/npm"} {
		if said := build(other, id, "echo has $(ls /c)"); !strings.Contains(said, "| has\n") {
			t.Errorf("another app by id %s: got\n%s\nwant nothing in the cache", id, said)
		}
	}
}

// A secret is there for the step that mounts it, and nowhere else afterwards.
func TestBuilder_KeepsSecretsToTheirSteps(t *testing.T) {
	const secret = "s3cret-0f-the-app"
	b, s, r := setUp(t, nil)
	s.spec.Secrets = map[string]string{"token": secret}
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nENV ONCE=" + string(s.spec.ID) + "\nRUN --mount=type=secret,id=token mkdir /ctx; md5sum </run/secrets/token | cut -c1-32 >/ctx/sum; cat /run/secrets/token; env >/ctx/env\nCMD [\"x\"]"})

	got, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
	}

	id := strings.TrimSpace(dockerCLI(t, "create", got.Image.Ref))
	defer dockerCLI(t, "rm", id)
	seen := dockerCLI(t, "export", id) + dockerCLI(t, "inspect", got.Image.Ref) + dockerCLI(t, "history", "--no-trunc", got.Image.Ref) + strings.Join(r.Lines(), "\n") + strings.Join(r.Steps(), "\n")
	if strings.Contains(seen, secret) {
		t.Error("the secret is in the image, its history or the log")
	}
	if sum := fmt.Sprintf("%x", md5.Sum([]byte(secret))); !strings.Contains(seen, sum) || !strings.Contains(seen, "| ***") {
		t.Errorf("the step did not have the secret, or its output is not masked:\n%s", strings.Join(r.Lines(), "\n"))
	}
	s.spec.ID, s.spec.State, s.spec.Secrets = cluster.NewID(), "", nil
	s.source = rig.Tar(t, map[string]string{"Dockerfile": "FROM " + base + "\nRUN --mount=type=secret,id=token,required cat /run/secrets/token\n"})
	_, err = b.Build(t.Context(), &rig.Job{Arguments: cluster.BuildArgs{Build: s.spec.ID}})
	if err == nil || !strings.Contains(err.Error(), "secret token is not set (aorta builds set-secret token=…)") {
		t.Errorf("without it: got %v, want the next step", err)
	}
}

func TestBuilder_TakesTheBuildKey(t *testing.T) {
	b, s, r := setUp(t, nil)
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "aorta.yml"), "build:\n  dockerfile: docker/Dockerfile.prod\n  context: app\n  target: web\n  args: {GREETING: 'hello, you', N: 1.10}\n", 0o644)
	write(t, filepath.Join(dir, "docker/Dockerfile.real"), "FROM "+base+" AS web\nARG GREETING\nARG N\nRUN mkdir /ctx && echo \"$GREETING $N\" >/ctx/said\nCOPY . /ctx/\nCMD [\"x\"]\nFROM web\nRUN exit 1\n", 0o644)
	if err := os.Symlink("Dockerfile.real", filepath.Join(dir, "docker/Dockerfile.prod")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "docker/Dockerfile.prod.dockerignore"), "secret\n", 0o644)
	write(t, filepath.Join(dir, "app/secret"), "x", 0o644)
	write(t, filepath.Join(dir, "app/main"), "x", 0o644)
	write(t, filepath.Join(dir, "outside"), "x", 0o644)
	s.source = packTree(t, dir)

	got, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
	}

	files := imageFiles(t, got.Image.Ref)
	if len(files) != 3 || files["ctx/main"] == "" || files["ctx/said"] == "" {
		t.Errorf("got the files %v, want main and said", files)
	}
	if said := dockerRun(t, got.Image.Ref, "/bin/cat", "/ctx/said"); said != "hello, you 1.10" {
		t.Errorf("got the args %q", said)
	}
}

func TestBuilder_NamesWhatTheBuildKeyGotWrong(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"aorta.yml:2:15: build.dockerfile: there is no file \"web/Dockerfile\" in the source": {"aorta.yml": "build:\n  dockerfile: web/Dockerfile\n"},
		"aorta.yml:1:18: build.context: there is no folder \"web\" in the source":             {"aorta.yml": "build: {context: web}\n"},
		"Dockerfile:3: RUN --network=host: a build can't have this":                           {"Dockerfile": "FROM scratch\nCOPY testapp /app\nRUN --network=host [\"/app\"]\n", "testapp": string(rig.Binary(t))},
		"there is no Dockerfile in web;":                                                      {"aorta.yml": "build: {context: web}\n", "web/x": ""},
		"the Dockerfile has no stage \"prod\" (FROM … AS prod)":                               {"aorta.yml": "build:\n  target: prod\n", "Dockerfile": dockerfile, "testapp": string(rig.Binary(t))},
	} {
		t.Run(want, func(t *testing.T) {
			b, s, r := setUp(t, nil)
			s.source = rig.Tar(t, files)

			_, err := b.Build(t.Context(), r)

			if err == nil || !strings.Contains(err.Error(), want) || !jobs.IsPermanent(err) {
				t.Errorf("got %v, want a permanent error with %q", err, want)
			}
		})
	}
}

// Without BuildKit a build says what it lacks, and does the rest.
func TestBuilder_FallsBackOnTheClassicBuilder(t *testing.T) {
	b, s, r := setUp(t, nil)
	b.Classic = true
	s.spec.Secrets = map[string]string{"token": "s3cret-0f-the-app"}
	base := rig.Shell(t, b.Engine, s.spec.Cluster)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "aorta.yml"), "build: {dockerfile: docker/Dockerfile, target: web, args: {A: x}}\n", 0o644)
	write(t, filepath.Join(dir, "docker/Dockerfile"), "FROM "+base+" AS web\nARG A\nCOPY . /ctx/\nRUN echo $A >/ctx/a\nCMD [\"x\"]\nFROM web\nRUN exit 1\n", 0o644)
	write(t, filepath.Join(dir, ".dockerignore"), "docker\n.dockerignore\nsecret\n", 0o644)
	write(t, filepath.Join(dir, "secret"), "x", 0o644)
	s.source = packTree(t, dir)

	got, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(r.Lines(), "\n"))
	}

	if files := slices.Sorted(maps.Keys(imageFiles(t, got.Image.Ref))); !slices.Equal(files, []string{"ctx/", "ctx/a", "ctx/aorta.yml"}) {
		t.Errorf("got the files %v, want those that are not ignored", files)
	}
	said := strings.Join(r.Lines(), "\n")
	for _, want := range []string{"since this node is told to use it (classic_builder): RUN --mount, heredocs", "the app's build secrets are not used", "Step 2/"} {
		if !strings.Contains(said, want) {
			t.Errorf("got the log\n%s\nwant %q in it", said, want)
		}
	}
	if !slices.Contains(r.Steps(), "COPY . /ctx/") {
		t.Errorf("got the steps %q", r.Steps())
	}
}

// The bound is on the cache, not on what images have.
func TestEngine_TrimsTheBuildCache(t *testing.T) {
	b, s, r := setUp(t, map[string]string{"Dockerfile": dockerfile, "testapp": string(rig.Binary(t))})
	got, err := b.Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}

	// A bound that nothing on this engine reaches, since others build there too.
	freed, err := b.Engine.TrimBuildCache(t.Context(), 1<<50)

	if _, gone := b.Engine.Image(t.Context(), got.Image.Ref); err != nil || freed != 0 || gone != nil {
		t.Errorf("got %d bytes freed, %v, the image %v of build %s; want nothing touched", freed, err, gone, s.spec.ID)
	}
}
