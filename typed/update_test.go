package typed_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// TestChange makes one value of another, field by field or all at once.
func TestChange(t *testing.T) {
	docs := ensure[everything](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more"}) })
	fields := []string{"text", "vector"}
	for _, f := range docs.Schema().Fields {
		fields = append(fields, f.Name)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		before, after := randomEverything(rng, 1), randomEverything(rng, 1)
		require.NoError(t, docs.Upsert(t.Context(), after))
		want, err := docs.Get(t.Context(), "1")
		require.NoError(t, err)
		require.NoError(t, docs.Upsert(t.Context(), before))
		rng.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		half := rng.IntN(len(fields))
		for _, names := range [][]string{fields[:half], fields[half:]} {
			change, err := docs.Change(after, names...)
			require.NoError(t, err)
			require.NoError(t, docs.Update(t.Context(), change))
		}
		got, err := docs.Get(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestUpdateValues(t *testing.T) {
	docs := ensure[strict](t, nil)
	require.NoError(t, docs.Upsert(t.Context(), strict{ID: 1, Vector: [2]float32{1, 1}, Picky: picky{"a"}, Lang: "x"}))
	require.NoError(t, docs.Update(t.Context(), vecwire.Change{ID: "1", Set: vecwire.Fields{"picky": picky{"b"}, "tiny": uint8(3)}}))
	n, err := docs.UpdateWhere(t.Context(), filter.Eq("picky", "b"), vecwire.Fields{"picky": picky{"c"}, "lang": "y"})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got, err := docs.Get(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, strict{ID: 1, Vector: [2]float32{1, 1}, Picky: picky{"c"}, Lang: "y", Tiny: new(uint8(3))}, got[0])

	for name, set := range map[string]vecwire.Fields{"Picky": {"picky": picky{"bad"}}, "Lang": {"lang": 1}, "Small": {"small": "x"}} {
		var e *typed.StructError
		err := docs.Update(t.Context(), vecwire.Change{ID: "1", Set: set})
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, name, e.Field)
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		_, err = docs.UpdateWhere(t.Context(), filter.Filter{}, set)
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, name, e.Field)
	}
	var schema *vecwire.SchemaError
	_, err = docs.Change(strict{ID: 1}, "id")
	require.ErrorAs(t, err, &schema)
	addressed := ensure[everything](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more"}) })
	require.NoError(t, addressed.Upsert(t.Context(), everything{Key: 1, Vector: point{1, 1, 1}}))
	require.NoError(t, addressed.Update(t.Context(), vecwire.Change{ID: "1", Set: vecwire.Fields{"pa": netip.MustParseAddr("::1")}}))
	all, err := addressed.Get(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("::1"), *all[0].PA)
}
