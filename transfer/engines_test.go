package transfer_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/transfer"
)

// TestJSONLThroughEngines writes all that records may have to a file, brings it through one
// engine after the other, and compares the files byte by byte.
func TestJSONLThroughEngines(t *testing.T) {
	ctx := t.Context()
	s := vecwire.Schema{Name: "docs", Dim: 2, Metric: vecwire.L2, Model: "m", FullText: vecwire.Stem("de"), Extra: "more", MaxRecords: 1000,
		Fields: []vecwire.Field{{Name: "s", Index: true}, {Name: "i", Type: vecwire.Int, Index: true}, {Name: "f", Type: vecwire.Float}, {Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
			{Name: "ss", Type: vecwire.Strings, Index: true}, {Name: "ii", Type: vecwire.Ints}, {Name: "ff", Type: vecwire.Floats}, {Name: "more", Type: vecwire.JSON, Paths: []string{"a.b"}}, {Name: "until", Type: vecwire.Time, Expires: true, Index: true}},
		Vectors: []vecwire.VectorField{{Name: "title", Dim: 3, Model: "n", Source: "s"}}}
	a := open(t, "mem:")
	c, err := a.CreateCollection(ctx, s)
	require.NoError(t, err)
	until := time.Now().Add(1000 * time.Hour).UTC().Truncate(time.Microsecond)
	require.NoError(t, c.Upsert(ctx,
		vecwire.Record{ID: "a/ü \u2028<&>", Vector: []float32{0.1, -1e-30}, Text: "Straße <b>&\u2028 🎉 e\u0301", Vectors: map[string][]float32{"title": {1, 2, 3}}, Fields: vecwire.Fields{
			"s": "", "i": int64(-9223372036854775808), "f": 5e-324, "b": false, "t": time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), "y": []byte{}, "ss": []string{"", "NULL", "a,\"b\\"}, "ii": []int64{}, "ff": []float64{math.Copysign(0, -1), 1e308},
			"color": "red", "until": until}},
		vecwire.Record{ID: "b", Vector: []float32{0, 0}, Fields: vecwire.Fields{"i": int64(9223372036854775807), "y": []byte{0, 255}, "more": map[string]any{"a": map[string]any{"b": json.Number("12345678901234567890.123"), "c.d": nil}, "": []any{}, "z": json.Number("1.10")}}},
		vecwire.Record{ID: "c", Vector: []float32{3, 4}, Text: "x", Fields: vecwire.Fields{"more": map[string]any{}, "ss": []string{}, "f": -1.5}},
	))
	file := func(c *vecwire.Collection) string {
		var out bytes.Buffer
		require.NoError(t, transfer.WriteSchema(&out, c.Schema()))
		_, err := transfer.WriteJSONL(ctx, &out, c, transfer.Options{})
		require.NoError(t, err)
		return out.String()
	}
	jsonl := file(c)
	for _, url := range []string{"mem:", testenv.Postgres(t), filepath.Join(t.TempDir(), "x.db")} {
		db := open(t, url)
		in := bufio.NewReader(strings.NewReader(jsonl))
		sc, err := transfer.ReadSchema(in)
		require.NoError(t, err)
		require.Equal(t, s, sc)
		c, err := db.CreateCollection(ctx, sc)
		require.NoError(t, err)
		report, err := c.Ingest(ctx, transfer.ReadJSONL(in, sc), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 3, report.Inserted)
		require.Equal(t, jsonl, file(c), url)
	}
}
