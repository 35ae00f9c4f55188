package wire

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/shapes.txt anew")

const golden = "testdata/shapes.txt"

// shapes lists every field of every struct of the package, as JSON has it.
func shapes(tb testing.TB) string {
	tb.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		tb.Fatal(err)
	}
	var out strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			tb.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool { return list(tb, &out, n) })
	}
	return out.String()
}

// list writes the fields of a struct's declaration; it asks to go on into
// everything else.
func list(tb testing.TB, out io.Writer, n ast.Node) bool {
	tb.Helper()
	spec, is := n.(*ast.TypeSpec)
	if !is {
		return true
	}
	for _, field := range spec.Type.(*ast.StructType).Fields.List {
		fmt.Fprintf(out, "%s.%s %s\n", spec.Name, fieldName(tb, field), types.ExprString(field.Type))
	}
	return false
}

// fieldName is the tag of a field for JSON; what is embedded has none.
func fieldName(tb testing.TB, field *ast.Field) string {
	tb.Helper()
	if len(field.Names) == 0 {
		return "*"
	}
	tag := ""
	if field.Tag != nil {
		tag, _ = strconv.Unquote(field.Tag.Value)
	}
	name := reflect.StructTag(tag).Get("json")
	if name == "" || strings.HasPrefix(name, ",") {
		tb.Errorf("%s has no name for JSON", field.Names[0])
	}
	return name
}

// What is here is read by programs of other versions: a field may come, none may
// change or go.
func TestShapes_KeepTheirNamesAndTypes(t *testing.T) {
	got := shapes(t)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("shapes changed (if that is meant: go test ./web/wire -update): - before + now\n%s", diff)
	}
	if n := strings.Count(got, "\n"); n < 200 {
		t.Errorf("got %d fields, want all of them", n)
	}
}
