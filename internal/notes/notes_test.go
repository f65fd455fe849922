package notes_test

import (
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/notes"
)

// Keys of different parts never meet, however the parts are written.
func TestKeysNeverMeet(t *testing.T) {
	pieces := []string{"", "/", "//", "a", "b", "%2F", "%", "job", "#", " ", "\t", "é", "acme", "acme/nightly", "nightly", strings.Repeat("x", 150), strings.Repeat("x", 149) + "/"}
	rng := rand.New(rand.NewPCG(1, 2))
	parts := map[string][]string{}
	for range 20_000 {
		list := []string{[]string{"docs", "docs2"}[rng.IntN(2)]}
		for range rng.IntN(4) {
			part := ""
			for range rng.IntN(3) {
				part += pieces[rng.IntN(len(pieces))]
			}
			list = append(list, part)
		}
		key := notes.Key(engine.Schema{Name: list[0]}, list[1:]...)
		require.LessOrEqual(t, len(key), 200)
		if other, ok := parts[key]; ok {
			require.Equal(t, other, list, "both have the key %q", key)
		}
		parts[key] = list
	}
	table := func(attached string) string { return notes.Key(engine.Schema{Name: "docs", Attached: attached}, "a") }
	require.NotEqual(t, table("a.docs"), table("b.docs"))
	require.NotEqual(t, table("docs"), notes.Key(engine.Schema{Name: "docs"}, "a"), "a collection of vecwire's own")
	require.Less(t, len(table(strings.Repeat("x", 500))), 200)
	require.Equal(t, notes.Key(engine.Schema{Name: "Docs"}, "a"), notes.Key(engine.Schema{Name: "docs"}, "a"))
}

func TestNotes(t *testing.T) {
	ctx := t.Context()
	e, err := local.Open(ctx, local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer e.Close()
	get := func(key string) int64 {
		value, err := notes.Get(ctx, e, key)
		require.NoError(t, err)
		return value
	}
	a, b, other := notes.Key(engine.Schema{Name: "docs"}, "a"), notes.Key(engine.Schema{Name: "docs"}, strings.Repeat("b", 300)), notes.Key(engine.Schema{Name: "docs2"}, "a")
	require.Zero(t, get(a), "no collection of notes yet")
	require.NoError(t, notes.Forget(ctx, e, a))
	for i, key := range []string{a, b, other} {
		require.NoError(t, notes.Put(ctx, e, key, int64(i+1)))
	}
	require.NoError(t, notes.Put(ctx, e, a, 10))
	require.Equal(t, []int64{10, 2, 3}, []int64{get(a), get(b), get(other)})
	require.NoError(t, notes.Forget(ctx, e, a))
	require.Equal(t, []int64{0, 2, 3}, []int64{get(a), get(b), get(other)})
	require.NoError(t, notes.ForgetAll(ctx, e, "docs"))
	require.Equal(t, []int64{0, 0, 3}, []int64{get(a), get(b), get(other)})
}
