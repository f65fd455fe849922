package enginetest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// ordered returns the records that a scan must yield, in its order.
func (m *model) ordered(scan vecwire.Scan) []vecwire.Record {
	records := make([]vecwire.Record, 0, len(m.records))
	for _, id := range m.ids(scan.Filter) {
		records = append(records, m.records[id])
	}
	by := scan.OrderBy
	if by == "" || by == "id" {
		if scan.Desc {
			slices.Reverse(records)
		}
	} else {
		slices.SortStableFunc(records, func(a, b vecwire.Record) int { // those of the same value stay in the order of their IDs
			v, w := a.Fields[by], b.Fields[by]
			switch {
			case v == nil || w == nil:
				return cmp.Compare(truthOf(v == nil), truthOf(w == nil))
			case scan.Desc:
				return compare(w, v)
			default:
				return compare(v, w)
			}
		})
	}
	if scan.Limit > 0 {
		records = records[:min(scan.Limit, len(records))]
	}
	return records
}

// order: All goes by a field, in either direction, and goes on where it stopped.
func (s *suite) order(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	g := newGenerator(131, c.Schema())
	m := newModel(c.Schema(), g.records(s.sample(700))...) // more than one page, where the sample is not small
	for i, id := range []string{"B", "a", "A", "é", "日", "😀", "\uffff", " ", "~", "10", "9", "a b"} {
		r := g.record(id)
		r.Fields["i"], r.Fields["si"], r.Fields["f"] = i%3, strings.Repeat("long ", 200*i), math.Ldexp(1, 53+i) // integers that JSON writes with zeros behind their digits
		m.upsert(r)
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))
	fields := []string{"", "id"}
	for _, f := range c.Schema().Fields {
		if f.Type != vecwire.Bytes {
			fields = append(fields, f.Name)
		}
	}
	filters := []filter.Filter{{}, filter.Gt("id", "0040"), filter.Or(filter.IsNull("s"), filter.Ge("f", 0)), filter.IsNull("ti"), filter.Or()}

	for _, by := range fields {
		for _, desc := range []bool{false, true} {
			run(t, fmt.Sprintf("by %q, Desc %t", by, desc), func(t *testing.T) {
				expectRecords(t, m.ordered(vecwire.Scan{OrderBy: by, Desc: desc}), collect(t, c, vecwire.Scan{OrderBy: by, Desc: desc}), payload)
				for range s.sample(10) {
					scan := vecwire.Scan{OrderBy: by, Desc: desc, Filter: filters[g.IntN(len(filters))], Limit: g.IntN(40), Vectors: g.IntN(2) == 0}
					parts := payload
					if scan.Vectors {
						parts |= vector
					}
					expectRecords(t, m.ordered(scan), collect(t, c, scan), parts)
				}
			})
		}
	}
	run(t, "goes on behind any record", func(t *testing.T) {
		for _, by := range fields {
			for _, desc := range []bool{false, true} {
				scan := vecwire.Scan{OrderBy: by, Desc: desc}
				all := m.ordered(scan)
				for range s.sample(15) {
					at := g.IntN(len(all))
					next := scan
					next.After, next.Limit = scan.Token(all[at]), 1+g.IntN(20)
					require.Equal(t, idsOf(all[at+1:min(at+1+next.Limit, len(all))]), idsOf(collect(t, c, next)), "%q, Desc %t, after %q: %v", by, desc, all[at].ID, all[at].Fields[by])
				}
				last := scan
				last.After = scan.Token(all[len(all)-1])
				require.Empty(t, collect(t, c, last))
			}
		}
	})
	run(t, "pages make up the whole", func(t *testing.T) {
		for _, by := range []string{"id", "si", "f", "ti", "bi"} {
			for _, desc := range []bool{false, true} {
				scan := vecwire.Scan{OrderBy: by, Desc: desc, Filter: filter.Lt("id", "0100"), Limit: 7}
				var got []string
				for {
					page := collect(t, c, scan)
					got = append(got, idsOf(page)...)
					if len(page) < scan.Limit {
						break
					}
					scan.After = scan.Token(page[len(page)-1])
				}
				scan.Limit = 0
				require.Equal(t, idsOf(m.ordered(scan)), got, "%q, Desc %t", by, desc)
			}
		}
	})
	s.orderOfOne(t)
	s.orderWhileWritten(t)
	s.orderWithin(t)
	run(t, "Range", func(t *testing.T) {
		ranged := fields[2:]
		if s.target.Light {
			ranged = []string{"si", "f", "ti"}
		}
		for _, by := range ranged {
			for _, f := range filters {
				want := m.ordered(vecwire.Scan{OrderBy: by, Filter: f})
				want = slices.DeleteFunc(want, func(r vecwire.Record) bool { return r.Fields[by] == nil })
				least, greatest, err := c.Range(ctx, by, f)
				require.NoError(t, err)
				if len(want) == 0 {
					require.Nil(t, least)
					require.Nil(t, greatest)
					continue
				}
				require.True(t, sameValue(want[0].Fields[by], least), "%s of %s: %v", by, f, least)
				require.True(t, sameValue(want[len(want)-1].Fields[by], greatest), "%s of %s: %v", by, f, greatest)
			}
		}
	})
	run(t, "refusals", func(t *testing.T) {
		forged := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		token := vecwire.Scan{OrderBy: "i"}.Token(m.records["0001"])
		for name, scan := range map[string]vecwire.Scan{
			"Limit":                     {Limit: -1},
			"a token of another field":  {OrderBy: "ii", After: token},
			"a token of another way":    {OrderBy: "i", Desc: true, After: token},
			"an ID for a token":         {OrderBy: "i", After: "0001"},
			"a token that is cut off":   {OrderBy: "i", After: token[:len(token)-3]},
			"a value of another type":   {OrderBy: "i", After: vecwire.Scan{OrderBy: "i"}.Token(vecwire.Record{ID: "1", Fields: vecwire.Fields{"i": "x"}})},
			"a value that is no value":  {OrderBy: "i", After: vecwire.Scan{OrderBy: "i"}.Token(vecwire.Record{ID: "1", Fields: vecwire.Fields{"i": func() {}}})},
			"a time before all":         {OrderBy: "t", After: forged(`{"by":"t","id":"0001","value":-9223372036854775808}`)},
			"a token without an ID":     {OrderBy: "i", After: vecwire.Scan{OrderBy: "i"}.Token(vecwire.Record{})},
			"an ID that is no text":     {Desc: true, After: "\xff"},
			"something that is no text": {OrderBy: "i", After: "\xff"},
		} {
			err := firstError(t, c, scan)
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e, name)
			require.Contains(t, []string{"Limit", "After"}, e.Field, name)
		}
		for _, by := range []string{"nope", "I", "y", "text", "vector", `"; DROP TABLE victim; --`} {
			var e *vecwire.SchemaError
			require.ErrorAs(t, firstError(t, c, vecwire.Scan{OrderBy: by}), &e)
			require.Equal(t, by, e.Field)
			_, _, err := c.Range(ctx, by, filter.Filter{})
			require.ErrorAs(t, err, &e)
			require.Equal(t, by, e.Field)
		}
	})
}

