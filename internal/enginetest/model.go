package enginetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// model is a collection as it should be: records in a map, searched by brute
// force in float64.
type model struct {
	schema  vecwire.Schema
	records map[string]vecwire.Record
}

func newModel(schema vecwire.Schema, records ...vecwire.Record) *model {
	m := &model{schema, map[string]vecwire.Record{}}
	m.upsert(records...)
	return m
}

func (m *model) upsert(records ...vecwire.Record) {
	for _, r := range records {
		m.records[r.ID] = m.stored(r)
	}
}

// stored returns a record as the collection gives it back.
func (m *model) stored(r vecwire.Record) vecwire.Record {
	out := vecwire.Record{ID: r.ID, Text: r.Text}
	if m.schema.Element == vecwire.DOUBLE {
		out.Vector64 = wide(r.Vector, r.Vector64)
	} else {
		out.Vector = slices.Clone(r.Vector)
	}
	for _, f := range m.schema.Fields {
		v := r.Fields[f.Name]
		if v == nil {
			continue
		}
		v, err := f.Type.Convert(f.Name, v)
		if err != nil {
			panic(err) // the suite's own mistake
		}
		if out.Fields == nil {
			out.Fields = vecwire.Fields{}
		}
		out.Fields[f.Name] = v
	}
	return out
}

func wide(v32 []float32, v64 []float64) []float64 {
	if v64 != nil {
		return slices.Clone(v64)
	}
	out := make([]float64, len(v32))
	for i, x := range v32 {
		out[i] = float64(x)
	}
	return out
}

// ids returns the IDs of the records that pass f, in order.
func (m *model) ids(f filter.Filter) []string {
	f, err := f.Check(m.typeOf)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", f, err)) // the suite's own mistake
	}
	ids := []string{}
	for id, r := range m.records {
		if evaluate(f, r) == yes {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (m *model) typeOf(field string) (vecwire.FieldType, bool) {
	if field == "id" || field == "text" {
		return vecwire.String, true
	}
	for _, f := range m.schema.Fields {
		if f.Name == field || f.Type == vecwire.JSON && strings.HasPrefix(field, f.Name+".") {
			return f.Type, true
		}
	}
	return 0, false
}

// all returns the records in the order of their IDs.
func (m *model) all() []vecwire.Record {
	var records []vecwire.Record
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		records = append(records, m.records[id])
	}
	return records
}

// scored is a record's ID and its exact score.
type scored struct {
	id    string
	score float64
}

// ranked returns all records that a query may find, the best first.
func (m *model) ranked(q vecwire.Query) []scored {
	var ranked []scored
	for _, id := range m.ids(q.Filter) {
		s, _ := m.score(q, id)
		ranked = append(ranked, scored{id, s})
	}
	slices.SortFunc(ranked, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.id, b.id))
	})
	return ranked
}

// score returns the exact score of a record, and how far from it an engine's
// may be: rounding errors grow with the sizes of the vectors.
func (m *model) score(q vecwire.Query, id string) (score, tolerance float64) {
	r := m.records[id]
	a, b := wide(q.Vector, q.Vector64), wide(r.Vector, r.Vector64)
	tolerance = 1e-5
	if m.schema.Element == vecwire.DOUBLE {
		tolerance = 1e-12
	}
	switch m.schema.Metric {
	case vecwire.Dot:
		return dot(a, b), tolerance * norm(a) * norm(b)
	case vecwire.L2:
		d := make([]float64, len(a))
		for i := range d {
			d[i] = a[i] - b[i]
		}
		return -norm(d), tolerance * (norm(a) + norm(b))
	default:
		return dot(direction(a), direction(b)), tolerance
	}
}

