package named_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/named"
	"github.com/vecwire/vecwire/internal/schema"
)

// open opens a store, and the engine over it.
func open(t testing.TB, path string, readOnly bool) (inner, over engine.Engine) {
	t.Helper()
	inner, err := local.Open(t.Context(), local.Options{Path: path, ReadOnly: readOnly, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { inner.Close() })
	return inner, named.Over(inner)
}

var docs = engine.Schema{
	Name: "docs", Dim: 1, Metric: codec.Dot, Fields: []engine.Field{{Name: "n", Type: filter.Int}},
	Vectors: []engine.NamedVector{{Name: "a", Dim: 1, Metric: codec.Dot}, {Name: "b", Dim: 2}},
}

func vector(x ...float32) engine.Vector { return engine.Vector{F32: x} }

// record has x as its vectors' elements.
func record(id string, x float32) engine.Record {
	return engine.Record{ID: id, Vector: vector(x), Fields: []any{int64(x)}, Named: []engine.Vector{vector(x), {}}}
}

func find(t testing.TB, c engine.Collection, k int, f filter.Filter) []string {
	t.Helper()
	r, err := c.Search(t.Context(), []engine.Search{{In: 1, Vector: vector(1), K: k, Filter: f}})
	require.NoError(t, err)
	ids := []string{}
	for _, h := range r[0].Hits {
		ids = append(ids, h.ID)
	}
	return ids
}

// stores returns the names of the collections that hold named vectors.
func stores(t testing.TB, inner engine.Engine) (names []string) {
	t.Helper()
	all, err := inner.List(t.Context())
	require.NoError(t, err)
	for _, s := range all {
		if strings.HasPrefix(s.Name, "vecwire_v_") {
			names = append(names, s.Name)
		}
	}
	return names
}

// TestLeftovers: what a process that died leaves is made, or dropped, by the next one.
func TestLeftovers(t *testing.T) {
	ctx := t.Context()
	inner, e := open(t, "", false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1)}))
	before := stores(t, inner)
	require.Len(t, before, 2)

	require.NoError(t, inner.Drop(ctx, before[0])) // as if it had not been made yet
	c, err = e.Open(ctx, "docs")
	require.NoError(t, err)
	require.Equal(t, before, stores(t, inner), "it is made where the schema says")

	_, err = inner.Create(ctx, engine.Schema{Name: "vecwire_v_left", Dim: 1})
	require.NoError(t, err)
	listed, err := e.List(ctx)
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.NoError(t, e.Compact(ctx))
	require.Equal(t, before, stores(t, inner))
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1)}))
	require.Equal(t, []string{"1"}, find(t, c, 9, filter.Filter{}))
	require.NoError(t, e.Drop(ctx, "docs"))
	require.Empty(t, stores(t, inner))
}

// refusing is an engine that makes no collection of named vectors.
type refusing struct{ engine.Engine }

var errNoRoom = errors.New("no room")

func (r refusing) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	if strings.HasPrefix(s.Name, "vecwire_v_") {
		return nil, errNoRoom
	}
	return r.Engine.Create(ctx, s)
}

// TestCreateFails: a collection whose vectors cannot be kept is not made.
func TestCreateFails(t *testing.T) {
	ctx := t.Context()
	inner, _ := open(t, "", false)
	e := named.Over(refusing{inner})
	_, err := e.Create(ctx, docs)
	require.ErrorIs(t, err, errNoRoom)
	require.ErrorContains(t, err, `"a"`)
	_, err = inner.Open(ctx, "docs")
	require.ErrorIs(t, err, engine.ErrNotFound)
}

// TestAlterFails: what cannot keep its new vectors is not used before it is opened again.
func TestAlterFails(t *testing.T) {
	ctx := t.Context()
	inner, _ := open(t, "", false)
	bare := docs
	bare.Vectors = nil
	_, err := inner.Create(ctx, bare)
	require.NoError(t, err)
	var altered engine.Collection
	err = named.Over(refusing{inner}).Alter(ctx, engine.Alter{
		Name: "docs",
		Plan: func(s engine.Schema) (engine.Alteration, error) {
			s.Vectors = docs.Vectors
			return engine.Alteration{Schema: s, From: []int{0}}, nil
		},
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(c engine.Collection) { altered = c },
	})
	require.ErrorIs(t, err, errNoRoom)
	require.ErrorIs(t, altered.Upsert(ctx, []engine.Record{record("1", 1)}), engine.ErrAltered)
	_, err = altered.Search(ctx, []engine.Search{{In: 1, Vector: vector(1), K: 1}})
	require.ErrorIs(t, err, engine.ErrAltered)
	require.ErrorIs(t, altered.BuildIndex(ctx, engine.IndexPlan{In: 1}), engine.ErrAltered)
	c, err := named.Over(inner).Open(ctx, "docs")
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1)}))
	require.Equal(t, []string{"1"}, find(t, c, 9, filter.Filter{}))
}

