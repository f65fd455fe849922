package parquet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// TestGatherNameOfField reads a file in which one column is for a field of another name,
// and one has the field's own name: that is gathered, and never the field's value.
func TestGatherNameOfField(t *testing.T) {
	s := vecwire.Schema{Name: "docs", Dim: 2, Extra: "more", Fields: []vecwire.Field{{Name: "cat"}, {Name: "body", Type: vecwire.Int}, {Name: "more", Type: vecwire.JSON}}}
	names := transfer.Names{ID: "doc_id", Vector: "embedding", Fields: map[string]string{"cat": "body", "body": "year"}}
	got, errs := read(fixture(t, "pyarrow.base64"), s, names)
	require.Len(t, errs, 1, "a list with a null in it")
	require.Equal(t, "t", got[0].Fields["cat"])
	require.Equal(t, int64(2009), got[0].Fields["body"])
	require.Equal(t, map[string]any{"cat": "x"}, got[0].Fields["more"])
	require.Equal(t, map[string]any{"cat": "x"}, got[1].Fields["more"])

	s.Extra, names.Fields["json"] = "json", "json"
	s.Fields[2].Name = "json"
	got, errs = read(fixture(t, "pyarrow.base64"), s, names)
	require.Len(t, errs, 1)
	require.Contains(t, got[0].Fields["json"], "a")
	require.Contains(t, got[0].Fields["json"], "cat", "beside what the file has for the field itself")
}
