// Package docs holds what the documents say about the API against the API: their
// Go code is type-checked, and every name of it in a document, and in a text that
// the code makes, must exist.
package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

const module = "github.com/vecwire/vecwire"

// documents returns the README and the pages of docs, by their path from here.
func documents(t *testing.T) map[string]string {
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md", "../AGENTS.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		texts[page] = string(text)
	}
	return texts
}

// block is the Go code between two fences.
type block struct {
	page string
	line int // of its first line of code
	code string
}

var fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

func blocks(t *testing.T) (all []block) {
	for page, text := range documents(t) {
		for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
			all = append(all, block{page, 1 + strings.Count(text[:at[2]], "\n"), text[at[2]:at[3]]})
		}
	}
	return all
}

// nested are the modules in this one whose packages documents import, by their
// folders.
var nested = []string{"otel", "embed/transform", "embed/builtin", "adapters/chromem", "adapters/langchaingo"}

// moduleOf returns the folder of the module that a package of ours is in.
func moduleOf(path string) string {
	for _, dir := range nested {
		if path == module+"/"+dir || strings.HasPrefix(path, module+"/"+dir+"/") {
			return dir
		}
	}
	return "."
}

// importsOf returns what reads the compiled packages of the paths, and all that
// those import. What two modules import is taken from the root module.
func importsOf(t *testing.T, fset *token.FileSet, paths ...string) types.Importer {
	byModule := map[string][]string{}
	for _, path := range paths {
		dir := moduleOf(path)
		byModule[dir] = append(byModule[dir], path)
	}
	compiled := map[string]string{}
	for _, dir := range append([]string{"."}, nested...) {
		if byModule[dir] == nil {
			continue
		}
		args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, byModule[dir]...)
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = filepath.Join("..", filepath.FromSlash(dir))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "go list in %s: %s", dir, &stderr)
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var pkg struct{ ImportPath, Export string }
			if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if compiled[pkg.ImportPath] == "" {
				compiled[pkg.ImportPath] = pkg.Export
			}
		}
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if compiled[path] == "" {
			return nil, fmt.Errorf("%s was not compiled", path)
		}
		return os.Open(compiled[path])
	})
}

// prelude declares what the blocks of documents take as given, such as ctx and docs.
const prelude = "testdata/prelude.go"

var importLine = regexp.MustCompile(`(?m)^import (\(\n(?:.*\n)*?\)|.*)\n`)

// file returns a block as the text of a file. One that is not a file of its own is
// the body of a function, after its imports, in a package with the prelude. It may
// leave out the imports of this module's packages and of common ones.
func (b block) file() string {
	if strings.HasPrefix(b.code, "package ") {
		return b.code
	}
	imports := strings.Join(importLine.FindAllString(b.code, -1), "")
	// The code keeps its lines, so that errors name them.
	code := importLine.ReplaceAllStringFunc(b.code, func(lines string) string {
		return strings.Repeat("\n", strings.Count(lines, "\n"))
	})
	return fmt.Sprintf("package prelude\n%s\nfunc _() error {\n//line %s:%d\n%s\nreturn nil\n}\n", imports, b.page, b.line, code)
}

// TestGoCodeInDocuments type-checks every block of Go code. A block is a whole file,
// or the body of a function in which the names of testdata/prelude.go are known.
// Variables may be unused there, and set by := once more.
func TestGoCodeInDocuments(t *testing.T) {
	given, err := os.ReadFile(prelude)
	require.NoError(t, err)
	parsed, err := parser.ParseFile(token.NewFileSet(), prelude, given, parser.ImportsOnly)
	require.NoError(t, err)
	known := map[string]string{"pgx": "github.com/jackc/pgx/v5", "pgxpool": "github.com/jackc/pgx/v5/pgxpool"} // by the package's name
	for _, path := range append(publicPackages(t), "bufio", "context", "fmt", "log", "log/slog", "os", "strings", "time") {
		known[path[strings.LastIndex(path, "/")+1:]] = path
	}
	type source struct {
		block
		text string
	}
	var sources []source
	var imports []string
	for _, b := range blocks(t) {
		text := b.file()
		if strings.HasPrefix(text, "package prelude\n") {
			for name, path := range known {
				if regexp.MustCompile(`\b`+name+`\.[A-Z]`).MatchString(b.code) && !strings.Contains(text, strconv.Quote(path)) {
					text = strings.Replace(text, "package prelude\n", "package prelude\nimport "+strconv.Quote(path)+"\n", 1)
				}
			}
		}
		f, err := parser.ParseFile(token.NewFileSet(), b.page, text, parser.ImportsOnly)
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			continue
		}
		var paths []string
		for _, spec := range append(f.Imports, parsed.Imports...) {
			path, _ := strconv.Unquote(spec.Path.Value)
			paths = append(paths, path)
		}
		if testing.Short() && slices.ContainsFunc(paths, func(path string) bool { return moduleOf(path) != "." }) {
			continue // it would compile another module
		}
		sources, imports = append(sources, source{b, text}), append(imports, paths...)
	}
	require.NotEmpty(t, sources)
	slices.Sort(imports)
	fset := token.NewFileSet()
	from := importsOf(t, fset, slices.Compact(imports)...)
	for _, s := range sources {
		f, err := parser.ParseFile(fset, "block", s.text, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s:%d: %v", s.page, s.line, err)
			continue
		}
		files := []*ast.File{f}
		if f.Name.Name == "prelude" {
			p, err := parser.ParseFile(fset, prelude, given, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, p)
		}
		conf := types.Config{Importer: from, Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && !e.Soft { // soft: unused, or no new variable on the left of :=
				t.Error(err)
			}
		}}
		_, _ = conf.Check(f.Name.Name, fset, files, nil) // told to Error
	}
}