// orderOfOne: what has few records, or none, has an order too.
func (s *suite) orderOfOne(t *testing.T) {
	run(t, "few records", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "at", Type: vecwire.Time, Index: true}}})
		m := newModel(c.Schema())
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, fields := range []vecwire.Fields{nil, {"at": day}, nil, {"at": day}, {"at": day.Add(time.Microsecond)}} {
			for _, desc := range []bool{false, true} {
				for _, limit := range []int{0, 1, 2, 3} {
					scan := vecwire.Scan{OrderBy: "at", Desc: desc, Limit: limit}
					require.Equal(t, idsOf(m.ordered(scan)), idsOf(collect(t, c, scan)))
				}
			}
			r := vecwire.Record{ID: fmt.Sprint(9 - len(m.records)), Vector: []float32{1, 2}, Fields: fields}
			m.upsert(r)
			require.NoError(t, c.Upsert(t.Context(), r))
		}
	})
}

// orderWhileWritten: writes beside a scan neither hide nor repeat the records that
// they leave alone, and a token outlives its record.
func (s *suite) orderWhileWritten(t *testing.T) {
	run(t, "while others write", func(t *testing.T) {
		ctx := t.Context()
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}})
		record := func(i int) vecwire.Record {
			return vecwire.Record{ID: fmt.Sprintf("%03d", i), Vector: []float32{1, 2}, Fields: vecwire.Fields{"n": i / 4}}
		}
		want := map[string]int{}
		for i := range 60 {
			require.NoError(t, c.Upsert(ctx, record(i)))
			if i%3 > 0 {
				want[record(i).ID] = 1
			}
		}
		scan, seen := vecwire.Scan{OrderBy: "n", Desc: true, Limit: 5}, map[string]int{}
		for page := 0; ; page++ {
			records := collect(t, c, scan)
			if len(records) == 0 {
				break
			}
			last := records[len(records)-1]
			scan.After = scan.Token(last)
			for _, r := range records {
				if want[r.ID] > 0 {
					seen[r.ID]++
				}
			}
			for i := 0; i < 60; i += 3 { // some go, and others come
				_, err := c.Delete(ctx, record(i).ID)
				require.NoError(t, err)
			}
			require.NoError(t, c.Upsert(ctx, record(100+page), vecwire.Record{ID: fmt.Sprintf("x%d", page), Vector: []float32{1, 2}}))
			if want[last.ID] == 0 {
				continue
			}
			_, err := c.Delete(ctx, last.ID)
			require.NoError(t, err)
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(seen)))
		require.Equal(t, want, seen)
	})
}

