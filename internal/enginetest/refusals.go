package enginetest

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// refusals: a record that cannot be stored is refused with an error that names
// it and what is wrong, and the whole call with it.
func (s *suite) refusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	before := vecwire.Record{ID: "kept", Vector: []float32{1, 2}, Text: "as it was", Fields: vecwire.Fields{"i": 1}}
	m := newModel(c.Schema(), before)
	require.NoError(t, c.Upsert(ctx, before))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	ok := []float32{1, 2}

	wrongValue := func(field string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, field, e.Field)
		}
	}
	wrongDim := func(got int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var e *vecwire.DimensionError
			require.ErrorAs(t, err, &e)
			require.Equal(t, vecwire.DimensionError{Want: 2, Got: got}, *e)
		}
	}
	for _, tt := range []struct {
		what   string
		record vecwire.Record
		check  func(*testing.T, error)
	}{
		{"an empty ID", vecwire.Record{Vector: ok}, wrongValue("id")},
		{"NUL in the ID", vecwire.Record{ID: "a\x00b", Vector: ok}, wrongValue("id")},
		{"invalid UTF-8 in the ID", vecwire.Record{ID: "a\xff", Vector: ok}, wrongValue("id")},
		{"half of a surrogate pair in the ID", vecwire.Record{ID: "a\xed\xa0\x80", Vector: ok}, wrongValue("id")},
		{"a long ID", vecwire.Record{ID: strings.Repeat("x", s.caps.MaxIDBytes+1), Vector: ok}, wrongValue("id")},
		{"an ID long in bytes only", vecwire.Record{ID: strings.Repeat("é", s.caps.MaxIDBytes/2+1), Vector: ok}, wrongValue("id")},
		{"NUL in the text", vecwire.Record{ID: "x", Vector: ok, Text: "\x00"}, wrongValue("text")},
		{"invalid UTF-8 in the text", vecwire.Record{ID: "x", Vector: ok, Text: "\xc3\x28"}, wrongValue("text")},
		{"NUL in a String", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"s": "a\x00"}}, wrongValue("s")},
		{"invalid UTF-8 in a String", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"si": "\xff"}}, wrongValue("si")},
		{"a String for an Int", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"i": "2020"}}, wrongValue("i")},
		{"a fraction for an Int", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"ii": 1.5}}, wrongValue("ii")},
		{"too large for an Int", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"i": uint64(math.MaxUint64)}}, wrongValue("i")},
		{"NaN for a Float", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"f": math.NaN()}}, wrongValue("f")},
		{"infinity for a Float", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"f": math.Inf(-1)}}, wrongValue("f")},
		{"an Int for a Bool", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"b": 1}}, wrongValue("b")},
		{"a String for Bytes", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"y": "x"}}, wrongValue("y")},
		{"text that is no Time", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"t": "soon"}}, wrongValue("t")},
		{"an unknown field", vecwire.Record{ID: "x", Vector: ok, Fields: vecwire.Fields{"S": "case counts"}}, func(t *testing.T, err error) {
			var e *vecwire.SchemaError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "S", e.Field)
		}},
		{"no vector", vecwire.Record{ID: "x"}, wrongDim(0)},
		{"a short vector", vecwire.Record{ID: "x", Vector: []float32{1}}, wrongDim(1)},
		{"a long vector", vecwire.Record{ID: "x", Vector: []float32{1, 2, 3}}, wrongDim(3)},
		{"NaN", vecwire.Record{ID: "x", Vector: []float32{1, nan}}, wrongValue("vector")},
		{"infinity", vecwire.Record{ID: "x", Vector: []float32{inf, 1}}, wrongValue("vector")},
		{"zeros under cosine", vecwire.Record{ID: "x", Vector: []float32{0, float32(math.Copysign(0, -1))}}, wrongValue("vector")},
		{"DOUBLE for FLOAT", vecwire.Record{ID: "x", Vector64: []float64{1, 2}}, func(t *testing.T, err error) {
			var e *vecwire.ElementError
			require.ErrorAs(t, err, &e)
			require.Equal(t, vecwire.ElementError{Want: vecwire.FLOAT, Got: vecwire.DOUBLE}, *e)
		}},
		{"two vectors", vecwire.Record{ID: "x", Vector: ok, Vector64: []float64{1, 2}}, wrongValue("vector")},
	} {
		run(t, tt.what, func(t *testing.T) {
			good := vecwire.Record{ID: "good", Vector: ok}
			replaced := vecwire.Record{ID: "kept", Vector: []float32{9, 9}}
			err := c.Upsert(ctx, good, tt.record, replaced)
			tt.check(t, err)
			var record *vecwire.RecordError
			require.ErrorAs(t, err, &record)
			require.Equal(t, 1, record.Index, "its place in the call")
			require.Equal(t, tt.record.ID, record.ID)
			var batch *vecwire.BatchError
			require.ErrorAs(t, err, &batch)
			require.Len(t, batch.Failed, 1)
			require.Equal(t, 3, batch.Total)
		})
	}
	run(t, "nothing was stored", func(t *testing.T) { m.expectAll(t, c) })

	run(t, "every bad record is listed", func(t *testing.T) {
		bad := []float32{1, 2, 3}
		err := c.Upsert(ctx, vecwire.Record{ID: "a", Vector: ok}, vecwire.Record{ID: "b", Vector: bad}, vecwire.Record{ID: "c", Vector: ok},
			vecwire.Record{ID: "", Vector: ok}, vecwire.Record{ID: "kept", Vector: bad}, vecwire.Record{ID: "b", Vector: ok})
		var e *vecwire.BatchError
		require.ErrorAs(t, err, &e)
		require.Equal(t, 6, e.Total)
		var where []int
		for _, f := range e.Failed {
			where = append(where, f.Index)
		}
		require.Equal(t, []int{1, 3, 4}, where)
		m.expectAll(t, c)
	})

	run(t, "queries", func(t *testing.T) {
		for _, tt := range []struct {
			what  string
			query vecwire.Query
			check func(*testing.T, error)
		}{
			{"no vector", vecwire.Query{}, wrongDim(0)},
			{"a short vector", vecwire.Query{Vector: []float32{1}}, wrongDim(1)},
			{"a long vector", vecwire.Query{Vector: []float32{1, 2, 3}}, wrongDim(3)},
			{"NaN", vecwire.Query{Vector: []float32{1, nan}}, wrongValue("vector")},
			{"infinity", vecwire.Query{Vector: []float32{1, -inf}}, wrongValue("vector")},
			{"zeros under cosine", vecwire.Query{Vector: []float32{0, 0}}, wrongValue("vector")},
			{"DOUBLE for FLOAT", vecwire.Query{Vector64: []float64{1, 2}}, func(t *testing.T, err error) {
				var e *vecwire.ElementError
				require.ErrorAs(t, err, &e)
			}},
			{"two vectors", vecwire.Query{Vector: ok, Vector64: []float64{1, 2}}, wrongValue("vector")},
			{"a negative K", vecwire.Query{Vector: ok, K: -1}, wrongValue("K")},
			{"a filter over an unknown field", vecwire.Query{Vector: ok, Filter: filter.Eq("nope", 1)}, func(t *testing.T, err error) {
				var e *vecwire.FilterError
				require.ErrorAs(t, err, &e)
				require.Equal(t, "nope", e.Field)
			}},
		} {
			run(t, tt.what, func(t *testing.T) {
				_, err := c.Search(ctx, tt.query)
				tt.check(t, err)
				_, err = c.SearchMany(ctx, []vecwire.Query{{Vector: ok}, tt.query})
				tt.check(t, err)
				require.ErrorContains(t, err, "query 1", "which query it was")
			})
		}
	})

	run(t, "zeros under dot and l2", func(t *testing.T) {
		metrics := []vecwire.Metric{vecwire.Dot}
		if s.caps.L2 {
			metrics = append(metrics, vecwire.L2)
		}
		for _, metric := range metrics {
			c := s.create(t, vecwire.Schema{Dim: 2, Metric: metric})
			m := newModel(c.Schema(), vecwire.Record{ID: "zero", Vector: []float32{0, 0}}, vecwire.Record{ID: "one", Vector: []float32{1, 0}})
			require.NoError(t, c.Upsert(ctx, m.all()...))
			m.expectAll(t, c)
			m.expectSearch(t, c, vecwire.Query{Vector: []float32{0, 0}})
			m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 1}})
		}
	})
}
