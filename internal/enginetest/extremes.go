package enginetest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// beyondCosines has DOUBLE vectors whose squares are beyond float64, which their
// cosines are not. A record is stored and found as any other, or refused by name with
// the remedy; a query is answered in any case.
func (s *suite) beyondCosines(t *testing.T) {
	c := s.create(t, vecwire.Schema{Dim: 3, Element: vecwire.DOUBLE})
	m := newModel(c.Schema())
	g := newGenerator(81, c.Schema())
	upsert := func(id string, v []float64) {
		r := vecwire.Record{ID: id, Vector64: v}
		err := c.Upsert(t.Context(), r)
		if err == nil {
			m.upsert(r)
			return
		}
		require.False(t, s.caps.WideDoubles, "%v: %v", v, err)
		var record *vecwire.RecordError
		require.ErrorAs(t, err, &record)
		require.Equal(t, id, record.ID)
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, "vector", value.Field)
		require.ErrorContains(t, err, "scale the vector")
		require.GreaterOrEqual(t, math.Abs(math.Log10(math.Abs(v[0]))), 149.0, "squares of %v fit into a float64", v)

		// One bad member costs one member, and a change is held to the same.
		_, err = c.Ingest(t.Context(), input(r, vecwire.Record{ID: "beside " + id, Vector64: []float64{1, 2, 3}}), vecwire.IngestOptions{})
		if err != nil && !errors.As(err, new(*vecwire.BatchError)) {
			require.NoError(t, err)
		}
		m.upsert(vecwire.Record{ID: "beside " + id, Vector64: []float64{1, 2, 3}})
		if s.caps.Update {
			err = c.Update(t.Context(), vecwire.Change{ID: "beside " + id, Vector64: v})
			require.ErrorAs(t, err, &value)
			require.ErrorContains(t, err, "scale the vector")
		}
	}
	exponents := []int{-300, -250, -200, -155, -140, -100, 0, 100, 140, 155, 200, 250, 305}
	if s.target.Light {
		exponents = []int{-200, -140, 0, 140, 200}
	}
	vector := func(exponent int) []float64 {
		scale := math.Pow(10, float64(exponent))
		return []float64{scale, scale * g.NormFloat64() / 4, -scale * g.NormFloat64() / 4}
	}
	for _, e := range exponents {
		upsert(fmt.Sprint("e", e), vector(e))
	}
	require.GreaterOrEqual(t, len(m.records), 3)
	m.expectAll(t, c)
	for _, e := range exponents {
		m.expectSearch(t, c, vecwire.Query{Vector64: vector(e), K: 30})
	}
}
