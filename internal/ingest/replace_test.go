package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
)

// set is the records with n = 1.
func set(t *testing.T) filter.Filter {
	f, err := filter.Eq("n", 1).Check(func(string) (filter.Type, bool) { return filter.Int, true })
	require.NoError(t, err)
	return f
}

// Records become the only ones of a set, with exact counts, also if the change is
// made a second time.
func TestReplacement(t *testing.T) {
	ctx, c := t.Context(), newCollection(t)
	require.NoError(t, ingest.New(options(c)).Run(ctx, input([]doc{
		{id: "same", text: "x", n: 1}, {id: "own", text: "x", n: 1, vector: []float32{3, 4}}, {id: "changed", text: "old", n: 1},
		{id: "gone", text: "x", n: 1}, {id: "gone too", text: "x", n: 1}, {id: "of another", text: "x", n: 2},
	})))
	docs := []doc{
		{id: "same", text: "x", n: 1}, {id: "own", text: "x", n: 1, vector: []float32{3, 4}},
		{id: "changed", text: "new", n: 1}, {id: "added", text: "y", n: 1},
	}
	r, err := ingest.New(options(c)).Prepare(ctx, docs)
	require.NoError(t, err)
	require.Len(t, stored(t, c), 6, "nothing is written")
	for _, deleted := range []int64{2, 0} {
		require.NoError(t, r.Apply(ctx, c, set(t)))
		want := map[string]engine.Record{"of another": {ID: "of another", Text: "x", Vector: vectorOf("x"), Fields: []any{int64(2)}}}
		for _, d := range docs {
			want[d.id] = engine.Record{ID: d.id, Text: d.text, Vector: vectorOf(d.text), Fields: []any{int64(1)}}
		}
		want["own"] = engine.Record{ID: "own", Text: "x", Vector: engine.Vector{F32: []float32{3, 4}}, Fields: []any{int64(1)}}
		require.Equal(t, want, stored(t, c))
		require.Equal(t, ingest.Report{Inserted: 1, Updated: 1, Unchanged: 2, Deleted: deleted, Embedded: 2}, r.Report)
	}

	r, err = ingest.New(options(c)).Prepare(ctx, append(docs, doc{id: "last", text: "refused"}, doc{id: "same", text: "bad"}))
	require.NoError(t, err)
	require.Len(t, r.Failed, 1, "what fails its check is found before anything is embedded")
	r, err = ingest.New(options(c)).Prepare(ctx, append(docs, doc{id: "last", text: "refused"}))
	require.NoError(t, err)
	require.Equal(t, []ingest.Failure{{ID: "last", Index: 4, Err: errRefused}}, r.Failed)
	r, err = ingest.New(options(c)).Prepare(ctx, nil)
	require.NoError(t, err)
	require.NoError(t, r.Apply(ctx, c, set(t)))
	require.Equal(t, ingest.Report{Deleted: 4}, r.Report)
	require.Len(t, stored(t, c), 1)
}

// Another writer changes what Prepare has found to be stored as it is. Apply says
// so, and writes nothing.
func TestReplacementOvertaken(t *testing.T) {
	for name, change := range map[string]func(context.Context, engine.Collection) error{
		"a deleted record": func(ctx context.Context, c engine.Collection) error {
			_, err := c.Delete(ctx, []string{"text"})
			return err
		},
		"another text": func(ctx context.Context, c engine.Collection) error {
			return c.Upsert(ctx, []engine.Record{{ID: "text", Text: "y", Vector: vectorOf("y"), Fields: []any{int64(1)}}})
		},
		"a record of another set": func(ctx context.Context, c engine.Collection) error {
			return c.Upsert(ctx, []engine.Record{{ID: "text", Text: "x", Vector: vectorOf("x"), Fields: []any{int64(2)}}})
		},
		"another vector": func(ctx context.Context, c engine.Collection) error {
			return c.Upsert(ctx, []engine.Record{{ID: "vector", Text: "x", Vector: engine.Vector{F32: []float32{9, 9}}, Fields: []any{int64(1)}}})
		},
		"a deleted record with a vector": func(ctx context.Context, c engine.Collection) error {
			_, err := c.Delete(ctx, []string{"vector"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, c := t.Context(), newCollection(t)
			docs := []doc{{id: "text", text: "x", n: 1}, {id: "vector", text: "x", n: 1, vector: []float32{3, 4}}}
			require.NoError(t, ingest.New(options(c)).Run(ctx, input(append(docs, doc{id: "gone", text: "x", n: 1}))))
			docs = append(docs, doc{id: "new", text: "z", n: 1})
			job := ingest.New(options(c))
			r, err := job.Prepare(ctx, docs)
			require.NoError(t, err)
			require.NoError(t, change(ctx, c))
			before := stored(t, c)
			require.ErrorIs(t, r.Apply(ctx, c, set(t)), ingest.ErrOvertaken)
			require.Equal(t, before, stored(t, c))

			r, err = job.Prepare(ctx, docs)
			require.NoError(t, err)
			require.NoError(t, r.Apply(ctx, c, set(t)))
			is := stored(t, c)
			require.Len(t, is, len(docs))
			for _, d := range docs {
				require.Equal(t, fmt.Sprint(d.text, d.n), fmt.Sprint(is[d.id].Text, is[d.id].Fields[0]))
			}
			require.Equal(t, []float32{3, 4}, is["vector"].Vector.F32)
		})
	}
}
