package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// generator makes random records and filters for a schema.
type generator struct {
	*rand.Rand
	schema vecwire.Schema
}

func newGenerator(seed uint64, schema vecwire.Schema) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 0)), schema}
}

// allTypes is a field of each type, and some of them once more with an index.
func allTypes() []vecwire.Field {
	return []vecwire.Field{
		{Name: "s", Type: vecwire.String}, {Name: "i", Type: vecwire.Int}, {Name: "f", Type: vecwire.Float},
		{Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
		{Name: "si", Type: vecwire.String, Index: true}, {Name: "ii", Type: vecwire.Int, Index: true}, {Name: "fi", Type: vecwire.Float, Index: true},
		{Name: "bi", Type: vecwire.Bool, Index: true}, {Name: "ti", Type: vecwire.Time, Index: true}, {Name: "yi", Type: vecwire.Bytes, Index: true},
	}
}

// pools are values that are easily got wrong. They are few, so that random
// filters hit random records.
var pools = map[vecwire.FieldType][]any{
	vecwire.String: {
		"", " ", "a", "A", "z", "Z", "aa", "ab", "abc", "a ", " a", "a%b", "a_b", `a\b`, "axb", "%", "_", `\`, "'", "''", `"`, "é", "e\u0301", "ä",
		"ß", "ss", "I", "i", "ı", "日本", "日", "😀", "\uffff", "\u0001", "\n", "\u007f", "10", "9", "007", "NULL", "null", "true", "a\u00adb",
	},
	vecwire.Int: {
		int64(math.MinInt64), int64(math.MaxInt64), int64(math.MinInt64 + 1), int64(math.MaxInt64 - 1), int64(1 << 53), int64(-1 << 53),
		int64(1<<53 + 1), int64(-1<<53 - 1), int64(0), int64(1), int64(-1), int64(2), int64(9), int64(10), int64(100), int64(1 << 31), int64(-1 << 31),
	},
	vecwire.Float: {
		0.0, 1.0, -1.0, 0.1, 0.2, 0.1 + 0.2, 0.3, -2.5, 1.0 / 3, 1e21, 1e-7, 1e-300, -1e300, 123456789.123, 9.0, 10.0,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, float64(1 << 53), math.Nextafter(1, 2),
	},
	vecwire.Bool: {true, false},
	vecwire.Time: {
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Unix(0, 0).UTC(), time.Unix(-1, 999_999_000).UTC(), time.Date(1582, 10, 10, 1, 2, 3, 0, time.UTC), time.Date(1900, 3, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC), time.Date(2024, 2, 29, 23, 59, 59, 123_457_000, time.UTC),
		time.Date(2024, 3, 31, 2, 30, 0, 0, time.UTC), time.Date(999, 5, 6, 7, 8, 9, 100_000, time.UTC), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC),
	},
	vecwire.Bytes: {
		[]byte{}, []byte{0}, []byte{0, 0}, []byte{0xff}, []byte("abc"), []byte("ABC"), []byte("'"), []byte(`\x41`), []byte("A"), everyByte(),
	},
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func (g *generator) value(t vecwire.FieldType) any {
	if elem, list := t.Elem(); list {
		return g.list(elem)
	}
	pool := pools[t]
	return pool[g.IntN(len(pool))]
}

// vector returns a random vector of the schema's dimension.
func (g *generator) vector() []float32 {
	v := make([]float32, g.schema.Dim)
	for i := range v {
		v[i] = float32(g.NormFloat64())
	}
	return v
}

func (g *generator) vector64() []float64 {
	v := make([]float64, g.schema.Dim)
	for i := range v {
		v[i] = g.NormFloat64()
	}
	return v
}

// record returns a random record: some fields are missing, and some texts.
func (g *generator) record(id string) vecwire.Record {
	r := vecwire.Record{ID: id, Fields: vecwire.Fields{}}
	if g.schema.Element == vecwire.DOUBLE {
		r.Vector64 = g.vector64()
	} else {
		r.Vector = g.vector()
	}
	if g.IntN(4) > 0 {
		r.Text = fmt.Sprintf("text of %s, draft %d", id, g.IntN(1000))
	}
	for _, f := range g.schema.Fields {
		if g.IntN(4) > 0 {
			r.Fields[f.Name] = g.value(f.Type)
		}
	}
	return r
}

// records returns n random records with the IDs 0000, 0001 and so on.
func (g *generator) records(n int) []vecwire.Record {
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = g.record(fmt.Sprintf("%04d", i))
	}
	return records
}

// query returns a random query for 10 hits.
func (g *generator) query() vecwire.Query {
	if g.schema.Element == vecwire.DOUBLE {
		return vecwire.Query{Vector64: g.vector64(), K: 10, Exact: true}
	}
	return vecwire.Query{Vector: g.vector(), K: 10, Exact: true}
}

// filter returns a random filter, up to depth levels deep.
func (g *generator) filter(depth int) filter.Filter {
	if depth > 0 && g.IntN(3) > 0 {
		switch g.IntN(3) {
		case 0:
			return filter.Not(g.filter(depth - 1))
		case 1:
			return filter.And(g.filter(depth-1), g.filter(depth-1))
		default:
			return filter.Or(g.filter(depth-1), g.filter(depth-1), g.filter(depth-1))
		}
	}
	f := g.schema.Fields[g.IntN(len(g.schema.Fields))]
	all := g.comparisons(f)
	return all[g.IntN(len(all))]
}

// comparisons returns a filter of each operation that a field's type has, with
// random values.
func (g *generator) comparisons(f vecwire.Field) []filter.Filter {
	if elem, list := f.Type.Elem(); list {
		return g.listComparisons(f, elem)
	}
	name, v := f.Name, func() any { return g.value(f.Type) }
	all := []filter.Filter{
		filter.Eq(name, v()), filter.Ne(name, v()), filter.IsNull(name), filter.Not(filter.IsNull(name)),
		filter.In[any](name), filter.In(name, v()), filter.In(name, v(), v(), v()),
		filter.NotIn[any](name), filter.NotIn(name, v()), filter.NotIn(name, v(), v(), v()),
		filter.Not(filter.Eq(name, v())), filter.Not(filter.In(name, v(), v())), filter.Not(filter.NotIn(name, v(), v())),
	}
	if f.Type != vecwire.Bool && f.Type != vecwire.Bytes {
		all = append(all, filter.Gt(name, v()), filter.Ge(name, v()), filter.Lt(name, v()), filter.Le(name, v()),
			filter.Between(name, v(), v()), filter.Not(filter.Gt(name, v())), filter.Not(filter.Between(name, v(), v())))
	}
	if f.Type == vecwire.String {
		all = append(all, filter.Prefix(name, v().(string)), filter.Contains(name, v().(string)),
			filter.Not(filter.Prefix(name, v().(string))), filter.Not(filter.Contains(name, v().(string))))
	}
	return all
}
