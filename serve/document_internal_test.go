package serve

import (
	"encoding/json"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// Document is the OpenAPI document of a handler, for tests outside of the package.
func Document(db *vecwire.DB, o Options) (doc map[string]any) {
	b, err := json.Marshal(document(routes(o.Limits.withDefaults(), db.Capabilities()), o.Version, len(o.Tokens) > 0))
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		panic(err)
	}
	return doc
}

// TestStatusesAreDocumented reads which problems the package makes, and looks for their
// statuses in the document.
func TestStatusesAreDocumented(t *testing.T) {
	statuses := map[int]bool{}
	all := routes(Limits{}.withDefaults(), vecwire.Capabilities{})
	for i := range all {
		for _, status := range all[i].refusals(true) {
			statuses[status] = true
		}
	}
	for status := range statuses {
		require.NotEmpty(t, refused[status], "%d", status)
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(statuses)), slices.Collect(maps.Keys(refused)))

	byName := map[string]int{"statusClientClosed": statusClientClosed}
	for status := 100; status < 600; status++ {
		if text := http.StatusText(status); text != "" {
			byName["Status"+strings.NewReplacer(" ", "", "-", "", "'", "").Replace(text)] = status
		}
	}
	undocumented := []int{
		http.StatusMethodNotAllowed, // of what is no operation
		statusClientClosed,          // of what nobody reads
	}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := goparser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			made, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := made.Fun.(*ast.Ident); !ok || f.Name != "newProblem" {
				return true
			}
			var name string
			switch status := made.Args[0].(type) {
			case *ast.SelectorExpr:
				name = status.Sel.Name
			case *ast.Ident:
				name = status.Name
			}
			status := byName[name]
			require.NotZero(t, status, "%s: newProblem wants the status by its constant, got %s", file.Name(), name)
			require.True(t, statuses[status] || slices.Contains(undocumented, status), "%s: a problem of status %d, which no operation of the document has: see refusals", file.Name(), status)
			seen++
			return true
		})
	}
	require.Greater(t, seen, 30)
}
