package transfer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// Vectors that are read while their line is checked are those that are read afterwards.
func TestLongLists(t *testing.T) {
	list := func(n int, sep string) string { return "[" + strings.Repeat("0.12345678"+sep, n-1) + "-3e-2]" }
	schema := vecwire.Schema{Name: "docs", Dim: 60, Vectors: []vecwire.VectorField{{Name: "title", Dim: 50}}, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Ints}}}
	whole := strings.Repeat("1,", 60)
	for _, line := range []string{
		`{"id":"1","vector":` + list(60, ",") + `}`,
		`{"vector" : ` + list(60, ", ") + ` , "id":"1","vectors":{"title":` + list(50, ",") + `}}`,
		`{"id":"1","vectors":{"title":` + list(50, ",") + `},"text":"` + list(60, ",") + `","vector":` + list(60, ",") + `}`,
		`{"id":"1","text":"` + list(60, ",") + list(60, ",") + list(60, ",") + `","vector":` + list(60, ",") + `}`,
		`{"id":"1","fields":{"n":[` + whole + `2]},"vector":` + list(60, ",") + `}`,
		`{"id":"1","fields":{"n":[` + whole + `2]},"vector":` + list(60, ",") + `,"vectors":{"title":` + list(50, ",") + `}}`,
		`{"id":` + list(60, ",") + `}`,
		`{"id":"1","text":` + list(60, ",") + `}`,
		`{"id":"1","vector":[` + whole + `01]}`,
		`{"id":"1","vector":[` + whole + `+1]}`,
		`{"id":"1","vector":[` + whole + `1e99]}`,
		`{"id":"1","vector":[` + whole + `"1"]}`,
		`{"id":"1","vector":[` + whole + `1]`,
		`{"id":"1","vector":` + list(60, ",") + `,"vector":` + list(60, ",") + `}`,
	} {
		d := newDecoder(strings.NewReader(""), schema)
		r, err := d.record([]byte(line))
		later := newDecoder(strings.NewReader(""), schema)
		later.lists.schema.Element = vecwire.DOUBLE // takes none down
		want, wantErr := later.record([]byte(line))
		require.Equal(t, want, r, line)
		require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), line)
		require.Empty(t, later.lists.all)
	}
}
