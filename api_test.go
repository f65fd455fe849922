package vecwire_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// needServer are the Examples that are compiled and not run.
var needServer = []string{"DB_AttachCollection", "OpenPool", "Config_OpenPool", "WithPgxTx"}

// TestEveryVerbHasAnExample finds exported functions and methods that no Example shows,
// and Examples that nothing runs. Methods that implement error and fmt.Stringer need
// none.
func TestEveryVerbHasAnExample(t *testing.T) {
	for _, dir := range []string{".", "typed"} {
		pkg := docOf(t, dir)
		check := func(name string, examples []*doc.Example) {
			if len(examples) == 0 {
				t.Errorf("%s: %s has no Example", pkg.ImportPath, name)
			}
			for _, e := range examples {
				if e.Output == "" && !e.EmptyOutput && !slices.Contains(needServer, e.Name) {
					t.Errorf("%s: Example%s has no output, and so is never run", pkg.ImportPath, e.Name)
				}
			}
		}
		for _, f := range pkg.Funcs {
			check(f.Name, f.Examples)
		}
		for _, typ := range pkg.Types {
			for _, f := range typ.Funcs {
				check(f.Name, f.Examples)
			}
			for _, m := range typ.Methods {
				switch m.Name {
				case "Error", "Unwrap", "Is", "String":
				default:
					check(typ.Name+"."+m.Name, m.Examples)
				}
			}
		}
	}
}

// docOf reads the documentation of the package in a folder, with the Examples of its
// tests.
func docOf(t *testing.T, dir string) *doc.Package {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, filepath.ToSlash(filepath.Join("github.com/vecwire/vecwire", dir)))
	require.NoError(t, err)
	return pkg
}
