package transfer_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// TestListsAndJSON writes lists and JSON into a file and reads them back, and what a
// collection with Extra gathers.
func TestListsAndJSON(t *testing.T) {
	ctx := t.Context()
	db, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	schema := vecwire.Schema{Name: "docs", Dim: 2, Extra: "meta", Fields: []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "years", Type: vecwire.Ints}, {Name: "prices", Type: vecwire.Floats},
		{Name: "meta", Type: vecwire.JSON, Paths: []string{"a.b", "c"}},
		{Name: "until", Type: vecwire.Time, Index: true, Expires: true},
	}}
	docs, err := db.CreateCollection(ctx, schema)
	require.NoError(t, err)
	require.NoError(t, docs.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{
			"tags": []string{"a", "", "<&>\u2028\n"}, "years": []int64{1<<63 - 1, -5}, "prices": []float64{0.1, 1e300, 3, 1e22},
			"meta": map[string]any{"a": map[string]any{"b": json.Number("9007199254740993.50")}, "<": nil}, "more": true,
		}},
		vecwire.Record{ID: "2", Vector: []float32{1, 2}, Fields: vecwire.Fields{"tags": []string{}, "meta": []any{}}},
		vecwire.Record{ID: "3", Vector: []float32{1, 2}},
	))
	var file bytes.Buffer
	require.NoError(t, transfer.WriteSchema(&file, docs.Schema()))
	_, err = transfer.WriteJSONL(ctx, &file, docs, transfer.Options{})
	require.NoError(t, err)

	in := bufio.NewReader(&file)
	read, err := transfer.ReadSchema(in)
	require.NoError(t, err)
	require.Equal(t, docs.Schema(), read)
	read.Name = "again"
	again, err := db.CreateCollection(ctx, read)
	require.NoError(t, err)
	report, err := again.Ingest(ctx, transfer.ReadJSONL(in, read), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 3, report.Inserted)
	want, err := docs.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	got, err := again.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, want, got)

	lines := `{"id":"4","vector":[1,2],"fields":{"color":"red","size":{"w":1.50}}}` + "\n" + `{"id":"5","vector":[1,2],"fields":{"tags":["a",{}]}}` + "\n" +
		`{"id":"6","vector":[1,2],"fields":{"years":[1.5]}}` + "\n" + `{"id":"7","vector":[1,2],"fields":{"tags":"a"}}` + "\n" + `{"id":"8","vector":[1,2],"fields":{"x":1,"x":2}}`
	report, err = again.Ingest(ctx, transfer.ReadJSONL(strings.NewReader(lines), read), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Inserted)
	require.EqualValues(t, 4, report.Failed)
	got, err = again.Get(ctx, "4")
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"meta": map[string]any{"color": "red", "size": map[string]any{"w": json.Number("1.50")}}}, got[0].Fields)
}
