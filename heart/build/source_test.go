package build

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/iotest"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

func pack(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		if h.Typeflag == tar.TypeXGlobalHeader {
			h.PAXRecords = map[string]string{"comment": "c0ffee"}
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte("a"), int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// names lists a context's files as a tar would, and looks at their modes.
func names(t testing.TB, files []dockerfile.File) []string {
	t.Helper()
	var list []string
	for _, f := range files {
		name := f.Path
		if f.Mode.IsDir() {
			name += "/"
		}
		list = append(list, name)
		if f.Mode&^(fs.ModeDir|fs.ModeSymlink|fs.ModePerm) != 0 {
			t.Errorf("%s keeps mode %v", f.Path, f.Mode)
		}
	}
	return list
}

// all are the files of a source, ignored or not.
func (c checked) all() []dockerfile.File {
	var list []dockerfile.File
	for _, e := range c.entries {
		list = append(list, e.File)
	}
	return list
}

func TestFilterSource_PassesPlainSources(t *testing.T) {
	in := pack(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader},
		tar.Header{Typeflag: tar.TypeDir, Name: "./"},
		tar.Header{Name: "./Dockerfile", Mode: 0o4755, Uid: 7, Size: 3},
		tar.Header{Name: "Procfile", Size: 4},
		tar.Header{Typeflag: tar.TypeDir, Name: "a/b/"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "a/b/up", Linkname: "../../Dockerfile"},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "hosts", Linkname: "/etc/hosts"},
		tar.Header{Typeflag: tar.TypeLink, Name: "hard", Linkname: "./Dockerfile"},
	)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, source := range [][]byte{in, zipped.Bytes()} {
		var out bytes.Buffer

		found, err := filterSource(bytes.NewReader(source), &out, DefaultLimits)

		if err != nil || found.find("Dockerfile") == nil || string(found.procfile) != "aaaa" || found.manifest != nil {
			t.Fatalf("got %+v, %v; want Dockerfile and Procfile found", found, err)
		}
		if got, want := strings.Join(names(t, found.all()), " "), "Dockerfile Procfile a/b/ a/b/up hosts hard"; got != want {
			t.Errorf("got entries %q, want %q", got, want)
		}
		if out.String() != "aaaaaaa" {
			t.Errorf("got the content %q, want that of both files", out.String())
		}
	}
}

// Who sends a source sees its end taken, padding included.
func TestFilterSource_ReadsTheWholeStream(t *testing.T) {
	padded := append(pack(t, tar.Header{Name: "Dockerfile", Mode: 0o644}), make([]byte, 20<<10)...)
	in := bytes.NewReader(padded)

	_, err := filterSource(iotest.OneByteReader(in), io.Discard, DefaultLimits)

	if err != nil || in.Len() != 0 {
		t.Errorf("got error %v with %d bytes left unread, want none and 0", err, in.Len())
	}
}

func TestFilterSource_RefusesAndNamesWhatHasNoPlace(t *testing.T) {
	limits := Limits{Entries: 3, Bytes: 100}
	one := tar.Header{Name: "f", Size: 1}
	cases := map[string][]tar.Header{
		`entry "/etc/passwd" leads out`:                     {{Name: "/etc/passwd", Size: 1}},
		`entry "a/../../b" leads out`:                       {{Name: "a/../../b", Size: 1}},
		`link "a/l" points out of the source, to "../../x"`: {{Typeflag: tar.TypeSymlink, Name: "a/l", Linkname: "../../x"}},
		`link "h" points out of the source, to "../x"`:      {{Typeflag: tar.TypeLink, Name: "h", Linkname: "../x"}},
		`entry "null" is neither`:                           {{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}},
		`entry "pipe" is neither`:                           {{Typeflag: tar.TypeFifo, Name: "pipe"}},
		`aorta.yml: is a link`:                              {{Typeflag: tar.TypeSymlink, Name: "aorta.yml", Linkname: "other"}},
		`more than 3 files`:                                 {one, one, one, one},
		`larger than 100b, at "big"`:                        {one, {Name: "big", Size: 100}},
		`source: is empty`:                                  {},
	}
	for want, headers := range cases {
		_, err := filterSource(bytes.NewReader(pack(t, headers...)), io.Discard, limits)

		if err == nil || !strings.Contains(err.Error(), want) || cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("got %v, want invalid with %q", err, want)
		}
	}
	whole := pack(t, tar.Header{Name: "Procfile", Size: maxDeclared + 1})
	if _, err := filterSource(bytes.NewReader(whole), io.Discard, DefaultLimits); err == nil || !strings.Contains(err.Error(), "Procfile") {
		t.Errorf("a huge Procfile: got %v", err)
	}
	if _, err := filterSource(bytes.NewReader(whole[:2000]), io.Discard, Limits{Entries: 9, Bytes: 1 << 30}); err == nil {
		t.Errorf("a cut source was let in")
	}
}

func FuzzFilterSource(f *testing.F) {
	f.Add(pack(f, tar.Header{Name: "Dockerfile", Size: 3}, tar.Header{Typeflag: tar.TypeSymlink, Name: "a/l", Linkname: "../b"}))
	f.Add(pack(f, tar.Header{Name: "../x", Size: 3}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		found, err := filterSource(bytes.NewReader(data), &out, Limits{Entries: 50, Bytes: 1 << 16})
		if err != nil {
			return
		}
		for _, f := range found.all() {
			if path.IsAbs(f.Path) || strings.HasPrefix(path.Clean(f.Path), "..") || f.At+f.Size > int64(out.Len()) {
				t.Errorf("let %+v in, with %d bytes of content", f, out.Len())
			}
		}
	})
}