// api is what a name in a text can mean.
type api struct {
	packages map[string]*types.Package // of this module, public, by name
	types    map[string][]types.Type   // exported, by name, of all of them
}

// variables are how texts call a value: "call db.Reembed".
var variables = map[string]string{"db": "DB", "docs": "Collection", "collection": "Collection", "mirror": "Mirror"}

// publicPackages returns the import paths of what users can import of the root
// module.
func publicPackages(t *testing.T) (paths []string) {
	out, err := exec.CommandContext(t.Context(), "go", "list", module+"/...").Output()
	require.NoError(t, err)
	for path := range strings.FieldsSeq(string(out)) {
		if rest := strings.TrimPrefix(path, module); !strings.Contains(rest, "/internal/") && !strings.HasPrefix(rest, "/examples/") &&
			rest != "/docs" && !strings.HasPrefix(rest, "/cmd/") {
			paths = append(paths, path)
		}
	}
	return paths
}

func publicAPI(t *testing.T) api {
	paths := publicPackages(t)
	from := importsOf(t, token.NewFileSet(), paths...)
	a := api{map[string]*types.Package{}, map[string][]types.Type{}}
	for _, path := range paths {
		pkg, err := from.Import(path)
		require.NoError(t, err)
		a.packages[pkg.Name()] = pkg
		for _, name := range pkg.Scope().Names() {
			if object, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && object.Exported() {
				a.types[name] = append(a.types[name], object.Type())
			}
		}
	}
	return a
}

var (
	// chain is a name with a point and a capital after it, as in Config.Server.MaxConns
	// or Capabilities().Effort.
	chain = regexp.MustCompile(`(?:^|[^A-Za-z0-9_./])[A-Za-z][A-Za-z0-9]*(?:\(\))?(?:\.[A-Z][A-Za-z0-9]*(?:\(\))?)+`)
	// foreign are packages and types of others that texts name.
	foreign = []string{
		"bytes", "context", "errors", "fmt", "http", "io", "json", "log", "math", "os", "pgconn", "pgx", "pgxpool", "slog", "sql", "strings",
		"sync", "testing", "time", "trace", "metric", "otelvecwire", "transform", "builtin", "chromem", "langchaingo", "vectorstores", "river", "contest", "DBAPI", "SYS", "C",
	}
)

// check returns what is wrong with a chain, or "".
func (a api) check(name string) string {
	name = strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) // what stands before it
	parts := strings.Split(strings.ReplaceAll(name, "()", ""), ".")
	if pkg := a.packages[parts[0]]; pkg != nil {
		object := pkg.Scope().Lookup(parts[1])
		if object == nil {
			return fmt.Sprintf("package %s has no %s", parts[0], parts[1])
		}
		return a.follow([]types.Type{object.Type()}, parts[1:])
	}
	start := parts[0]
	if is, ok := variables[start]; ok {
		start = is
	}
	if at := a.types[start]; at != nil {
		return a.follow(at, append([]string{start}, parts[1:]...))
	}
	for _, from := range []string{"Collection", "DB", "Mirror"} { // Capabilities().Effort
		for _, at := range a.types[from] {
			if object, _, _ := types.LookupFieldOrMethod(at, true, nil, start); object != nil {
				return a.follow([]types.Type{object.Type()}, append([]string{start}, parts[1:]...))
			}
		}
	}
	if slices.Contains(foreign, start) || start[0] >= 'a' {
		return "" // not a name of ours
	}
	return "no public package has a type " + start
}

// follow looks up the parts after the first one after another, from any of the types.
func (a api) follow(at []types.Type, parts []string) string {
	for i, part := range parts[1:] {
		var next []types.Type
		for _, t := range at {
			if f, ok := t.(*types.Signature); ok && f.Results().Len() > 0 {
				t = f.Results().At(0).Type()
			}
			if object, _, _ := types.LookupFieldOrMethod(t, true, nil, part); object != nil {
				next = append(next, object.Type())
			}
		}
		if next == nil {
			return fmt.Sprintf("%s has no field and no method %s", parts[i], part)
		}
		at = next
	}
	return ""
}

// TestNamesInDocuments looks up what stands between backticks and looks like a name
// of the API.
func TestNamesInDocuments(t *testing.T) {
	a := publicAPI(t)
	code := regexp.MustCompile("`[^`\n]+`")
	found := 0
	for page, text := range documents(t) {
		text = fence.ReplaceAllStringFunc(text, func(lines string) string { return strings.Repeat("\n", strings.Count(lines, "\n")) })
		for _, at := range code.FindAllStringIndex(text, -1) {
			for _, name := range chain.FindAllString(text[at[0]:at[1]], -1) {
				found++
				if wrong := a.check(name); wrong != "" {
					t.Errorf("%s:%d: %s: %s", page, 1+strings.Count(text[:at[0]], "\n"), name, wrong)
				}
			}
		}
	}
	require.NotZero(t, found)
}

// TestNamesInTexts looks up the names of the API in the string literals of all that
// is shipped: a remedy must name what exists.
func TestNamesInTexts(t *testing.T) {
	a := publicAPI(t)
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch filepath.ToSlash(path) {
			case "../bench", "../docs", "../internal/testenv", "../internal/enginetest", "../internal/simd", "../.git", "../embed/transform":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(literal.Value)
			for _, name := range chain.FindAllString(text, -1) {
				found++
				if wrong := a.check(name); wrong != "" {
					t.Errorf("%s: %s: %s", fset.Position(literal.Pos()), name, wrong)
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, found)
}
