package enginetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// codes: a schema can ask for short codes where there are codes, from the beginning or
// later, and what is found stays what it was.
func (s *suite) codes(t *testing.T) {
	ctx := t.Context()
	const dim = 48
	schema := vecwire.Schema{Name: s.name(), Dim: dim, Codes: vecwire.FourBits + 1}
	_, err := s.db.CreateCollection(ctx, schema)
	var bad *vecwire.SchemaError
	require.ErrorAs(t, err, &bad)
	require.ErrorContains(t, err, "Codes is 2, want SevenBits or FourBits")

	short := vecwire.FourBits
	schema.Codes = short
	if !s.caps.Codes {
		for _, make := range []func() error{
			func() error { _, err := s.db.CreateCollection(ctx, schema); return err },
			func() error { _, err := s.db.EnsureCollection(ctx, schema); return err },
			func() error { return s.db.AlterCollection(ctx, schema.Name, vecwire.Alter{Codes: &short}) },
		} {
			err := make()
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, "Schema.Codes")
		}
		return
	}
	c, err := s.db.CreateCollection(ctx, schema)
	require.NoError(t, err)
	require.Equal(t, vecwire.FourBits, c.Schema().Codes)
	rng := rand.New(rand.NewPCG(48, 1))
	vector := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	var records []vecwire.Record
	for i := range 2100 { // so many that exact searches read codes
		records = append(records, vecwire.Record{ID: fmt.Sprint(i), Vector: vector()})
	}
	require.NoError(t, c.Upsert(ctx, records...))
	q := vecwire.Query{Vector: vector(), K: 20, IDsOnly: true, Exact: true}
	want, err := c.Search(ctx, q)
	require.NoError(t, err)
	require.Len(t, want, 20)
	is := func(codes vecwire.Codes) {
		t.Helper()
		there, err := s.db.OpenCollection(ctx, schema.Name)
		require.NoError(t, err)
		for _, c := range []*vecwire.Collection{c, there} {
			require.Equal(t, codes, c.Schema().Codes)
			got, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	is(vecwire.FourBits)
	alter := func(codes vecwire.Codes) error {
		return s.db.AlterCollection(ctx, schema.Name, vecwire.Alter{Codes: &codes})
	}
	require.ErrorAs(t, alter(vecwire.FourBits+1), &bad)
	is(vecwire.FourBits)
	require.NoError(t, alter(vecwire.SevenBits))
	is(vecwire.SevenBits)
	schema.Codes = vecwire.SevenBits // the default says nothing of codes that there are
	_, err = s.db.EnsureCollection(ctx, schema)
	require.NoError(t, err)
	is(vecwire.SevenBits)
	schema.Codes = vecwire.FourBits
	_, err = s.db.EnsureCollection(ctx, schema)
	require.NoError(t, err)
	is(vecwire.FourBits)
	schema.Codes = vecwire.SevenBits
	_, err = s.db.EnsureCollection(ctx, schema)
	require.NoError(t, err)
	is(vecwire.FourBits)
	require.NoError(t, s.db.DropCollection(ctx, schema.Name))
}
