package enginetest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// values: what a field holds comes back as the one Go type that stands for it,
// equal to what was written.
func (s *suite) values(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	m := newModel(c.Schema())
	add := func(fields vecwire.Fields) {
		id := fmt.Sprintf("%04d", len(m.records))
		m.upsert(vecwire.Record{ID: id, Vector: []float32{1, float32(len(m.records))}, Fields: fields})
	}
	for _, f := range c.Schema().Fields {
		for _, v := range pools[f.Type] {
			add(vecwire.Fields{f.Name: v})
		}
	}
	type lang string
	type count uint16
	add(vecwire.Fields{"s": lang("go"), "i": count(7), "f": float32(0.1), "t": "2024-01-15", "ti": "2024-01-15T10:00:00.123456789+02:00"})
	add(vecwire.Fields{"i": 3.0, "f": 3, "ii": int8(-3), "fi": math.Copysign(0, -1)})
	add(vecwire.Fields{"t": time.Date(2024, 1, 1, 0, 0, 0, 999_999_999, time.FixedZone("east", 5*3600+1800))})
	add(vecwire.Fields{"t": time.Date(1950, 1, 1, 0, 0, 0, 999_999_999, time.UTC)})
	add(vecwire.Fields{"s": "", "y": []byte{}})
	add(vecwire.Fields{"y": []byte(nil), "yi": []byte(nil)}) // empty, not missing: it is a []byte
	add(vecwire.Fields{})
	add(nil)
	g := newGenerator(41, c.Schema())
	for range s.sample(100) {
		add(vecwire.Fields{
			"i": g.Int64() - g.Int64(), "f": math.Float64frombits(g.Uint64() &^ (1 << 62)), // any finite number below 2
			"t": time.UnixMicro(g.Int64N(8e15) - 4e15), "s": g.prose(g.IntN(50)), "y": []byte(g.prose(g.IntN(50))),
		})
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))
	m.expectAll(t, c)
	m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 1}, K: len(m.records)})
}
