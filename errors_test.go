package vecwire

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

func TestErrorTexts(t *testing.T) {
	record := func(id string, index int) RecordError {
		return RecordError{ID: id, Index: index, Err: &DimensionError{Want: 3, Got: 2}}
	}
	tests := []struct {
		err  error
		want string
	}{
		{&SchemaError{Collection: "docs", Msg: "Dim is 0, want 1 to 9"}, `schema of "docs": Dim is 0, want 1 to 9`},
		{&SchemaError{Collection: "docs", Field: "lang", Msg: "does not exist"}, `schema of "docs": field "lang" does not exist`},
		{&RecordError{ID: "a\nb", Index: 4, Err: ErrExists}, `record 4 (id "a\nb"): already exists`},
		{&BatchError{Total: 5, Failed: []RecordError{record("a", 1)}},
			`1 of 5 records refused, none stored: record 1 (id "a"): vector has 2 dimensions, want 3`},
		{&BatchError{Total: 9, Failed: []RecordError{record("a", 0), record("b", 1), record("c", 2), record("d", 3), record("e", 4)}},
			`5 of 9 records refused, none stored: record 0 (id "a"): vector has 2 dimensions, want 3; ` +
				`record 1 (id "b"): vector has 2 dimensions, want 3; record 2 (id "c"): vector has 2 dimensions, want 3; and 2 more`},
		{&ConnectError{Target: "v.db", Err: errors.New("is locked"), Remedy: "close the other program"}, `v.db: is locked (close the other program)`},
		{&ConnectError{Target: "v.db", Err: errors.New("is locked")}, `v.db: is locked`},
		{wrap("search", "docs", ErrClosed), `vecwire: search docs: database is closed`},
		{wrap("open", "", ErrNotFound), `vecwire: open: not found`},
		{engine.Unsupported("the metric L2", "tiny"), `not supported: the metric L2 by the tiny engine`},
	}
	for _, tt := range tests {
		require.EqualError(t, tt.err, tt.want)
	}
}

func TestErrorsAreFoundWithin(t *testing.T) {
	batch := &BatchError{Total: 3, Failed: []RecordError{
		{ID: "a", Index: 0, Err: &DimensionError{Want: 3, Got: 2}},
		{ID: "b", Index: 2, Err: &ValueError{Field: "vector", Pos: 1, Want: "a finite number", Got: "NaN"}},
	}}
	err := wrap("upsert into", "docs", batch)

	var record *RecordError
	require.ErrorAs(t, err, &record)
	require.Same(t, &batch.Failed[0], record, "the first of them")
	var dim *DimensionError
	require.ErrorAs(t, err, &dim)
	require.Equal(t, 3, dim.Want)
	var value *ValueError
	require.ErrorAs(t, err, &value, "also within the second record")
	require.Equal(t, "vector[1] is NaN, want a finite number", value.Error())
	var schema *SchemaError
	require.NotErrorAs(t, err, &schema)
	require.NotErrorIs(t, err, ErrNotFound)
}

func TestWrap(t *testing.T) {
	require.NoError(t, wrap("search", "docs", nil))
	require.ErrorIs(t, wrap("search", "docs", context.Canceled), context.Canceled)

	inner := errors.New("refused")
	err := wrap("open", "", &engine.ConnectError{Target: "db", Remedy: "start it", Err: inner})
	var e *ConnectError
	require.ErrorAs(t, err, &e, "an engine's error gets the type that users know")
	require.Equal(t, ConnectError{Target: "db", Remedy: "start it", Err: inner}, *e)
	require.ErrorIs(t, err, inner)
}

// TestWrapKnown: an error of a room below has the type that users know, wherever it
// stands, and its text and all that is around it stay.
func TestWrapKnown(t *testing.T) {
	below := &schema.Error{Collection: "docs", Field: "lang", Msg: "does not exist"}
	require.Equal(t, &SchemaError{Collection: "docs", Field: "lang", Msg: "does not exist"}, public(below))
	around := fmt.Errorf("query 1: %w: %w", ErrModelMismatch, below)
	for range 2 { // a verb may call a verb
		around = public(around)
		require.EqualError(t, around, `query 1: embedding model mismatch: schema of "docs": field "lang" does not exist`)
		require.ErrorIs(t, around, ErrModelMismatch)
		var e *SchemaError
		require.ErrorAs(t, around, &e)
		require.Equal(t, "lang", e.Field)
	}
}
