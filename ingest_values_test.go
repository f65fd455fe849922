package vecwire_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// grudging is a value whose code does not write it as JSON.
type grudging struct{ panics bool }

func (g grudging) MarshalJSON() ([]byte, error) {
	if g.panics {
		panic("boom")
	}
	return nil, errors.New("not now")
}

// TestIngestValues has values whose code fails or panics when they are written as JSON:
// each costs its own record, and no other.
func TestIngestValues(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2, Extra: "more", Fields: []vecwire.Field{{Name: "meta", Type: vecwire.JSON}, {Name: "more", Type: vecwire.JSON}}})
	require.NoError(t, err)
	report, err := c.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
		v := []float32{1, 2}
		_ = yield(vecwire.Record{ID: "a", Vector: v}, nil) &&
			yield(vecwire.Record{ID: "panics", Vector: v, Fields: vecwire.Fields{"meta": map[string]any{"value": grudging{true}}}}, nil) &&
			yield(vecwire.Record{ID: "fails", Vector: v, Fields: vecwire.Fields{"meta": []any{grudging{}}}}, nil) &&
			yield(vecwire.Record{ID: "panics gathered", Vector: v, Fields: vecwire.Fields{"other": grudging{true}}}, nil) &&
			yield(vecwire.Record{ID: "b", Vector: v}, nil)
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Inserted)
	want := map[string]string{"panics": "the code of a value panicked in", "fails": "not now", "panics gathered": "boom"}
	require.Len(t, report.Failures, len(want))
	for _, f := range report.Failures {
		require.ErrorContains(t, f.Err, want[f.ID], f.ID)
	}
	got, err := c.Get(t.Context(), "a", "panics", "b")
	require.NoError(t, err)
	require.Len(t, got, 2)
}
