package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// namedSchema has two vectors beside the records' own, of other dimensions and metrics.
func namedSchema() vecwire.Schema {
	return vecwire.Schema{
		Dim: 3, FullText: vecwire.NoFullText,
		Fields: []vecwire.Field{{Name: "title", Type: vecwire.String}, {Name: "n", Type: vecwire.Int, Index: true}},
		Vectors: []vecwire.VectorField{
			{Name: "head", Dim: 4, Metric: vecwire.Dot, Model: "heads", Source: "title"}, {Name: "image", Dim: 2},
		},
	}
}

// namedRecords returns records some of which lack some of their vectors.
func namedRecords(n int) []vecwire.Record {
	g := rand.New(rand.NewPCG(17, 0))
	vector := func(dim int) []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(g.NormFloat64())
		}
		return v
	}
	out := make([]vecwire.Record, n)
	for i := range out {
		r := vecwire.Record{ID: fmt.Sprintf("r%04d", i), Vector: vector(3), Text: fmt.Sprint("text ", i), Fields: vecwire.Fields{"n": int64(i), "title": fmt.Sprint("title ", i)}}
		if i%3 != 0 {
			r.Vectors = map[string][]float32{"head": vector(4)}
			if i%2 == 0 {
				r.Vectors["image"] = vector(2)
			}
		}
		out[i] = r
	}
	return out
}

// named: records have several vectors, which are stored, changed, found and deleted with
// them.
func (s *suite) named(t *testing.T) {
	if !s.caps.Vectors {
		schema := namedSchema()
		schema.Name = s.name()
		_, err := s.db.CreateCollection(t.Context(), schema)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, "several vectors")
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	run(t, "Reading", s.namedReading)
	run(t, "Search", s.namedSearch)
	run(t, "Fusion", s.namedFusion)
	run(t, "Writing", s.namedWriting)
	run(t, "Refusals", s.namedRefusals)
	run(t, "Alter", s.namedAlter)
	run(t, "Alter nothing", s.namedAlterNothing)
	run(t, "Transactions", s.namedTransactions)
	run(t, "Namespaces", s.namedNamespaces)
	run(t, "Embedding", s.namedEmbedding)
	run(t, "Ingest", s.namedIngest)
	run(t, "Index", s.namedIndex)
	run(t, "Mirror", s.namedMirror)
	run(t, "Reembed", s.namedReembed)
	run(t, "ReembedOne", s.namedReembedOne)
	run(t, "Doubles", s.namedDoubles)
	run(t, "Model", s.namedModel)
}

// expectNamed checks that the collection has exactly these records, by Get, by a scan,
// and by a search through each vector.
func expectNamed(t testing.TB, c *vecwire.Collection, want []vecwire.Record) {
	t.Helper()
	ctx := t.Context()
	ids := make([]string, len(want))
	for i, r := range want {
		ids[i] = r.ID
	}
	got, err := c.Get(ctx, ids...)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
	var scanned []vecwire.Record
	for r, err := range c.All(ctx, vecwire.Scan{Vectors: true}) {
		require.NoError(t, err)
		scanned = append(scanned, r)
	}
	require.ElementsMatch(t, want, scanned)
	for name, q := range map[string][]float32{"head": {1, -2, 0.5, 3}, "image": {1, 2}} {
		hits, err := c.Search(ctx, vecwire.Query{In: name, Vector: q, K: len(want) + 1, Exact: true, Vectors: true})
		require.NoError(t, err)
		require.Equal(t, nearest(want, name, q, len(want)+1, func(vecwire.Record) bool { return true }), hitIDs(hits), name)
		for _, h := range hits {
			i := slices.IndexFunc(want, func(r vecwire.Record) bool { return r.ID == h.ID })
			require.Equal(t, want[i], h.Record)
		}
		in, err := c.In(name)
		require.NoError(t, err)
		hits, err = in.Search(ctx, vecwire.Query{Vector: q, K: 3, Exact: true, Vectors: true})
		require.NoError(t, err)
		for _, h := range hits {
			require.Equal(t, h.Vectors[name], h.Vector, "seen through it, the vector takes the place of the own one")
		}
	}
}