// TestGhosts: vectors whose records are gone are no hits, and take no hit's place.
func TestGhosts(t *testing.T) {
	ctx := t.Context()
	inner, e := open(t, "", false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	var records []engine.Record
	for i := range 300 {
		records = append(records, record(fmt.Sprintf("%03d", i), float32(i)))
	}
	require.NoError(t, c.Upsert(ctx, records))
	own, err := inner.Open(ctx, "docs")
	require.NoError(t, err)
	_, err = own.DeleteWhere(ctx, filter.Ge("n", int64(100))) // past the vectors
	require.NoError(t, err)
	require.Equal(t, []string{"099", "098", "097"}, find(t, c, 3, filter.Filter{}))
	require.Equal(t, []string{"049", "048"}, find(t, c, 2, filter.Lt("n", int64(50))))
	require.Len(t, find(t, c, 1000, filter.Filter{}), 100)
}

// TestKeeps: records that are written without saying anything of their named vectors
// keep them, as those do that Reembed writes.
func TestKeeps(t *testing.T) {
	ctx := t.Context()
	_, e := open(t, "", false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1), record("2", 2)}))
	silent, bare := record("1", 5), record("2", 5)
	silent.Named, bare.Named = nil, make([]engine.Vector, 2)
	require.NoError(t, c.Upsert(ctx, []engine.Record{silent, bare}))
	require.Equal(t, []string{"1"}, find(t, c, 9, filter.Filter{}))
}

// TestProcesses: two processes on one file follow each other, also when one of them drops
// a vector.
func TestProcesses(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "store.db")
	_, one := open(t, path, false)
	c, err := one.Create(ctx, docs)
	require.NoError(t, err)
	inner, two := open(t, path, false)
	other, err := two.Open(ctx, "docs")
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1), record("2", 2)}))
	require.Equal(t, []string{"2", "1"}, find(t, other, 9, filter.Filter{}))
	_, err = other.Delete(ctx, []string{"2"})
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, find(t, c, 9, filter.Filter{}))

	require.NoError(t, two.Alter(ctx, engine.Alter{
		Name: "docs",
		Plan: func(s engine.Schema) (engine.Alteration, error) {
			s.Vectors = s.Vectors[1:]
			return engine.Alteration{Schema: s, From: []int{0}}, nil
		},
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	}))
	require.Len(t, stores(t, inner), 1)
	_, err = c.Search(ctx, []engine.Search{{In: 1, Vector: vector(1), K: 1}})
	require.ErrorIs(t, err, engine.ErrAltered)
	_, err = c.Get(ctx, []string{"1"}, true)
	require.ErrorIs(t, err, engine.ErrAltered)

	reader, over := open(t, path, true)
	c, err = over.Open(ctx, "docs")
	require.NoError(t, err)
	require.ErrorIs(t, c.Upsert(ctx, []engine.Record{{ID: "x", Vector: vector(1), Fields: []any{nil}, Named: []engine.Vector{{}}}}), engine.ErrReadOnly)
	require.NoError(t, inner.Drop(ctx, stores(t, inner)[0]))
	c, err = over.Open(ctx, "docs")
	require.NoError(t, err, "a reader takes a missing one for empty")
	require.Len(t, c.Schema().Vectors, 1)
	require.Empty(t, find(t, c, 9, filter.Filter{}))
	require.ErrorIs(t, c.BuildIndex(ctx, engine.IndexPlan{In: 1}), engine.ErrReadOnly)
	require.Empty(t, stores(t, reader))
}

