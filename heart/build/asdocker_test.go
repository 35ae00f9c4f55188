package build_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// The image of a source holds the same as that of docker build beside it: files,
// modes and links. There the engine reads the Dockerfile and the ignore file, and
// the files come from the disk.
func TestBuilder_MakesTheImageThatDockerBuildMakes(t *testing.T) {
	ignores := map[string]string{
		"nothing":    "",
		"list":       "secrets/\nnode_modules\n*.md\n!README.md\n",
		"exceptions": "*\n!src\nsrc/deep\n!**/kept\n!other/kept\n",
		"wildcards":  "**/node_modules\nsrc/*/x?\nDockerfile\n.dockerignore\n# a\n  /other/ \n",
	}
	for name, ignore := range ignores {
		t.Run(name, func(t *testing.T) {
			b, s, r := setUp(t, nil)
			dir := sampleTree(t, s.spec.Cluster, ignore)
			s.source = packTree(t, dir)

			got, err := b.Build(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}

			want := imageFiles(t, dockerBuild(t, s.spec.Cluster, dir))
			if diff := cmp.Diff(want, imageFiles(t, got.Image.Ref)); diff != "" || len(want) < 3 {
				t.Errorf("files of the image (-docker build +ours), of %d:\n%s", len(want), diff)
			}
		})
	}
}

func sampleTree(t *testing.T, id cluster.ID, ignore string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"README.md", "CHANGES.md", "docs/a.md", "secrets/key", "node_modules/a/b.js", "src/node_modules/c.js", "src/main.go",
		"src/deep/x1", "src/deep/kept", "src/two/xy", "other/kept", "other/file", "other/deep/kept", "white space", "ünïcode", "-dash", "new\nline", ".hidden", "# a",
	} {
		write(t, filepath.Join(dir, name), name, 0o644)
	}
	write(t, filepath.Join(dir, "run.sh"), "#!/bin/sh", 0o755)
	write(t, filepath.Join(dir, "private"), "x", 0o600)
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nLABEL "+cluster.LabelCluster+"="+string(id)+"\nCOPY . /ctx/\nCMD [\"/x\"]\n", 0o644)
	if ignore != "" {
		write(t, filepath.Join(dir, ".dockerignore"), ignore, 0o644)
	}
	for name, target := range map[string]string{"inside": "src/main.go", "src/up": "../README.md", "dangling": "nowhere", "absolute": "/etc/hosts"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func packTree(t *testing.T, dir string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "-c", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// dockerCLI runs the CLI with the classic builder.
func dockerCLI(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", append([]string{"-H", testkit.DockerHost()}, args...)...)
	cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, complaint.String())
	}
	return string(out)
}

// dockerRun is what a command prints in a container of an image. An attached client
// can miss the words of one that ends at once; its log has them.
func dockerRun(t *testing.T, image string, command ...string) string {
	t.Helper()
	id := strings.TrimSpace(dockerCLI(t, append([]string{"run", "-d", image}, command...)...))
	defer dockerCLI(t, "rm", "-f", id)
	if code := strings.TrimSpace(dockerCLI(t, "wait", id)); code != "0" {
		t.Fatalf("%v in %s: exit %s\n%s", command, image, code, dockerCLI(t, "logs", id))
	}
	return strings.TrimSpace(dockerCLI(t, "logs", id))
}

// imageFiles describes what an image has of its context, by name.
func imageFiles(t *testing.T, image string) map[string]string {
	t.Helper()
	id := strings.TrimSpace(dockerCLI(t, "create", image))
	defer dockerCLI(t, "rm", id)
	files := map[string]string{}
	in := tar.NewReader(strings.NewReader(dockerCLI(t, "export", id)))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "ctx/") {
			continue
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, in); err != nil {
			t.Fatal(err)
		}
		files[h.Name] = fmt.Sprintf("%c %o %d:%d %q %x", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname, sum.Sum(nil)[:4])
	}
}