// direction returns v at the length 1.
func direction(v []float64) []float64 {
	out, n := make([]float64, len(v)), norm(v)
	for i, x := range v {
		out[i] = x / n
	}
	return out
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// norm is the length of v. It scales v, so that no square leaves float64's range.
func norm(v []float64) float64 {
	largest := 0.0
	for _, x := range v {
		largest = max(largest, math.Abs(x))
	}
	if largest == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range v {
		sum += x / largest * (x / largest)
	}
	return largest * math.Sqrt(sum)
}

// truth is SQL's: a comparison with a missing value is unknown.
type truth int8

const (
	no      truth = -1
	unknown truth = 0
	yes     truth = 1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// evaluate says whether a record passes a checked filter.
func evaluate(f filter.Filter, r vecwire.Record) truth {
	switch f.Op() {
	case filter.OpAll:
		return yes
	case filter.OpAnd:
		out := yes
		for _, arg := range f.Args() {
			if out = min(out, evaluate(arg, r)); out == no {
				break
			}
		}
		return out
	case filter.OpOr:
		out := no
		for _, arg := range f.Args() {
			if out = max(out, evaluate(arg, r)); out == yes {
				break
			}
		}
		return out
	case filter.OpNot:
		return -evaluate(f.Args()[0], r)
	}
	name, keys := f.Path()
	v := r.Fields[name]
	switch v.(type) {
	case map[string]any, []any:
		return evaluateJSON(f, v)
	}
	if len(keys) > 0 { // of no JSON at all
		return evaluateJSON(f, nil)
	}
	switch {
	case f.Field() == "id":
		v = r.ID
	case f.Field() == "text" && r.Text != "":
		v = r.Text
	}
	switch {
	case f.Op() == filter.OpIsNull:
		return truthOf(v == nil)
	case f.Op() == filter.OpIn && len(f.Values()) == 0:
		return no
	case f.Op() == filter.OpNotIn && len(f.Values()) == 0:
		return yes
	case f.Op() == filter.OpContainsAny && len(f.Values()) == 0:
		return no
	case f.Op() == filter.OpContainsAll && len(f.Values()) == 0:
		return yes
	case v == nil:
		return unknown
	}
	among := func() bool {
		return slices.ContainsFunc(f.Values(), func(w any) bool { return compare(v, w) == 0 })
	}
	w := f.Values()[0]
	switch f.Op() {
	case filter.OpEq:
		return truthOf(compare(v, w) == 0)
	case filter.OpNe:
		return truthOf(compare(v, w) != 0)
	case filter.OpGt:
		return truthOf(compare(v, w) > 0)
	case filter.OpGe:
		return truthOf(compare(v, w) >= 0)
	case filter.OpLt:
		return truthOf(compare(v, w) < 0)
	case filter.OpLe:
		return truthOf(compare(v, w) <= 0)
	case filter.OpIn:
		return truthOf(among())
	case filter.OpNotIn:
		return truthOf(!among())
	case filter.OpBetween:
		return truthOf(compare(v, w) >= 0 && compare(v, f.Values()[1]) <= 0)
	case filter.OpPrefix:
		return truthOf(strings.HasPrefix(v.(string), w.(string)))
	case filter.OpLike:
		return truthOf(likeForm(w.(string)).MatchString(v.(string)))
	case filter.OpWords:
		there := wordsOf(v.(string))
		return truthOf(!slices.ContainsFunc(wordsOf(w.(string)), func(word string) bool { return !slices.Contains(there, word) }))
	case filter.OpContainsAny:
		return truthOf(slices.ContainsFunc(f.Values(), func(w any) bool { return has(v, w) }))
	case filter.OpContainsAll:
		return truthOf(!slices.ContainsFunc(f.Values(), func(w any) bool { return !has(v, w) }))
	case filter.OpContains:
		return truthOf(strings.Contains(v.(string), w.(string)))
	}
	panic("unknown operation " + f.Op().String())
}

// compare orders two values of one type as Go does.
func compare(a, b any) int {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case int64:
		return cmp.Compare(x, b.(int64))
	case float64:
		return cmp.Compare(x, b.(float64))
	case time.Time:
		return x.Compare(b.(time.Time))
	case []byte:
		return bytes.Compare(x, b.([]byte))
	case bool:
		return cmp.Compare(truthOf(x), truthOf(b.(bool)))
	}
	switch x := a.(type) {
	case []string:
		return slices.Compare(x, b.([]string))
	case []int64:
		return slices.Compare(x, b.([]int64))
	case []float64:
		return slices.Compare(x, b.([]float64))
	case map[string]any, []any:
		if reflect.DeepEqual(a, b) {
			return 0
		}
		return 1
	}
	panic(fmt.Sprintf("no field value is a %T", a))
}

// has reports whether a list has an element.
func has(list, element any) bool {
	switch list := list.(type) {
	case []string:
		return slices.Contains(list, element.(string))
	case []int64:
		return slices.Contains(list, element.(int64))
	case []float64:
		return slices.Contains(list, element.(float64))
	}
	panic(fmt.Sprintf("no list is a %T", list))
}
