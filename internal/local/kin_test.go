package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

var kinSchema = engine.Schema{Name: "docs", Dim: 192, Metric: codec.Cosine, Fields: []engine.Field{
	{Name: engine.NamespaceField, Type: filter.String, Index: true}, {Name: "lang", Type: filter.String, Index: true}, {Name: "other", Type: filter.String, Index: true},
}}

// kinSpaces is how many namespaces are of a size for links of their own.
const kinSpaces = 4

// kinData makes records of a dozen directions, of which some are of each namespace.
type kinData struct {
	rng  *rand.Rand
	axes [12][]float32
}

func newKinData() *kinData {
	d := &kinData{rng: rand.New(rand.NewPCG(7, 7))}
	for i := range d.axes {
		d.axes[i] = make([]float32, kinSchema.Dim)
		for j := range d.axes[i] {
			d.axes[i][j] = float32(d.rng.NormFloat64())
		}
	}
	return d
}

func (d *kinData) vector() engine.Vector {
	v := make([]float32, kinSchema.Dim)
	for _, axis := range d.axes {
		x := float32(d.rng.NormFloat64())
		for j := range v {
			v[j] += x * axis[j]
		}
	}
	return engine.Vector{F32: v}
}

func (d *kinData) record(id, space string) engine.Record {
	return engine.Record{ID: id, Vector: d.vector(), Fields: []any{space, fmt.Sprint("lang", d.rng.IntN(3)), fmt.Sprint("space", d.rng.IntN(2))}}
}

func kinSpace(i int) string {
	if i%20 == 0 {
		return fmt.Sprint("tiny", i%200)
	}
	return fmt.Sprint("space", i%kinSpaces)
}

// kinRecall compares searches in a namespace with exact ones, and looks at all that they find.
func kinRecall(t testing.TB, d *kinData, c engine.Collection, space string, more filter.Filter) float64 {
	t.Helper()
	found, all := 0, 0
	f := filter.Eq(engine.NamespaceField, space)
	if !more.IsZero() {
		f = filter.And(more, f)
	}
	for range 30 {
		s := engine.Search{Vector: d.vector(), K: 10, Effort: 64, Filter: f, Payload: true}
		exact := s
		exact.Exact = true
		results, err := c.Search(t.Context(), []engine.Search{s, exact})
		require.NoError(t, err)
		require.Equal(t, len(results[1].Hits), len(results[0].Hits))
		for _, hit := range results[0].Hits {
			require.Equal(t, space, hit.Fields[slices.IndexFunc(c.Schema().Fields, func(f engine.Field) bool { return f.Name == engine.NamespaceField })])
			if hit.Score >= results[1].Hits[len(results[1].Hits)-1].Score {
				found++
			}
		}
		all += len(results[1].Hits)
	}
	return float64(found) / float64(max(1, all))
}

// kinGroups returns how many namespaces have links that searches use.
func kinGroups(c engine.Collection) int {
	l := c.(*collection)
	l.mu.RLock()
	defer l.mu.RUnlock()
	stats, _ := l.index.stats()
	return stats.Groups
}

// relinked links what waits, instead of the linker.
func relinked(t testing.TB, c engine.Collection) {
	t.Helper()
	l := c.(*collection)
	require.NoError(t, l.alone(t.Context(), func(ctx context.Context) error { return l.relink(ctx, 2, nil) }))
	l.mu.RLock()
	defer l.mu.RUnlock()
	require.NoError(t, l.index.sound())
}

func kinCollection(t testing.TB, s *store, d *kinData, n int) engine.Collection {
	t.Helper()
	c := create(t, s, kinSchema)
	var records []engine.Record
	for i := range n {
		records = append(records, d.record(fmt.Sprint(i), kinSpace(i)))
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{EfConstruction: 64}))
	return c
}

// Whatever is written, by this process or another one, a search in a namespace finds what is
// nearest in it, and nothing else; and a store that is opened again has the links.
func TestKinModel(t *testing.T) {
	d := newKinData()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	const n = 12_000
	c := kinCollection(t, s, d, n)
	require.Equal(t, kinSpaces, kinGroups(c))
	other := openStore(t, path)
	o := open(t, other, "docs")
	require.Equal(t, kinSpaces, kinGroups(o), "from the snapshot")
	look := func(when string) {
		t.Helper()
		for i := range kinSpaces {
			for _, c := range []engine.Collection{c, o} {
				require.Greater(t, kinRecall(t, d, c, fmt.Sprint("space", i), filter.Filter{}), 0.9, when)
				require.Greater(t, kinRecall(t, d, c, fmt.Sprint("space", i), filter.Eq("lang", "lang1")), 0.9, when)
			}
		}
		require.Greater(t, kinRecall(t, d, c, "tiny20", filter.Filter{}), 0.9, when)
	}
	look("built")
	for round := range 4 {
		writer := c
		if round%2 == 1 {
			writer = o
		}
		var records []engine.Record
		var changes []engine.Change
		var gone []string
		for range 150 {
			records = append(records, d.record(fmt.Sprint(d.rng.IntN(n+500)), kinSpace(d.rng.IntN(n))))
			gone = append(gone, fmt.Sprint(d.rng.IntN(n)))
		}
		require.NoError(t, writer.Upsert(t.Context(), records))
		_, err := writer.Delete(t.Context(), gone)
		require.NoError(t, err)
		for i, r := range records {
			if !slices.Contains(gone, r.ID) && !slices.ContainsFunc(records[:i], func(o engine.Record) bool { return o.ID == r.ID }) {
				changes = append(changes, engine.Change{ID: r.ID, Fields: []engine.FieldValue{{Place: 0, Value: kinSpace(d.rng.IntN(n))}}})
			}
		}
		require.NoError(t, writer.Update(t.Context(), changes))
		look("changed")
		relinked(t, c)
		if round > 0 {
			relinked(t, o)
		}
		look("linked")
	}
	require.Equal(t, kinSpaces, kinGroups(c))
	require.NoError(t, c.(*collection).save(t.Context()))
	require.NoError(t, other.Close())
	require.NoError(t, s.Close())
	s = openStore(t, path)
	c = open(t, s, "docs")
	o = c
	require.Equal(t, kinSpaces, kinGroups(c), "opened")
	look("opened")
	checked, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, checked.Problems)
}

