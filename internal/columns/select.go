package columns

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/vecwire/vecwire/filter"
)

// Select implements Column.
func (c *column[K]) Select(dst, live Set, f filter.Filter, negated bool) {
	op := f.Op()
	if op == filter.OpIsNull {
		if negated {
			dst.Or(c.present)
			return
		}
		dst.Or(live)
		dst.AndNot(c.present)
		return
	}
	if len(f.Values()) == 0 { // true or false also of a missing value
		if (op == filter.OpNotIn || op == filter.OpContainsAll) != negated {
			dst.Or(live)
		}
		return
	}
	if op == filter.OpNe || op == filter.OpNotIn { // neither is true of a missing value
		negated = !negated
	}
	if c.o.Lists {
		c.selectLists(dst, f, negated)
		return
	}
	c.base.fill(dst, c.spans(c.base, f, negated))
	dst.AndNot(c.stale)
	c.delta.fill(dst, c.spans(c.delta, f, negated))
}

// selectLists is Select of whether lists have elements.
func (c *column[K]) selectLists(dst Set, f filter.Filter, negated bool) {
	if f.Op() == filter.OpContainsAny {
		c.having(dst, f.Values())
	} else {
		one := make(Set, len(dst))
		for i, v := range f.Values() {
			if i == 0 {
				c.having(dst, []any{v})
				continue
			}
			clear(one)
			c.having(one, []any{v})
			dst.And(one)
		}
	}
	if negated {
		dst.xor(c.present)
	}
}

// having puts the rows whose lists have one of the values into dst, which is empty.
func (c *column[K]) having(dst Set, values []any) {
	c.base.fill(dst, c.exactly(c.base, values))
	dst.AndNot(c.stale)
	c.delta.fill(dst, c.exactly(c.delta, values))
}

// spans returns the stretches of a run's keys for which a condition is true, or false.
func (c *column[K]) spans(r *run[K], f filter.Filter, negated bool) []span {
	within := span{0, r.keys.len()} // of what can be told
	ks := func(i int) K { return c.o.Key(f.Values()[i]) }
	if c.o.Kind != nil && !equality(f.Op()) {
		first, after := c.o.Kind(ks(0))
		within = span{lower(r.keys, first), lower(r.keys, after)}
	}
	var spans []span
	switch f.Op() {
	case filter.OpEq, filter.OpNe, filter.OpIn, filter.OpNotIn:
		spans = c.exactly(r, f.Values())
	case filter.OpGt:
		spans = []span{{upper(r.keys, ks(0)), within.to}}
	case filter.OpGe:
		spans = []span{{lower(r.keys, ks(0)), within.to}}
	case filter.OpLt:
		spans = []span{{within.from, lower(r.keys, ks(0))}}
	case filter.OpLe:
		spans = []span{{within.from, upper(r.keys, ks(0))}}
	case filter.OpBetween:
		from, to := lower(r.keys, ks(0)), upper(r.keys, ks(1))
		spans = []span{{from, max(from, to)}}
	case filter.OpPrefix:
		spans = []span{withPrefix(r.keys, ks(0), within)}
	case filter.OpContains, filter.OpLike:
		spans = c.testing(r, f, within)
	}
	if negated {
		return others(spans, within)
	}
	return spans
}

func equality(op filter.Op) bool {
	return op == filter.OpEq || op == filter.OpNe || op == filter.OpIn || op == filter.OpNotIn
}

// exactly returns the stretches of keys that are one of the values.
func (c *column[K]) exactly(r *run[K], values []any) []span {
	wanted := make([]K, len(values))
	for i, v := range values {
		wanted[i] = c.o.Key(v)
	}
	slices.Sort(wanted)
	var spans []span
	for i, k := range wanted {
		if i > 0 && wanted[i-1] == k {
			continue
		}
		if at := lower(r.keys, k); at < r.keys.len() && r.keys.at(at) == k {
			spans = join(spans, span{at, at + 1})
		}
	}
	return spans
}

// join appends a stretch that comes after the others.
func join(spans []span, s span) []span {
	if n := len(spans); n > 0 && spans[n-1].to == s.from {
		spans[n-1].to = s.to
		return spans
	}
	return append(spans, s)
}

// others returns the stretches between others, which are in order.
func others(spans []span, within span) []span {
	var out []span
	from := within.from
	for _, s := range spans {
		if from < s.from {
			out = append(out, span{from, s.from})
		}
		from = max(from, s.to)
	}
	if from < within.to {
		out = append(out, span{from, within.to})
	}
	return out
}

// withPrefix returns the stretch of texts that begin with one.
func withPrefix[K cmp.Ordered](all keys[K], prefix K, within span) span {
	p, _ := any(prefix).(string)
	from := max(within.from, lower(all, prefix))
	n := sort.Search(within.to-from, func(i int) bool {
		k, _ := any(all.at(from + i)).(string)
		return !strings.HasPrefix(k, p)
	})
	return span{from, from + n}
}

// testing returns the stretches of texts that pass a condition, which each is put to.
func (c *column[K]) testing(r *run[K], f filter.Filter, within span) (spans []span) {
	part, _ := f.Values()[0].(string)
	passes := func(s string) bool { return strings.Contains(s, part) }
	if f.Op() == filter.OpLike {
		passes = func(s string) bool { return filter.MatchLike(part, s) }
	}
	for i := within.from; i < within.to; i++ {
		k := r.keys.at(i)
		s, _ := any(k).(string)
		if c.o.Kind != nil { // without the byte that says what kind the value has
			s = s[1:]
		}
		if passes(s) {
			spans = join(spans, span{i, i + 1})
		}
	}
	return spans
}

// manyKeys is from how many on it takes long to put a condition to each.
const manyKeys = 200

// Dear implements Column.
func (c *column[K]) Dear(f filter.Filter) bool {
	switch f.Op() {
	case filter.OpContains, filter.OpLike:
		return c.base.keys.len() > manyKeys
	case filter.OpIn, filter.OpNotIn, filter.OpContainsAny, filter.OpContainsAll:
		return len(f.Values()) > manyKeys
	}
	return false
}
