package vecwire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// newDocs returns an empty collection in memory.
func newDocs(t *testing.T, s Schema) *Collection {
	t.Helper()
	db, err := Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.Name = "docs"
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	return c
}

func TestPlanRecords(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "lang"}, {Name: "year", Type: Int}}})
	v := []float32{1, 2}

	plan, failed := c.planRecords([]Record{
		{ID: "a", Vector: v, Fields: Fields{"year": 1}}, {ID: "b", Vector: v}, {ID: "a", Vector: v, Fields: Fields{"lang": "go"}},
	})
	require.Empty(t, failed)
	require.Equal(t, []engine.Record{
		{ID: "b", Vector: engine.Vector{F32: v}, Fields: []any{nil, nil}}, {ID: "a", Vector: engine.Vector{F32: v}, Fields: []any{"go", nil}},
	}, plan, "the last record of an ID counts, and nothing of the first is left")

	_, failed = c.planRecords([]Record{{ID: "a"}, {ID: "a", Vector: v}})
	require.Len(t, failed, 1, "a bad record is refused even if a good one of its ID follows")
}

func TestUpsertErrorText(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "year", Type: Int}}})
	err := c.Upsert(t.Context(), Record{ID: "a", Vector: []float32{1, 2}},
		Record{ID: strings.Repeat("long", 100), Vector: []float32{1}}, Record{ID: "c", Vector: []float32{1, 2}, Fields: Fields{"year": "2020"}})
	require.EqualError(t, err, `vecwire: upsert into docs: 2 of 3 records refused, none stored: record 1 (id "`+strings.Repeat("long", 16)+
		`…"): vector has 1 dimensions, want 2; record 2 (id "c"): year is String "2020", want Int`)
}

// Which of a record's bad fields is named does not depend on the order of a map.
func TestRefusalIsTheSameEachTime(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "a", Type: Int}, {Name: "b", Type: Int}, {Name: "c", Type: Int}}})
	bad := Record{ID: "1", Vector: []float32{1, 2}, Fields: Fields{"a": "x", "b": "x", "c": "x", "nope": 1}}
	first := c.Upsert(t.Context(), bad).Error()
	for range 50 {
		require.EqualError(t, c.Upsert(t.Context(), bad), first)
	}
}

func TestDoubleTakesFloat32Exactly(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Element: DOUBLE})
	v, err := c.vector([]float32{0.1, 1e-45}, nil)
	require.NoError(t, err)
	require.Equal(t, engine.Vector{F64: []float64{float64(float32(0.1)), float64(float32(1e-45))}}, v)
}

func TestRecordOfAnEngine(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "lang"}, {Name: "year", Type: Int}}})
	require.Equal(t, Record{ID: "1", Text: "t", Fields: Fields{"year": int64(7)}}, c.record(engine.Record{ID: "1", Text: "t", Fields: []any{nil, int64(7)}}))
	require.Nil(t, c.record(engine.Record{ID: "1", Fields: []any{nil, nil}}).Fields, "no fields are nil fields")
}