func (s *suite) namedReading(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, namedSchema())
	require.Equal(t, namedSchema().Vectors, c.Schema().Vectors)
	want := namedRecords(60)
	require.NoError(t, c.Upsert(ctx, want...))
	expectNamed(t, c, want)
	opened, err := s.db.OpenCollection(ctx, c.Schema().Name)
	require.NoError(t, err)
	require.Equal(t, namedSchema().Vectors, opened.Schema().Vectors)
	expectNamed(t, opened, want)
	all, err := s.db.Collections(ctx)
	require.NoError(t, err)
	for _, other := range all {
		require.NotContains(t, other.Name, "vecwire_", "what is kept beside a collection is not listed")
	}
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 1}, K: 3, Vectors: true})
	require.NoError(t, err)
	for _, h := range hits {
		i := slices.IndexFunc(want, func(r vecwire.Record) bool { return r.ID == h.ID })
		require.Equal(t, want[i], h.Record)
	}
	in, err := c.In("image")
	require.NoError(t, err)
	require.Equal(t, 2, in.Schema().Dim)
	records, err := in.Get(ctx, "r0002", "r0003")
	require.NoError(t, err)
	require.Equal(t, want[2].Vectors["image"], records[0].Vector)
	require.Nil(t, records[1].Vector)
}

func (s *suite) namedWriting(t *testing.T) {
	defer s.namedChecked(t)
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(40)
	require.NoError(t, c.Upsert(ctx, want...))
	// An Upsert replaces the whole record.
	want[1].Vectors = nil
	want[2].Vectors = map[string][]float32{"image": {9, 9}}
	want[3].Vectors = map[string][]float32{"head": {1, 2, 3, 4}}
	require.NoError(t, c.Upsert(ctx, want[1:4]...))
	expectNamed(t, c, want)
	if s.caps.Insert {
		more := namedRecords(44)[40:]
		require.NoError(t, c.Insert(ctx, more...))
		want = append(want, more...)
		require.ErrorIs(t, c.Insert(ctx, more[0]), vecwire.ErrExists)
		expectNamed(t, c, want)
	}
	if s.caps.Update {
		require.NoError(t, c.Update(ctx,
			vecwire.Change{ID: "r0004", Vectors: map[string][]float32{"image": {7, 8}}},
			vecwire.Change{ID: "r0005", Vectors: map[string][]float32{"head": nil}, Set: vecwire.Fields{"n": 500}},
			vecwire.Change{ID: "r0007", Vector: []float32{4, 5, 6}}))
		want[4].Vectors["image"], want[5].Vectors, want[5].Fields["n"], want[7].Vector = []float32{7, 8}, nil, int64(500), []float32{4, 5, 6}
		expectNamed(t, c, want)
		// All or none.
		err := c.Update(ctx, vecwire.Change{ID: "r0008", Vectors: map[string][]float32{"image": {1, 1}}},
			vecwire.Change{ID: "none", Vectors: map[string][]float32{"image": {1, 1}}})
		require.ErrorIs(t, err, vecwire.ErrNotFound)
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		require.Equal(t, "none", batch.Failed[0].ID)
		if s.caps.UpdateIf {
			err = c.Update(ctx, vecwire.Change{ID: "r0008", Vectors: map[string][]float32{"image": {1, 1}}, If: filter.Eq("n", 1)})
			require.ErrorIs(t, err, vecwire.ErrConflict)
		}
		n, err := c.UpdateWhere(ctx, filter.Eq("n", 8), vecwire.Fields{"title": "other"})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		want[8].Fields["title"] = "other"
		expectNamed(t, c, want)
	}
	n, err := c.Delete(ctx, "r0010", "r0011", "none")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	want = slices.Delete(want, 10, 12)
	expectNamed(t, c, want)
	n, err = c.DeleteWhere(ctx, filter.Between("n", 20, 29))
	require.NoError(t, err)
	require.Equal(t, 10, n)
	want = slices.DeleteFunc(want, func(r vecwire.Record) bool { n := r.Fields["n"].(int64); return n >= 20 && n <= 29 })
	expectNamed(t, c, want)
	// What was deleted comes back without its vectors.
	bare := vecwire.Record{ID: "r0010", Vector: []float32{1, 2, 3}, Fields: vecwire.Fields{"n": int64(10)}}
	require.NoError(t, c.Upsert(ctx, bare))
	want = append(want, bare)
	expectNamed(t, c, want)
	_, err = c.DeleteWhere(ctx, filter.Filter{})
	require.NoError(t, err)
	expectNamed(t, c, nil)
}

