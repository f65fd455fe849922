package local

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// What SQLite would work on for the square of its length must not reach it: many
// equalities become one list, and what is left hides its values.
func TestLargeFiltersAreWrittenForSQLite(t *testing.T) {
	equal, other, prefixes := make([]filter.Filter, 1000), make([]filter.Filter, 1000), make([]filter.Filter, 1000)
	for i := range equal {
		equal[i], other[i], prefixes[i] = filter.Eq("a", int64(i)), filter.Ne("a", int64(i)), filter.Prefix("b", "x")
	}
	where, args := compile(&engine.Schema{}, filter.Or(append(equal, filter.In("b", "x", "y"), filter.Eq("c", true))...))
	require.Equal(t, 3, strings.Count(where, `r."`), "%.100s…", where)
	require.Len(t, args, 1003)
	require.Equal(t, int64(1), args[1002])

	where, args = compile(&engine.Schema{}, filter.And(append(other, filter.Eq("a", int64(1)))...))
	require.Equal(t, 2, strings.Count(where, `r."`), "%.100s…", where)
	require.Len(t, args, 1001)

	where, args = compile(&engine.Schema{}, filter.Or(prefixes...))
	require.Len(t, args, 2000)
	require.Equal(t, 2000, strings.Count(where, "coalesce(?, random())"))
	require.Equal(t, 2000, strings.Count(where, "?"))

	where, _ = compile(&engine.Schema{}, filter.Or(prefixes[:50]...))
	require.NotContains(t, where, "random", "a small filter may use an index")
}
