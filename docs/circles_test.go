package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostInCircle is how many files of the root may need each other. More of them could
// only be understood as one.
const mostInCircle = 8

// TestFilesOfTheRoot looks for circles of files that use what the others declare.
func TestFilesOfTheRoot(t *testing.T) {
	fset := token.NewFileSet()
	paths, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "noservers.go" { // of another build
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importsOf(t, fset, module)}
	root, err := conf.Check(module, fset, files, info)
	require.NoError(t, err)

	uses := map[string]map[string]bool{}
	for id, o := range info.Uses {
		if o.Pkg() != root {
			continue
		}
		from, to := fset.Position(id.Pos()).Filename, fset.Position(o.Pos()).Filename
		if uses[from] == nil {
			uses[from] = map[string]bool{}
		}
		uses[from][to] = true
	}
	reach := map[string]map[string]bool{}
	for from := range uses {
		reach[from] = map[string]bool{}
		for next := []string{from}; len(next) > 0; next = next[1:] {
			for to := range uses[next[0]] {
				if !reach[from][to] {
					reach[from][to] = true
					next = append(next, to)
				}
			}
		}
	}
	for from := range reach {
		var circle []string
		for to := range reach[from] {
			if reach[to][from] {
				circle = append(circle, filepath.Base(to))
			}
		}
		slices.Sort(circle)
		require.LessOrEqual(t, len(circle), mostInCircle, "files that need each other: %v", circle)
	}
}
