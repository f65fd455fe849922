package enginetest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// vectors: a vector is read back exactly as its element type stores it, and a
// DOUBLE collection takes either form.
func (s *suite) vectors(t *testing.T) {
	ctx := t.Context()
	negativeZero := float32(math.Copysign(0, -1))
	singles := [][]float32{
		{0.1, 0.2, 0.3}, {1.0 / 3, 2.0 / 3, -1.0 / 7}, {math.MaxFloat32, 1, -math.MaxFloat32}, {math.SmallestNonzeroFloat32, 1, -math.SmallestNonzeroFloat32},
		{1e-38, 1.1754942e-38, 1.17549435e-38}, {negativeZero, 1, 0}, {16777216, 16777217, 33554435}, {1e-7, 1e7, 123456.79}, {3.4028233e38, 9.999999e-5, 1e21},
		{0.3, 0.30000001, 0.29999998}, {1, 10, 100}, {5e-45, 2, 7.006492e-45},
	}
	metrics := []vecwire.Metric{vecwire.Cosine, vecwire.Dot}
	if s.caps.L2 {
		metrics = append(metrics, vecwire.L2)
	}
	for _, metric := range metrics {
		run(t, "FLOAT/"+metric.String(), func(t *testing.T) {
			c := s.create(t, vecwire.Schema{Dim: 3, Metric: metric})
			m := newModel(c.Schema())
			for i, v := range singles {
				m.upsert(vecwire.Record{ID: string(rune('a' + i)), Vector: v})
			}
			g := newGenerator(101, c.Schema())
			for i := range 100 {
				v := make([]float32, 3)
				for j := range v { // any bits that are a finite number
					v[j] = math.Float32frombits(g.Uint32() &^ (1 << (23 + g.UintN(8))))
				}
				v[0]++
				m.upsert(vecwire.Record{ID: string(rune('Ā' + i)), Vector: v})
			}
			require.NoError(t, c.Upsert(ctx, m.all()...))
			m.expectAll(t, c)
			got, err := c.Get(ctx, idsOf(m.all())...)
			require.NoError(t, err)
			expectRecords(t, m.all(), got, vector)
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 2, 3}, K: 1000, Vectors: true, Exact: true})
			require.NoError(t, err)
			require.Len(t, hits, len(m.records))
			for _, h := range hits {
				expectRecord(t, m.records[h.ID], h.Record, payload|vector)
			}
		})
	}

	if !s.caps.Doubles {
		return // eachKind checks that they are refused
	}
	run(t, "DOUBLE", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Element: vecwire.DOUBLE})
		m := newModel(c.Schema())
		longest := 1e300
		if !s.caps.WideDoubles { // beyondCosines checks that they are refused
			longest = 1e149
		}
		for i, v := range [][]float64{
			{0.1, 0.2, 0.30000000000000004}, {1.0 / 3, math.Pi, -math.E}, {math.Nextafter(1, 2), math.Nextafter(1, 0), 1}, {1e-300, longest, 1},
			{123456789.12345679, 9007199254740993, 1e22}, {math.SmallestNonzeroFloat64, 1, 2.2250738585072014e-308}, {5e-324, 1e-5, 0.1},
		} {
			m.upsert(vecwire.Record{ID: string(rune('a' + i)), Vector64: v})
		}
		m.upsert(vecwire.Record{ID: "single", Vector: []float32{0.1, 0.2, 0.3}}) // widened, not read as decimals
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectAll(t, c)

		q32, q64 := vecwire.Query{Vector: []float32{0.1, 0.2, 0.3}, K: 3, Exact: true}, vecwire.Query{K: 3, Exact: true}
		for _, x := range q32.Vector {
			q64.Vector64 = append(q64.Vector64, float64(x))
		}
		one, err := c.Search(ctx, q32)
		require.NoError(t, err)
		two, err := c.Search(ctx, q64)
		require.NoError(t, err)
		require.Equal(t, one, two, "Vector and Vector64 of the same numbers")
	})
	run(t, "DOUBLE refuses", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2, Element: vecwire.DOUBLE})
		for _, tt := range []struct {
			what   string
			record vecwire.Record
			field  string
			pos    int
		}{
			{"NaN", vecwire.Record{ID: "1", Vector64: []float64{1, math.NaN()}}, "vector", 1},
			{"infinity", vecwire.Record{ID: "1", Vector64: []float64{math.Inf(-1), 0}}, "vector", 0},
			{"NaN in a float32", vecwire.Record{ID: "1", Vector: []float32{1, float32(math.NaN())}}, "vector", 1},
			{"zeros", vecwire.Record{ID: "1", Vector64: []float64{0, 0}}, "vector", -1},
			{"two vectors", vecwire.Record{ID: "1", Vector64: []float64{1, 0}, Vector: []float32{1, 0}}, "vector", -1},
		} {
			run(t, tt.what, func(t *testing.T) {
				var e *vecwire.ValueError
				require.ErrorAs(t, c.Upsert(ctx, tt.record), &e)
				require.Equal(t, tt.field, e.Field)
				require.Equal(t, tt.pos, e.Pos)
				_, err := c.Search(ctx, vecwire.Query{Vector: tt.record.Vector, Vector64: tt.record.Vector64})
				require.ErrorAs(t, err, &e)
			})
		}
		var dim *vecwire.DimensionError
		require.ErrorAs(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector64: []float64{1}}), &dim)
		newModel(c.Schema()).expectAll(t, c)
	})
}