// namedChecked: a check that finds fault with nothing, whatever was written.
func (s *suite) namedChecked(t *testing.T) {
	report, err := s.db.Check(t.Context())
	if errors.Is(err, vecwire.ErrUnsupported) {
		return
	}
	require.NoError(t, err)
	require.Empty(t, report.Problems)
}

func (s *suite) namedRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, namedSchema())
	own := []float32{1, 2, 3}
	var dim *vecwire.DimensionError
	var value *vecwire.ValueError
	var schema *vecwire.SchemaError
	err := c.Upsert(ctx, vecwire.Record{ID: "a", Vector: own, Vectors: map[string][]float32{"head": {1, 2}}})
	require.ErrorAs(t, err, &dim)
	require.ErrorContains(t, err, "head")
	require.Equal(t, 4, dim.Want)
	err = c.Upsert(ctx, vecwire.Record{ID: "a", Vector: own, Vectors: map[string][]float32{"image": {0, 0}}})
	require.ErrorAs(t, err, &value)
	require.ErrorAs(t, c.Upsert(ctx, vecwire.Record{ID: "a", Vector: own, Vectors: map[string][]float32{"none": {1}}}), &schema)
	require.Equal(t, "none", schema.Field)
	_, err = c.Search(ctx, vecwire.Query{In: "none", Vector: own})
	require.ErrorAs(t, err, &schema)
	_, err = c.Search(ctx, vecwire.Query{In: "head", Vector: own})
	require.ErrorAs(t, err, &dim)
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
	in, err := c.In("head")
	require.NoError(t, err)
	require.ErrorIs(t, in.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2, 3, 4}}), vecwire.ErrUnsupported)
	_, err = in.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{"n": 1})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorIs(t, in.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": 1}}), vecwire.ErrUnsupported)
	_, err = in.In("image")
	require.Error(t, err)
	for name, wrong := range map[string]vecwire.VectorField{
		"a field's name":   {Name: "title", Dim: 2},
		"no name":          {Dim: 2},
		"the own one's":    {Name: "vector", Dim: 2},
		"no dimension":     {Name: "x"},
		"no such source":   {Name: "x", Dim: 2, Source: "none"},
		"a source of ints": {Name: "x", Dim: 2, Source: "n"},
		"a name twice":     {Name: "HEAD", Dim: 2},
	} {
		with := namedSchema()
		with.Name = s.name()
		with.Vectors = append(with.Vectors, wrong)
		_, err := s.db.CreateCollection(ctx, with)
		require.ErrorAs(t, err, &schema, name)
	}
}

