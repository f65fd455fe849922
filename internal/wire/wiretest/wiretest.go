// Package wiretest holds what the tests of the engines that talk to a server
// share. Nothing but tests imports it.
package wiretest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Buckets are the fields of the records that Records returns.
var Buckets = []engine.Field{{Name: "bucket", Type: filter.Int}}

// Records returns n records whose IDs begin with prefix, with the field "bucket"
// running from 0 to 9999 over and over.
func Records(prefix string, n, dim int, element codec.Element) []engine.Record {
	random := rand.New(rand.NewPCG(1, 2))
	records := make([]engine.Record, n)
	for i := range records {
		records[i] = engine.Record{ID: fmt.Sprintf("%s%06d", prefix, i), Vector: Vector(random, dim, element), Fields: []any{int64(i % 10_000)}}
	}
	return records
}

// Vector returns a random vector.
func Vector(random *rand.Rand, dim int, element codec.Element) (v engine.Vector) {
	for range dim {
		x := random.NormFloat64()
		if element == codec.FLOAT {
			v.F32 = append(v.F32, float32(x))
		} else {
			v.F64 = append(v.F64, x)
		}
	}
	return v
}

// IDs reads the IDs of all records of a collection, and fails the test if one is
// there twice.
func IDs(t testing.TB, c engine.Collection) map[string]bool {
	t.Helper()
	records, err := c.Scan(t.Context(), engine.Scan{Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, r := range records {
		if out[r.ID] {
			t.Fatalf("%s is stored twice", r.ID)
		}
		out[r.ID] = true
	}
	return out
}