// A namespace that is emptied and filled again, or takes the records of another, is searched as
// it is.
func TestKinOfNamespacesThatComeAndGo(t *testing.T) {
	d := newKinData()
	s := newStore(t)
	c := kinCollection(t, s, d, 12_000)
	in := func(space string) filter.Filter { return filter.Eq(engine.NamespaceField, space) }
	_, err := c.DeleteWhere(t.Context(), in("space1"))
	require.NoError(t, err)
	results, err := c.Search(t.Context(), []engine.Search{{Vector: d.vector(), K: 10, Filter: in("space1")}})
	require.NoError(t, err)
	require.Empty(t, results[0].Hits)
	relinked(t, c)
	require.Equal(t, kinSpaces-1, kinGroups(c))
	var records []engine.Record
	for i := range 3000 {
		records = append(records, d.record(fmt.Sprint("new", i), "new"))
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	require.Greater(t, kinRecall(t, d, c, "new", filter.Filter{}), 0.9)
	relinked(t, c)
	require.Equal(t, kinSpaces, kinGroups(c))
	require.Greater(t, kinRecall(t, d, c, "new", filter.Filter{}), 0.9)
	require.Greater(t, kinRecall(t, d, c, "space2", filter.Filter{}), 0.9)
}

// A record that is moved to another namespace, and not written otherwise, is found there at once,
// and no longer where it was, in each process, before and after it is linked.
func TestKinOfMovedRecords(t *testing.T) {
	d := newKinData()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := kinCollection(t, s, d, 12_000)
	o := open(t, openStore(t, path), "docs")
	moved := map[string]engine.Vector{}
	var changes []engine.Change
	for i := 1; i < 200; i += 4 { // of space1
		id := fmt.Sprint(i)
		records, err := c.Get(t.Context(), []string{id}, true)
		require.NoError(t, err)
		moved[id] = records[0].Vector
		changes = append(changes, engine.Change{ID: id, Fields: []engine.FieldValue{{Place: 0, Value: "space2"}}})
	}
	require.NoError(t, c.Update(t.Context(), changes))
	look := func() {
		t.Helper()
		for id, v := range moved {
			for _, c := range []engine.Collection{c, o} {
				for space, first := range map[string]bool{"space1": false, "space2": true} {
					results, err := c.Search(t.Context(), []engine.Search{{Vector: v, K: 10, Effort: 32, Filter: filter.Eq(engine.NamespaceField, space)}})
					require.NoError(t, err)
					require.False(t, results[0].Exact)
					require.Equal(t, first, results[0].Hits[0].ID == id, "%s in %s", id, space)
				}
			}
		}
	}
	look()
	relinked(t, c)
	relinked(t, o)
	look()
}

// When the field of the namespaces is another one, their links are forgotten, also those in the
// snapshot.
func TestKinOfAnAlteredField(t *testing.T) {
	d := newKinData()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	kinCollection(t, s, d, 12_000)
	c := alterTo(t, s, "docs", func(was engine.Schema) engine.Alteration {
		was.Fields = slices.Clone(was.Fields)
		was.Fields[0].Name, was.Fields[2].Name = "other", engine.NamespaceField
		return engine.Alteration{Schema: was, From: []int{0, 1, 2}}
	})
	require.Greater(t, kinRecall(t, d, c, "space1", filter.Filter{}), 0.9)
	require.NoError(t, s.Close())
	s = openStore(t, path)
	c = open(t, s, "docs")
	require.Greater(t, kinRecall(t, d, c, "space1", filter.Filter{}), 0.9)
	require.Greater(t, kinRecall(t, d, c, "space0", filter.Eq("lang", "lang1")), 0.9)
}

func TestKinOfFilters(t *testing.T) {
	in := filter.Eq(engine.NamespaceField, "a")
	key := kinKey("a")
	for _, c := range []struct {
		f    filter.Filter
		want uint64
	}{
		{in, key}, {filter.In(engine.NamespaceField, "a"), key}, {filter.And(filter.Eq("lang", "x"), in), key},
		{filter.And(filter.Eq("lang", "x"), filter.And(filter.Eq("lang", "y"), in)), key},
		{filter.In(engine.NamespaceField, "a", "b"), 0}, {filter.Ne(engine.NamespaceField, "a"), 0}, {filter.Not(in), 0},
		{filter.Or(in, filter.Eq("lang", "x")), 0}, {filter.Eq("lang", "a"), 0}, {filter.Filter{}, 0}, {filter.Prefix(engine.NamespaceField, "a"), 0},
	} {
		require.Equal(t, c.want, kinOf(&kinSchema, c.f), "%v", c.f)
	}
	plain := kinSchema
	plain.Fields = slices.Clone(plain.Fields)
	plain.Fields[0].Index = false
	require.Zero(t, kinOf(&plain, in))
	require.NotEqual(t, key, kinKey(strings.Repeat("a", 2)))
}
