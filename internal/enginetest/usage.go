package enginetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// usage: Usage says what the parts of a collection take, and follows what is stored.
func (s *suite) usage(t *testing.T) {
	ctx := t.Context()
	const n, dim = 2000, 32
	schema := vecwire.Schema{Dim: dim, Index: vecwire.NoIndex, Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}}}
	if s.caps.Vectors {
		schema.Vectors = []vecwire.VectorField{{Name: "title", Dim: 2}}
	}
	c := s.create(t, schema)
	if !s.caps.Usage {
		_, err := c.Usage(ctx)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	total := func(u vecwire.Usage) int64 { return u.Memory + u.Mapped + u.Server }
	before, err := c.Usage(ctx)
	require.NoError(t, err)

	rng := rand.New(rand.NewPCG(7, 7))
	records := make([]vecwire.Record, n)
	for i := range records {
		r := vecwire.Record{ID: fmt.Sprint(i), Vector: make([]float32, dim)}
		for j := range r.Vector {
			r.Vector[j] = float32(rng.NormFloat64())
		}
		if s.caps.Vectors {
			r.Vectors = map[string][]float32{"title": {1, float32(i)}}
		}
		records[i] = r
	}
	require.NoError(t, c.Upsert(ctx, records...))
	after, err := c.Usage(ctx)
	require.NoError(t, err)
	require.Greater(t, total(after)-total(before), int64(4*n*dim), "the vectors are in it")
	require.Less(t, total(after), int64(40*n*dim), "and it is not beyond all measure")
	var sum vecwire.Usage
	named := false
	for _, p := range after.Parts {
		require.NotEmpty(t, p.Name)
		require.False(t, p.Memory < 0 || p.Mapped < 0 || p.Server < 0, "%+v", p)
		sum.Memory += p.Memory
		sum.Mapped += p.Mapped
		sum.Server += p.Server
		named = named || p.In == "title"
	}
	require.Equal(t, []int64{sum.Memory, sum.Mapped, sum.Server}, []int64{after.Memory, after.Mapped, after.Server})
	require.Equal(t, s.caps.Vectors, named)

	if s.caps.Vectors {
		title, err := c.In("title")
		require.NoError(t, err)
		part, err := title.Usage(ctx)
		require.NoError(t, err)
		require.Positive(t, total(part))
		require.Less(t, total(part), total(after))
	}
	if s.caps.Indexes {
		require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
		indexed, err := c.Usage(ctx)
		require.NoError(t, err)
		require.Greater(t, total(indexed), total(after))
	}
	acme, err := c.Namespace("acme")
	require.NoError(t, err)
	_, err = acme.Usage(ctx)
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name))
	_, err = c.Usage(ctx)
	require.ErrorIs(t, err, vecwire.ErrNotFound)
}