// orderWithin: a namespace has the order and the counts of its own records, and a
// mirror those of its collection.
func (s *suite) orderWithin(t *testing.T) {
	schema := vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: vecwire.NamespaceField, Index: true}, {Name: "s", Index: true}}}
	expect := func(t *testing.T, c *vecwire.Collection, m *model) {
		t.Helper()
		for _, by := range []string{"", "n", "s"} {
			for _, desc := range []bool{false, true} {
				scan := vecwire.Scan{OrderBy: by, Desc: desc}
				all := m.ordered(scan)
				expectRecords(t, all, collect(t, c, scan), payload)
				at := len(all) / 2
				scan.After = scan.Token(all[at])
				expectRecords(t, all[at+1:], collect(t, c, scan), payload)
			}
			if by == "" {
				continue
			}
			if s.caps.Facets {
				m.expectFacet(t, c, by, vecwire.FacetOptions{Limit: 3, Filter: filter.Gt("id", "0003")})
			}
			least, greatest, err := c.Range(t.Context(), by, filter.Filter{})
			require.NoError(t, err)
			all := slices.DeleteFunc(m.ordered(vecwire.Scan{OrderBy: by}), func(r vecwire.Record) bool { return r.Fields[by] == nil })
			require.Equal(t, []any{all[0].Fields[by], all[len(all)-1].Fields[by]}, []any{least, greatest})
		}
	}
	run(t, "in a namespace", func(t *testing.T) {
		c := s.create(t, schema)
		var parts []*vecwire.Collection
		var models []*model
		for i, name := range []string{"a", "b", "a.b"} {
			part, err := c.Namespace(name)
			require.NoError(t, err)
			g := newGenerator(uint64(134+i), part.Schema())
			m := newModel(part.Schema(), g.records(20)...)
			require.NoError(t, part.Upsert(t.Context(), m.all()...))
			parts, models = append(parts, part), append(models, m)
		}
		for i := range parts {
			expect(t, parts[i], models[i])
		}
	})
	run(t, "through a mirror", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: schema.Fields})
		g := newGenerator(137, c.Schema())
		m := newModel(c.Schema(), g.records(20)...)
		require.NoError(t, c.Upsert(t.Context(), m.all()...))
		mirror, err := c.Mirror(t.Context(), vecwire.MirrorOptions{})
		require.NoError(t, err)
		defer mirror.Close()
		expect(t, mirror.Collection, m)
	})
}

// firstError returns the error that a scan yields, which must be the only thing.
func firstError(t testing.TB, c *vecwire.Collection, scan vecwire.Scan) error {
	t.Helper()
	n, last := 0, error(nil)
	for _, err := range c.All(t.Context(), scan) {
		n, last = n+1, err
	}
	require.Equal(t, 1, n, "an error is the only thing that comes")
	return last
}
