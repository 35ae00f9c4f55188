package build

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"strings"
	"testing"

	"aorta/internal/dockerignore"
	"aorta/pacemaker/cluster"
)

// file is one entry of a test's source.
type file struct {
	header tar.Header
	text   string
}

func packFiles(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		f.header.Size = int64(len(f.text))
		if err := w.WriteHeader(&f.header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func text(name, content string) file { return file{tar.Header{Name: name, Mode: 0o644}, content} }

func folderNamed(name string) file {
	return file{tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755}, ""}
}

func hardLink(name, to string) file {
	return file{tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}, ""}
}

// sent gives the names that the engine would get, each behind its content.
func sent(t testing.TB, kind cluster.SourceKind, files ...file) ([]string, error) {
	t.Helper()
	return sentFrom(t, dockerignore.Root, kind, files...)
}

func sentFrom(t testing.TB, place dockerignore.Place, kind cluster.SourceKind, files ...file) ([]string, error) {
	t.Helper()
	var spool bytes.Buffer
	found, err := filterSource(bytes.NewReader(packFiles(t, files...)), &spool, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	list, err := found.context(bytes.NewReader(spool.Bytes()), place, kind)
	if err != nil {
		return nil, err
	}
	content := map[string]string{}
	for _, f := range files {
		content[f.header.Name] = f.text
	}
	for _, f := range list {
		got, err := read(bytes.NewReader(spool.Bytes()), f)
		name := path.Join(place.Context, f.Path)
		if err != nil || f.Mode.IsRegular() && f.Same == "" && content[name] != "" && string(got) != content[name] {
			t.Errorf("%s: got the content %q, %v; want %q", name, got, err, content[name])
		}
	}
	return names(t, list), nil
}

func TestContext_LeavesOutWhatDockerignoreSays(t *testing.T) {
	all := func(ignore ...file) []file {
		return append(ignore, text("Dockerfile", "FROM scratch"), text("a", strings.Repeat("a", 2000)),
			folderNamed("secrets"), text("secrets/key", "k"), text("src/x.go", "x"), text("aorta.yml", ""), text("z", ""))
	}
	cases := map[string]struct {
		files []file
		want  string
	}{
		"none":              {all(), "Dockerfile a secrets/ secrets/key src/x.go aorta.yml z"},
		"first and last":    {all(text(".dockerignore", "Dockerfile\nz\n.dockerignore\n")), "a secrets/ secrets/key src/x.go aorta.yml"},
		"at the end":        {append(all(), text(".dockerignore", "secrets\na\n")), "Dockerfile src/x.go aorta.yml z .dockerignore"},
		"of the Dockerfile": {all(text(".dockerignore", "a"), text("Dockerfile.dockerignore", "secrets\n.dockerignore")), "Dockerfile.dockerignore Dockerfile a src/x.go aorta.yml z"},
		"everything":        {all(text(".dockerignore", "*\n")), ""},
		"with its folder":   {all(text(".dockerignore", "*\n!secrets/key\n")), "secrets/ secrets/key"},
	}
	for name, c := range cases {
		got, err := sent(t, cluster.SourceCommit, c.files...)

		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

func TestContext_RefusesWhatHasNoContent(t *testing.T) {
	docker := text("Dockerfile", "FROM scratch")
	cases := map[string]struct {
		kind  cluster.SourceKind
		files []file
		want  string // "" to pass
	}{
		"submodule":             {cluster.SourceCommit, []file{docker, folderNamed("src"), text("src/a", ""), folderNamed("lib/json")}, `1 submodule, "lib/json": the files of git submodules are not part of a commit`},
		"ignored submodule":     {cluster.SourceCommit, []file{docker, text(".dockerignore", "lib"), folderNamed("lib"), folderNamed("lib/json")}, ""},
		"empty folder":          {cluster.SourceArchive, []file{docker, folderNamed("tmp")}, ""},
		"emptied folder":        {cluster.SourceCommit, []file{docker, text(".dockerignore", "lib/x"), folderNamed("lib"), text("lib/x", "")}, ""},
		"pointers":              {cluster.SourceCommit, []file{docker, text("a", pointer), text("b", pointer), text("c", pointer), text("d", pointer)}, `4 files, "a", "b", "c" and 1 more: only pointers of Git LFS arrived, not the files. Deploy from a checkout that has the files (git lfs pull && aorta deploy), or move`},
		"pointer in an archive": {cluster.SourceArchive, []file{docker, text("a", pointer)}, `Fetch the files (git lfs pull) and deploy again`},
		"ignored pointer":       {cluster.SourceCommit, []file{docker, text(".dockerignore", "a"), text("a", pointer)}, ""},
		"text about pointers":   {cluster.SourceCommit, []file{docker, text("a", pointer+strings.Repeat("more\n", 300)), text("b", "version https://git-lfs.github.com/spec/v1\n")}, ""},
		"bad pattern":           {cluster.SourceCommit, []file{docker, text(".dockerignore", "a[\n")}, `.dockerignore: pattern "a["`},
		"ignore file":           {cluster.SourceArchive, []file{docker, {tar.Header{Name: ".dockerignore", Typeflag: tar.TypeSymlink, Linkname: "a"}, ""}}, `.dockerignore: is a link`},
	}
	for name, c := range cases {
		_, err := sent(t, c.kind, c.files...)

		if c.want == "" && err != nil {
			t.Errorf("%s: got %v, want none", name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || cluster.CodeOf(err) != cluster.CodeInvalid) {
			t.Errorf("%s: got %v, want invalid with %q", name, err, c.want)
		}
	}
}

func TestContext_IsTheFolderThatIsNamed(t *testing.T) {
	place := dockerignore.Place{Dockerfile: "docker/Dockerfile.prod", Context: "app"}
	files := []file{
		text("docker/Dockerfile.prod", "FROM scratch"), text(".dockerignore", "*"), text("x", ""),
		folderNamed("app"), text("app/.dockerignore", "b\n"), text("app/a", "1"), text("app/b", "2"), text("app/lib/b", "3"), text("apple", ""),
	}

	got, err := sentFrom(t, place, cluster.SourceArchive, files...)
	if want := ".dockerignore a lib/b"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	got, err = sentFrom(t, place, cluster.SourceArchive, append(files, text("docker/Dockerfile.prod.dockerignore", "a\n"))...)
	if want := ".dockerignore b lib/b"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("with an ignore file of the Dockerfile: got %q, %v; want %q", got, err, want)
	}
}

// A hard link to a file that is left out is that file, as on a disk.
func TestContext_KeepsTheContentOfHardLinks(t *testing.T) {
	var spool bytes.Buffer
	found, err := filterSource(bytes.NewReader(packFiles(t, text(".dockerignore", "a\n"), text("a", "x"), hardLink("b", "./a"), text("c", "y"), hardLink("d", "c"), hardLink("e", "d"))), &spool, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}

	list, err := found.context(bytes.NewReader(spool.Bytes()), dockerignore.Root, cluster.SourceArchive)
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, f := range list[1:] {
		content, err := read(bytes.NewReader(spool.Bytes()), f)
		got = append(got, f.Path+"="+string(content)+">"+f.Same)
		if err != nil {
			t.Error(err)
		}
	}
	if want := "b=x> c=y> d=y>c e=y>c"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