// TestAlterIndexing: whether an index appears by itself goes for all vectors of the records.
func TestAlterIndexing(t *testing.T) {
	ctx := t.Context()
	inner, e := open(t, filepath.Join(t.TempDir(), "store.db"), false)
	_, err := e.Create(ctx, docs)
	require.NoError(t, err)
	is := func(want engine.Indexing) {
		t.Helper()
		c, err := e.Open(ctx, docs.Name)
		require.NoError(t, err)
		require.Equal(t, want, c.Schema().Index)
		require.Len(t, stores(t, inner), len(docs.Vectors))
		for _, name := range stores(t, inner) {
			part, err := inner.Open(ctx, name)
			require.NoError(t, err)
			require.Equal(t, want, part.Schema().Index)
		}
	}
	is(engine.AutoIndex)
	for _, to := range []engine.Indexing{engine.NoIndex, engine.NoIndex, engine.AutoIndex} {
		require.NoError(t, e.Alter(ctx, engine.Alter{
			Name:  docs.Name,
			Plan:  schema.Alter{Index: &to}.Of,
			Alone: func(_ context.Context, run func() error) error { return run() },
			Done:  func(engine.Collection) {},
		}))
		is(to)
	}
	c, err := e.Open(ctx, docs.Name)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1)}))
	require.Equal(t, []string{"1"}, find(t, c, 9, filter.Filter{}))

	// To drop the index of the records' own vectors says nothing of the others', and no
	// alteration says it afterwards that does not name it.
	require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 16, EfConstruction: 64}))
	found, err := c.Indexes(ctx)
	require.NoError(t, err)
	require.NoError(t, c.DropIndex(ctx, found[0].Name))
	require.Equal(t, engine.NoIndex, c.Schema().Index)
	require.NoError(t, e.Alter(ctx, engine.Alter{
		Name:  docs.Name,
		Plan:  schema.Alter{AddFields: []engine.Field{{Name: "more"}}}.Of,
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	}))
	for _, name := range stores(t, inner) {
		part, err := inner.Open(ctx, name)
		require.NoError(t, err)
		require.Equal(t, engine.AutoIndex, part.Schema().Index)
	}
}

// A collection of vectors that takes the place of another may have another model. It says
// so from then on, also where a process ended before the schema did; and what was made for
// such a place goes with the collection.
func TestNamedReplaced(t *testing.T) {
	ctx := t.Context()
	inner, over := open(t, filepath.Join(t.TempDir(), "docs.db"), false)
	c, err := over.Create(ctx, docs)
	require.NoError(t, err)
	store := c.Schema().Vectors[0].Store
	next := engine.Schema{Name: "vecwire_" + store[:27] + "_0123456789ab", Dim: 3, Metric: codec.Dot, Model: "new"}
	make := func() {
		_, err := inner.Create(ctx, next)
		require.NoError(t, err)
	}
	make()
	require.NoError(t, over.Compact(ctx))
	_, err = inner.Open(ctx, next.Name)
	require.NoError(t, err, "it is kept as long as there is what it is to replace")
	require.NoError(t, over.Swap(ctx, engine.Swap{Name: store, Next: next.Name, Old: "vecwire_old", Drop: true,
		Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
	c, err = over.Open(ctx, "docs")
	require.NoError(t, err)
	all, err := over.List(ctx)
	require.NoError(t, err)
	for _, s := range append(all, c.Schema()) {
		require.Equal(t, 3, s.Vectors[0].Dim)
		require.Equal(t, "new", s.Vectors[0].Model)
		require.Equal(t, 2, s.Vectors[1].Dim)
	}
	make()
	require.NoError(t, over.Drop(ctx, "docs"))
	all, err = inner.List(ctx)
	require.NoError(t, err)
	require.Empty(t, all)
}

// The codes of named vectors are what the schema says, from the beginning and later.
func TestNamedCodes(t *testing.T) {
	ctx := t.Context()
	inner, e := open(t, filepath.Join(t.TempDir(), "store.db"), false)
	coded := docs
	coded.Codes = engine.FourBits
	_, err := e.Create(ctx, coded)
	require.NoError(t, err)
	is := func(want engine.Codes, index engine.Indexing) {
		t.Helper()
		c, err := e.Open(ctx, docs.Name)
		require.NoError(t, err)
		require.Equal(t, want, c.Schema().Codes)
		require.Len(t, stores(t, inner), len(docs.Vectors))
		for _, name := range stores(t, inner) {
			part, err := inner.Open(ctx, name)
			require.NoError(t, err)
			require.Equal(t, want, part.Schema().Codes)
			require.Equal(t, index, part.Schema().Index)
		}
	}
	is(engine.FourBits, engine.AutoIndex)
	for _, to := range []engine.Codes{engine.SevenBits, engine.FourBits} {
		require.NoError(t, e.Alter(ctx, engine.Alter{
			Name:  docs.Name,
			Plan:  schema.Alter{Codes: &to}.Of,
			Alone: func(_ context.Context, run func() error) error { return run() },
			Done:  func(engine.Collection) {},
		}))
		is(to, engine.AutoIndex)
	}
	none := engine.NoIndex
	require.NoError(t, e.Alter(ctx, engine.Alter{
		Name:  docs.Name,
		Plan:  schema.Alter{Index: &none}.Of,
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	}))
	is(engine.FourBits, engine.NoIndex)
}
