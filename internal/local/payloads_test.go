package local

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

var blobSchema = engine.Schema{Name: "blobs", Dim: 1, Fields: []engine.Field{{Name: "b", Type: filter.Bytes}}}

// blobs are records whose vectors are their numbers.
func blobs(from, to int, text string) (records []engine.Record) {
	for i := from; i < to; i++ {
		records = append(records, engine.Record{
			ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{float32(i)}}, Text: text, Fields: []any{[]byte(text[:1])},
		})
	}
	return records
}

// search returns the hits for the number i, with their texts and fields.
func search(t *testing.T, ctx context.Context, c engine.Collection, i, k int) []engine.Hit {
	t.Helper()
	results, err := c.Search(ctx, []engine.Search{{Vector: engine.Vector{F32: []float32{float32(i)}}, K: k, Payload: true}})
	require.NoError(t, err)
	return results[0].Hits
}

// What is kept stays within its bound, and is what the records hold.
func TestPayloadsAreBounded(t *testing.T) {
	s := newStore(t)
	s.payloads.most = 16 << 10
	c := create(t, s, blobSchema)
	require.NoError(t, c.Upsert(t.Context(), blobs(1, 300, strings.Repeat("x", 100))))
	require.NoError(t, c.Upsert(t.Context(), blobs(300, 301, strings.Repeat("y", 2000))))
	for range 2 {
		for _, k := range []int{1, 10, 300} {
			for _, h := range search(t, t.Context(), c, 1, k) {
				want := "x"
				if h.ID == "300" {
					want = "y"
				}
				require.Equal(t, want, h.Text[:1])
				require.Equal(t, []any{[]byte(want)}, h.Fields)
			}
		}
	}
	p := &s.payloads
	require.LessOrEqual(t, p.bytes, p.most)
	require.Greater(t, len(p.rows), 20)
	require.Len(t, p.rows, p.last.Len())
	require.NotContains(t, p.rows, payloadKey{c.(*collection), 299}, "too long to be kept")
	sum := 0
	for _, e := range p.rows {
		sum += e.Value.(*payload).bytes
	}
	require.Equal(t, sum, p.bytes)
}

// Who changes the bytes of a hit changes nobody else's.
func TestPayloadsAreCopies(t *testing.T) {
	c := create(t, newStore(t), blobSchema)
	require.NoError(t, c.Upsert(t.Context(), blobs(1, 2, "x")))
	for range 3 {
		field := search(t, t.Context(), c, 1, 1)[0].Fields[0].([]byte)
		require.True(t, bytes.Equal(field, []byte("x")))
		field[0] = 'z'
	}
}

// What a commit changes is read anew, and what a rollback undoes is not seen.
func TestPayloadsFollowCommits(t *testing.T) {
	s := newStore(t)
	c := create(t, s, blobSchema)
	ctx := t.Context()
	require.NoError(t, c.Upsert(ctx, blobs(1, 3, "x")))
	text := func(ctx context.Context) (texts string) {
		for _, h := range search(t, ctx, c, 1, 2) {
			texts += h.Text
		}
		return texts
	}
	require.Equal(t, "xx", text(ctx))
	require.NoError(t, c.Upsert(ctx, blobs(1, 2, "y")))
	require.Len(t, s.payloads.rows, 1)
	require.Contains(t, []string{"xy", "yx"}, text(ctx))
	require.ErrorIs(t, s.Tx(ctx, func(ctx context.Context) error {
		require.NoError(t, c.Upsert(ctx, blobs(1, 3, "z")))
		require.Equal(t, "zz", text(ctx))
		return errUndo
	}), errUndo)
	require.Contains(t, []string{"xy", "yx"}, text(ctx))
	_, err := c.Delete(ctx, []string{"1", "2"})
	require.NoError(t, err)
	require.Empty(t, s.payloads.rows)
}

// A collection that is gone keeps nothing in memory.
func TestPayloadsOfDroppedCollections(t *testing.T) {
	s := newStore(t)
	c := create(t, s, blobSchema)
	other := create(t, s, testSchema)
	require.NoError(t, c.Upsert(t.Context(), blobs(1, 3, "x")))
	v := engine.Vector{F32: make([]float32, testSchema.Dim)}
	require.NoError(t, other.Upsert(t.Context(), []engine.Record{{ID: "a", Vector: v, Fields: make([]any, 2)}}))
	search(t, t.Context(), c, 1, 2)
	_, err := other.Search(t.Context(), []engine.Search{{Vector: v, K: 1, Payload: true}})
	require.NoError(t, err)
	require.Len(t, s.payloads.rows, 3)
	require.NoError(t, s.Drop(t.Context(), "blobs"))
	require.Len(t, s.payloads.rows, 1)
	require.Equal(t, 1, s.payloads.last.Len())
}
