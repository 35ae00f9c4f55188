package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// upload is what the deploy endpoint got.
type upload struct {
	query, encoding string
	files           map[string]string // name to content, "-> target" for links
	folders         []string
}

// takesArchives answers deploys of archives and unpacks them.
func takesArchives(t *testing.T, api *fakeAPI) *upload {
	t.Helper()
	got := &upload{files: map[string]string{}}
	api.mux.HandleFunc("POST /api/v1/apps/shop/deploys/archive", func(w http.ResponseWriter, r *http.Request) {
		got.query, got.encoding = r.URL.RawQuery, r.Header.Get("Content-Encoding")
		if err := got.unpack(r.Body); err != nil {
			problem(w, 400, "invalid", err.Error())
			return
		}
		w.WriteHeader(202)
		_, _ = io.WriteString(w, `{"job":"j1"}`)
	})
	return got
}

func (u *upload) unpack(r io.Reader) error {
	if u.encoding == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		r = z
	}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			u.folders = append(u.folders, h.Name)
		case tar.TypeSymlink:
			u.files[h.Name] = "-> " + h.Linkname
		default:
			u.files[h.Name] = string(body)
		}
	}
}

func TestDeploy_SendsTheDirectory(t *testing.T) {
	api := shop(t)
	got := takesArchives(t, api)
	c := newCLI(t, api)
	c.file("Dockerfile", "FROM scratch\n")
	c.file("sub/deep/file", "text")
	c.file(".git/config", "not a repository")
	c.file("secret.env", "sent: there is no .gitignore that counts")
	link(t, c, "inside", "sub/deep/file")

	ran := c.run("deploy", "-a", "shop", "-m", "a message")

	wantCode(t, ran, 1) // a broken .git is a repository that git can't read
	wantIn(t, "stderr", ran.err, "ask git which files are not ignored")
	if err := os.RemoveAll(filepath.Join(c.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	ran = c.run("deploy", "-a", "shop", "-m", "a message")
	wantCode(t, ran, 0)
	want := &upload{query: "message=a+message", encoding: "gzip", files: map[string]string{
		"Dockerfile": "FROM scratch\n", "sub/deep/file": "text", "inside": "-> sub/deep/file", "secret.env": "sent: there is no .gitignore that counts",
	}, folders: []string{"sub/", "sub/deep/"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(upload{})); diff != "" {
		t.Errorf("upload (-want +got):\n%s", diff)
	}
	wantIn(t, "stderr", ran.err, "uploading 4 files from .", "shop v3 serves at http://shop.example.com")
}

func link(t *testing.T, c *cli, name, target string) {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestDeploy_LeavesOutWhatGitIgnores(t *testing.T) {
	api := shop(t)
	got := takesArchives(t, api)
	c := newCLI(t, api)
	c.git("init", "-q")
	for name, text := range map[string]string{
		".gitignore": "*.env\nnode_modules/\n", "app/Dockerfile": "FROM scratch\n", "app/new file": "untracked",
		"app/gone": "x", "app/prod.env": "SECRET=1", "app/node_modules/x": "x", "other/file": "outside of the directory",
	} {
		c.file(name, text)
	}
	c.git("add", "app/Dockerfile", "app/gone")
	if err := os.Remove(filepath.Join(c.dir, "app/gone")); err != nil {
		t.Fatal(err)
	}

	ran := c.run("deploy", "app", "-a", "shop", "--detach")

	wantCode(t, ran, 0)
	want := map[string]string{"Dockerfile": "FROM scratch\n", "new file": "untracked"}
	if diff := cmp.Diff(want, got.files); diff != "" || ran.out != "j1\n" {
		t.Errorf("got output %q, files (-want +got):\n%s", ran.out, diff)
	}
}

// submodule makes a repository with a Dockerfile and a submodule that was not
// fetched.
func (c *cli) submodule(dir string) {
	c.tb.Helper()
	c.git("init", "-q")
	c.file("Dockerfile", "FROM scratch\n")
	c.git("update-index", "--add", "--cacheinfo", "160000,4d7a214614ab2935c943f9e0ff69d22eadbb8f32,"+dir)
	if err := os.MkdirAll(filepath.Join(c.dir, dir), 0o755); err != nil {
		c.tb.Fatal(err)
	}
}

func TestDeploy_LeavesOutWhatDockerignoreSays(t *testing.T) {
	for _, inGit := range []bool{false, true} {
		api := shop(t)
		got := takesArchives(t, api)
		c := newCLI(t, api)
		if inGit {
			c.submodule("lib")
		}
		for name, text := range map[string]string{
			".dockerignore": "secrets\nlib\n**/*.md\n*.yml\nProcfile\nDockerfile\n.dockerignore\n!README.md\n", "Dockerfile": "FROM scratch\n",
			"aorta.yml": "a", "other.yml": "x", "Procfile": "p", "README.md": "r", "CHANGES.md": "x", "secrets/key": "x", "src/a": "s", "web/a.md": "x",
		} {
			c.file(name, text)
		}
		link(t, c, "secrets/up", "../../out")
		link(t, c, "hosts", "/etc/hosts")

		ran := c.run("deploy", "-a", "shop", "--detach")

		wantCode(t, ran, 0)
		delete(got.files, ".dockerignore")
		want := map[string]string{"Dockerfile": "FROM scratch\n", "aorta.yml": "a", "Procfile": "p", "README.md": "r", "src/a": "s", "hosts": "-> /etc/hosts"}
		if diff := cmp.Diff(want, got.files); diff != "" {
			t.Errorf("in git: %t, files (-want +got):\n%s", inGit, diff)
		}
		if diff := cmp.Diff([]string{"src/", "web/"}, got.folders); diff != "" {
			t.Errorf("in git: %t, folders (-want +got):\n%s", inGit, diff)
		}
	}
}

// aorta.yml may say that the build is elsewhere, and what it reads there is sent.
func TestDeploy_SendsWhatTheNamedBuildReads(t *testing.T) {
	api := shop(t)
	got := takesArchives(t, api)
	c := newCLI(t, api)
	for name, text := range map[string]string{
		"aorta.yml": "build: {dockerfile: app/docker/prod, context: app}", ".dockerignore": "*\n", "outside": "o",
		"app/.dockerignore": "docker\nsecret\n", "app/docker/prod": "FROM scratch\n", "app/docker/other": "x", "app/secret": "x", "app/main": "m",
	} {
		c.file(name, text)
	}

	ran := c.run("deploy", "-a", "shop", "--detach")

	wantCode(t, ran, 0)
	var names []string
	for name := range got.files {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{".dockerignore", "aorta.yml", "app/.dockerignore", "app/docker/prod", "app/main", "outside"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// What is wrong with the build key of aorta.yml, the builder says with its line,
// as it does to git push.
func TestDeploy_LeavesTheBuildKeyToTheBuilder(t *testing.T) {
	for _, key := range []string{"dockerfile: /Dockerfile", "dockerfile: ../Dockerfile", "context: ../..", "dockerfile: docker", "dockerfile: .", "context: Dockerfile", "context: nowhere"} {
		t.Run(key, func(t *testing.T) {
			dir := t.TempDir()
			testkit.Must(t, os.MkdirAll(filepath.Join(dir, "docker"), 0o755))
			testkit.Must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
			testkit.Must(t, os.WriteFile(filepath.Join(dir, "aorta.yml"), []byte("build: {"+key+"}\n"), 0o644))

			src, err := listSource(t.Context(), dir)

			if err != nil || !slices.Contains(src.paths, "aorta.yml") {
				t.Errorf("got the files %q and %v, want them sent", src.paths, err)
			}
		})
	}
}

func TestDeploy_RefusesBeforeSending(t *testing.T) {
	cases := []struct {
		name  string
		make  func(c *cli)
		words []string
	}{
		{"no Dockerfile", func(c *cli) { c.file("main.go", "") }, []string{"has no Dockerfile", "aorta deploy --image REF"}},
		{"an ignored one", func(c *cli) { c.git("init", "-q"); c.file(".gitignore", "Dockerfile\n"); c.file("Dockerfile", "") }, []string{"git ignores Dockerfile", "take it out of .gitignore"}},
		{"link out", func(c *cli) { c.file("Dockerfile", ""); link(t, c, "up", "../other") }, []string{"up is a link to ../other"}},
		{"bad .dockerignore", func(c *cli) { c.file("Dockerfile", ""); c.file(".dockerignore", "a[\n") }, []string{"read .dockerignore", `pattern "a["`}},
		{"empty submodule", func(c *cli) { c.submodule("lib") }, []string{"lib is a git submodule", "git submodule update --init --recursive"}},
		{"link out by way of another", func(c *cli) {
			c.file("Dockerfile", "")
			c.file("a/b/x", "")
			link(t, c, "a/b/self", ".")
			link(t, c, "a/b/out", "self/self/self/../../../..")
		}, []string{"is a link to"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			api := shop(t)
			c := newCLI(t, api)
			tc.make(c)

			got := c.run("deploy", "-a", "shop")

			wantCode(t, got, 2)
			wantIn(t, "stderr", got.err, tc.words...)
			if w := api.writes(); len(w) > 0 {
				t.Errorf("got %v sent, want nothing", w)
			}
		})
	}
}

func TestDeploy_SendsAnArchive(t *testing.T) {
	var plain bytes.Buffer
	tw := tar.NewWriter(&plain)
	if err := tw.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: 2}); err != nil {
		t.Fatal(err)
	}
	_, _ = tw.Write([]byte("hi"))
	_ = tw.Close()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(plain.Bytes())
	_ = z.Close()
	cases := []struct{ name, content, encoding string }{{"a.tar", plain.String(), ""}, {"a.tgz", zipped.String(), "gzip"}, {"-", zipped.String(), "gzip"}}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			api := shop(t)
			got := takesArchives(t, api)
			c := newCLI(t, api)
			input := tc.content
			if tc.name != "-" {
				c.file(tc.name, tc.content)
				input = ""
			}

			ran := c.runWith(input, "deploy", "--archive", tc.name, "-a", "shop")

			wantCode(t, ran, 0)
			if got.encoding != tc.encoding || got.files["Dockerfile"] != "hi" {
				t.Errorf("got %+v, want the file as %q", got, tc.encoding)
			}
		})
	}
}

func TestDeploy_RefusedUploadIsToldInTheServersWords(t *testing.T) {
	api := shop(t)
	api.mux.HandleFunc("POST /api/v1/apps/shop/deploys/archive", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusRequestEntityTooLarge, "", "the archive is over 1 GiB")
	})
	c := newCLI(t, api)
	c.file("Dockerfile", "")

	got := c.run("deploy", "-a", "shop")

	wantCode(t, got, 2)
	wantIn(t, "stderr", got.err, "the archive is over 1 GiB")
}

func TestDeploy_FileThatShrinksIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("short"), 0o644); err != nil {
		t.Fatal(err)
	}

	err := packFile(tar.NewWriter(io.Discard), &tar.Header{Name: "Dockerfile", Size: 100}, filepath.Join(dir, "Dockerfile"))

	if err == nil || !strings.Contains(err.Error(), "became shorter") {
		t.Errorf("got %v, want that it shrank", err)
	}
}

func TestDeploy_OfAWorkerAloneGivesNoAddress(t *testing.T) {
	api := newAPI(t)
	takesArchives(t, api)
	api.on("GET /apps/shop", 200, wire.App{Name: "shop", Release: "v1"})
	api.job("j1", "succeeded", "")
	c := newCLI(t, api)
	c.file("Dockerfile", "FROM scratch\n")
	c.file("Procfile", "worker: ./work\n")

	ran := c.run("deploy", "-a", "shop")

	wantCode(t, ran, 0)
	wantIn(t, "stderr", ran.err, "shop v1 is deployed; it has no web process, so no address", "aorta ps scale worker=1 -a shop")
}