func (s *suite) namedAlter(t *testing.T) {
	defer s.namedChecked(t)
	if !s.caps.Alter {
		return
	}
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(20)
	require.NoError(t, c.Upsert(ctx, want...))
	name := c.Schema().Name
	other := s.name()
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{Rename: other, RenameFields: map[string]string{"title": "caption"}}))
	require.Equal(t, "caption", c.Schema().Vectors[0].Source)
	require.NoError(t, s.db.AlterCollection(ctx, other, vecwire.Alter{Rename: name, RenameFields: map[string]string{"caption": "title"}}))
	expectNamed(t, c, want)
	var schema *vecwire.SchemaError
	require.ErrorAs(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"title"}}), &schema, "it is a source")
	require.ErrorAs(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropVectors: []string{"none"}}), &schema)
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropVectors: []string{"image"}, AddVectors: []vecwire.VectorField{{Name: "sound", Dim: 5}}}))
	_, err := c.In("image")
	require.ErrorAs(t, err, &schema)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "new", Vector: []float32{1, 1, 1}, Vectors: map[string][]float32{"sound": {1, 2, 3, 4, 5}}}))
	hits, err := c.Search(ctx, vecwire.Query{In: "sound", Vector: []float32{1, 2, 3, 4, 5}})
	require.NoError(t, err)
	require.Equal(t, []string{"new"}, hitIDs(hits))
	// EnsureCollection adds what is missing, and refuses what is otherwise.
	with := namedSchema()
	with.Name = name
	c, err = s.db.EnsureCollection(ctx, with)
	require.NoError(t, err)
	require.Len(t, c.Schema().Vectors, 3)
	records, err := c.Get(ctx, "r0002")
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"head": want[2].Vectors["head"]}, records[0].Vectors, "a vector that was dropped comes back empty")
	with.Vectors[0].Model = "another"
	_, err = s.db.EnsureCollection(ctx, with)
	require.ErrorIs(t, err, vecwire.ErrModelMismatch)
}

func (s *suite) namedTransactions(t *testing.T) {
	defer s.namedChecked(t)
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(10)
	require.NoError(t, c.Upsert(ctx, want...))
	stop := errors.New("stop")
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := c.Upsert(ctx, vecwire.Record{ID: "tx", Vector: []float32{1, 2, 3}, Vectors: map[string][]float32{"image": {1, 2}}}); err != nil {
			return err
		}
		if _, err := c.Delete(ctx, "r0002"); err != nil {
			return err
		}
		hits, err := c.Search(ctx, vecwire.Query{In: "image", Vector: []float32{1, 2}, K: 100, Vectors: true})
		if err != nil {
			return err
		}
		if ids := hitIDs(hits); ids[0] != "tx" || slices.Contains(ids, "r0002") {
			return fmt.Errorf("a transaction sees %v", ids)
		}
		return stop
	})
	require.ErrorIs(t, err, stop)
	expectNamed(t, c, want)
	require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := c.DeleteWhere(ctx, filter.Lt("n", 5)); err != nil {
			return err
		}
		return c.Upsert(ctx, want[2])
	}))
	expectNamed(t, c, append(slices.Clone(want[2:3]), want[5:]...))
}

func (s *suite) namedNamespaces(t *testing.T) {
	defer s.namedChecked(t)
	ctx := t.Context()
	schema := namedSchema()
	schema.Fields = append(schema.Fields, vecwire.Field{Name: vecwire.NamespaceField, Index: true})
	c := s.create(t, schema)
	a, err := c.Namespace("a")
	require.NoError(t, err)
	b, err := c.Namespace("b")
	require.NoError(t, err)
	ofA, ofB := namedRecords(30), namedRecords(12)
	for i := range ofB {
		ofB[i].Vectors = map[string][]float32{"image": {float32(i + 1), 1}}
	}
	require.NoError(t, a.Upsert(ctx, ofA...))
	require.NoError(t, b.Upsert(ctx, ofB...))
	expectNamed(t, a, ofA)
	expectNamed(t, b, ofB)
	_, err = b.DeleteWhere(ctx, filter.Filter{})
	require.NoError(t, err)
	expectNamed(t, a, ofA)
	expectNamed(t, b, nil)
}
