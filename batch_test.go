package vecwire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

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

func TestRecordOfAnEngine(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "lang"}, {Name: "year", Type: Int}}})
	require.Equal(t, Record{ID: "1", Text: "t", Fields: Fields{"year": int64(7)}}, c.record(engine.Record{ID: "1", Text: "t", Fields: []any{nil, int64(7)}}))
	require.Nil(t, c.record(engine.Record{ID: "1", Fields: []any{nil, nil}}).Fields, "no fields are nil fields")
}
