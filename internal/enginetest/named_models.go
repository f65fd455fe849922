package enginetest

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// namedDoubles: named vectors are float32, also those of a DOUBLE collection, and what is
// given of 64 bits for one is refused.
func (s *suite) namedDoubles(t *testing.T) {
	defer s.namedChecked(t)
	if !s.caps.Doubles {
		return
	}
	ctx := t.Context()
	schema := namedSchema()
	schema.Element = vecwire.DOUBLE
	c := s.create(t, schema)
	want := namedRecords(20)
	for i := range want {
		for _, x := range want[i].Vector {
			want[i].Vector64 = append(want[i].Vector64, float64(x)/3) // which no float32 is
		}
		want[i].Vector = nil
	}
	require.NoError(t, c.Upsert(ctx, want...))
	expectNamedIn := func() {
		t.Helper()
		got, err := c.Get(ctx, idsOf(want)...)
		require.NoError(t, err)
		require.Equal(t, want, got)
		hits, err := c.Search(ctx, vecwire.Query{In: "head", Vector: []float32{1, -2, 0.5, 3}, K: 20, Exact: true, Vectors: true})
		require.NoError(t, err)
		require.Equal(t, nearest(want, "head", []float32{1, -2, 0.5, 3}, 20, func(vecwire.Record) bool { return true }), hitIDs(hits))
		require.NotNil(t, hits[0].Vector64)
		hits, err = c.Search(ctx, vecwire.Query{Vector64: want[7].Vector64, K: 1, Exact: true, Vectors: true})
		require.NoError(t, err)
		require.Equal(t, want[7], hits[0].Record)
	}
	expectNamedIn()
	if s.caps.Update {
		want[1].Vectors["head"] = []float32{9, 8, 7, 6}
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: want[1].ID, Vectors: want[1].Vectors}))
		want[2].Vector64 = []float64{1e-9, 2, 3}
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: want[2].ID, Vector64: want[2].Vector64}))
		expectNamedIn()
	}
	in, err := c.In("head")
	require.NoError(t, err)
	require.Equal(t, vecwire.FLOAT, in.Schema().Element)
	hits, err := in.Search(ctx, vecwire.Query{Vector: []float32{9, 8, 7, 6}, K: 1, Exact: true, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, want[1].Vectors["head"], hits[0].Vector)

	for _, search := range []func() ([]vecwire.Hit, error){
		func() ([]vecwire.Hit, error) {
			return c.Search(ctx, vecwire.Query{In: "head", Vector64: []float64{1, 2, 3, 4}})
		},
		func() ([]vecwire.Hit, error) {
			return in.Search(ctx, vecwire.Query{Vector64: []float64{1, 2, 3, 4}})
		},
	} {
		var element *vecwire.ElementError
		_, err := search()
		require.ErrorAs(t, err, &element)
		require.Equal(t, vecwire.FLOAT, element.Want)
		require.Equal(t, vecwire.DOUBLE, element.Got)
	}
}

// namedModel: one name gets another model, while the others, and the records, stay as
// they are.
func (s *suite) namedModel(t *testing.T) {
	defer s.namedChecked(t)
	if !s.caps.Alter {
		return
	}
	ctx := t.Context()
	c := s.create(t, namedSchema())
	name := c.Schema().Name
	want := namedRecords(30)
	require.NoError(t, c.Upsert(ctx, want...))
	newer := newCounting("newer", 6)
	var schema *vecwire.SchemaError
	err := s.db.AlterCollection(ctx, name, vecwire.Alter{AddVectors: []vecwire.VectorField{{Name: "head", Dim: 6, Model: "newer", Source: "title"}}})
	require.ErrorAs(t, err, &schema, "it is there")
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropVectors: []string{"head"},
		AddVectors: []vecwire.VectorField{{Name: "head", Dim: 6, Model: "newer", Source: "title"}}}))
	for i := range want {
		want[i].Vectors = maps.Clone(want[i].Vectors)
		delete(want[i].Vectors, "head")
		if len(want[i].Vectors) == 0 {
			want[i].Vectors = nil
		}
	}
	got, err := c.Get(ctx, idsOf(want)...)
	require.NoError(t, err)
	require.Equal(t, want, got, "the old ones have gone, and nothing else")
	c, err = c.WithVectorEmbedder("head", newer)
	require.NoError(t, err)
	_, err = c.Ingest(ctx, c.All(ctx, vecwire.Scan{Vectors: true}), vecwire.IngestOptions{})
	require.NoError(t, err)
	for i := range want {
		if want[i].Vectors == nil {
			want[i].Vectors = map[string][]float32{}
		}
		want[i].Vectors["head"] = newer.vector(fmt.Sprint("title ", i))
	}
	got, err = c.Get(ctx, idsOf(want)...)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, len(want), newer.total())
	hits, err := c.Search(ctx, vecwire.Query{In: "head", Text: "title 7", K: 1, Exact: true})
	require.NoError(t, err)
	require.Equal(t, want[7].ID, hits[0].ID)

	// Reembed is about the records' own vectors, also by the name of what a vector is seen
	// through.
	in, err := c.In("head")
	require.NoError(t, err)
	require.Equal(t, "newer", in.Schema().Model)
	if s.caps.Reembed {
		c, _, err = s.db.Reembed(ctx, in.Schema().Name, newCounting("own", 3), vecwire.ReembedOptions{})
		require.NoError(t, err)
		got, err = c.Get(ctx, want[7].ID)
		require.NoError(t, err)
		require.Equal(t, want[7].Vectors, got[0].Vectors)
	}
}
