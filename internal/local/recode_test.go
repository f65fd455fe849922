package local

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// codedSchema is of vectors for which short codes are shorter.
var codedSchema = engine.Schema{Name: "docs", Dim: 64, Metric: codec.L2, Fields: []engine.Field{{Name: "n", Type: filter.Int}}}

// recode alters the codes of a collection.
func recode(t *testing.T, s *store, to engine.Codes) engine.Collection {
	t.Helper()
	return alterTo(t, s, "docs", func(is engine.Schema) engine.Alteration {
		is.Codes = to
		return engine.Alteration{Schema: is, From: []int{0}, Coding: true}
	})
}

// codeBytes returns how many bytes the codes of a collection take.
func codeBytes(t testing.TB, c engine.Collection) int64 {
	t.Helper()
	lc := c.(*collection)
	lc.mu.RLock()
	defer lc.mu.RUnlock()
	_, codes, _ := lc.index.taken()
	return codes.Memory + codes.Mapped
}

// becomes waits until a collection has codes that fit its schema.
func becomes(t testing.TB, c engine.Collection, to engine.Codes) {
	t.Helper()
	require.Equal(t, to, c.Schema().Codes)
	lc := c.(*collection)
	require.Eventually(t, func() bool {
		lc.mu.RLock()
		defer lc.mu.RUnlock()
		return !lc.index.hasOtherCodes()
	}, time.Minute, time.Millisecond)
}

// TestCodesModel changes a collection that has codes, and a model of it, at random: records
// come and go, the codes become others, also in another process, an index is built and
// dropped, and the store is opened again, or a copy of its files as after a crash.
func TestCodesModel(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runCodesModel(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

type vectors map[string][]float32

func (m vectors) nearest(q []float32, k int) []engine.Hit {
	var hits []engine.Hit
	for id, v := range m {
		sum := 0.0
		for i, x := range v {
			d := float64(q[i]) - float64(x)
			sum += d * d
		}
		hits = append(hits, engine.Hit{Record: engine.Record{ID: id}, Score: 0 - math.Sqrt(sum)})
	}
	slices.SortFunc(hits, func(a, b engine.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(k, len(hits))]
}

func runCodesModel(t *testing.T, rng *rand.Rand) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	s.leastSave = 100
	c := create(t, s, codedSchema)
	m := vectors{}
	vector := func() []float32 {
		v := make([]float32, codedSchema.Dim)
		for i := range v {
			v[i] = float32(rng.IntN(41) - 20) // whole numbers, for scores that any order of operations gives
		}
		return v
	}
	add := func(n, of int) {
		records := map[string]engine.Record{}
		for range n {
			id := fmt.Sprint(rng.IntN(of))
			records[id] = engine.Record{ID: id, Vector: engine.Vector{F32: vector()}, Fields: []any{int64(1)}}
		}
		var all []engine.Record
		for id, r := range records {
			m[id] = r.Vector.F32
			all = append(all, r)
		}
		require.NoError(t, c.Upsert(ctx, all))
	}
	codes := engine.SevenBits
	add(2500, 3000)
	for range 20 {
		switch rng.IntN(8) {
		case 0, 1:
			codes = 1 - codes
			c = recode(t, s, codes)
		case 2:
			require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
		case 3:
			require.NoError(t, s.Close())
			s = openStore(t, path)
			s.leastSave = 100
			c = open(t, s, "docs")
		case 4: // as if the process had been killed
			killed := path
			path = copyStore(t, filepath.Dir(path), path)
			s.Close()
			require.NoError(t, os.RemoveAll(filepath.Dir(killed)))
			s = openStore(t, path)
			s.leastSave = 100
			c = open(t, s, "docs")
		case 5: // another process alters it
			other := openStore(t, path)
			codes = 1 - codes
			recode(t, other, codes)
			require.NoError(t, other.Close())
			c = open(t, s, "docs")
		case 6:
			ids := []string{fmt.Sprint(rng.IntN(3000)), fmt.Sprint(rng.IntN(3000))}
			_, err := c.Delete(ctx, ids)
			require.NoError(t, err)
			delete(m, ids[0])
			delete(m, ids[1])
		default:
			add(200, 3000)
		}
		require.Equal(t, codes, c.Schema().Codes)
		q := vector()
		for _, k := range []int{1, 10} {
			results, err := c.Search(ctx, []engine.Search{{Vector: engine.Vector{F32: q}, K: k, Exact: true}})
			require.NoError(t, err)
			var got []engine.Hit
			for _, h := range results[0].Hits {
				got = append(got, engine.Hit{Record: engine.Record{ID: h.ID}, Score: h.Score})
			}
			require.Equal(t, m.nearest(q, k), got)
		}
	}
	becomes(t, c, codes)
	requireMemoryIsRows(t, c)
}

// The codes are replaced in the background, and what is written afterwards has them; so has
// what is opened again, although the snapshot is of before.
func TestCodesAreReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	s.leastSave = 100
	c := create(t, s, codedSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	var records []engine.Record
	for i := range 3000 {
		v := make([]float32, codedSchema.Dim)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: v}, Fields: []any{int64(i)}})
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 40}))
	whole := codeBytes(t, c)
	require.GreaterOrEqual(t, whole, int64(3000*64))

	readers := openStore(t, path)
	before := open(t, readers, "docs")
	require.Equal(t, engine.SevenBits, before.Schema().Codes)

	c = recode(t, s, engine.FourBits)
	becomes(t, c, engine.FourBits)
	require.Less(t, codeBytes(t, c), whole*2/3)

	// The other process has a handle to what is not there any more, and finds the new one.
	altered, err := before.Altered(t.Context())
	require.NoError(t, err)
	require.True(t, altered)
	there := open(t, readers, "docs")
	becomes(t, there, engine.FourBits)
	require.Less(t, codeBytes(t, there), whole*2/3)
	require.NoError(t, readers.Close())

	lc := c.(*collection)
	require.NoError(t, lc.alone(t.Context(), func(ctx context.Context) error { return lc.save(ctx) }))
	require.NoError(t, s.Close())
	s = openStore(t, path)
	c = open(t, s, "docs")
	require.False(t, c.(*collection).index.hasOtherCodes(), "the snapshot has them")
	require.Less(t, codeBytes(t, c), whole*2/3)
	requireMemoryIsRows(t, c)
	require.NoError(t, c.Upsert(t.Context(), records[:10]))
	c = recode(t, s, engine.SevenBits)
	becomes(t, c, engine.SevenBits)
	require.NoError(t, s.Close())
}

// A store of earlier versions says nothing of codes, and one that is left with what was the
// only kind stays as it was.
func TestCodesInTheRegistry(t *testing.T) {
	plain, err := marshalFields(codedSchema)
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(plain)))
	require.Equal(t, byte('['), plain[0])
	short := codedSchema
	short.Codes = engine.FourBits
	with, err := marshalFields(short)
	require.NoError(t, err)
	for text, want := range map[string]engine.Schema{plain: codedSchema, with: short} {
		got := engine.Schema{Name: want.Name, Dim: want.Dim, Metric: want.Metric}
		require.NoError(t, unmarshalFields(text, &got))
		require.Equal(t, want, got)
	}
}
