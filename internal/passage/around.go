package passage

import (
	"cmp"
	"math"
	"sort"
)

// Window is a run of places in one document, both ends included.
type Window struct {
	Document
	From, To int64
}

// Windows returns where the neighbours of hits are: those that are at most reach places
// away. Windows that touch are one. A nil hit has none.
func Windows[R any](hits []*Part[R], reach int) []Window {
	var all []Window
	for _, h := range hits {
		if h != nil {
			all = append(all, Window{h.Document, minus(h.Place, reach), plus(h.Place, reach)})
		}
	}
	sort.Slice(all, func(i, j int) bool { // as in Sort
		return cmp.Or(all[i].compare(all[j].Document), cmp.Compare(all[i].From, all[j].From)) < 0
	})
	out := all[:0]
	for _, w := range all {
		if n := len(out); n > 0 && out[n-1].Document == w.Document && w.From <= plus(out[n-1].To, 1) {
			out[n-1].To = max(out[n-1].To, w.To)
			continue
		}
		out = append(out, w)
	}
	return out
}

func plus(place int64, n int) int64 {
	if place > math.MaxInt64-int64(n) {
		return math.MaxInt64
	}
	return place + int64(n)
}

func minus(place int64, n int) int64 {
	if place < math.MinInt64+int64(n) {
		return math.MinInt64
	}
	return place - int64(n)
}

// Budget bounds what passages hold together.
type Budget struct {
	Most  int                   // 0 for no bound
	Count func(text string) int // measures a part's text
	spent int
}

// take takes the parts of a place into the budget, all or none.
func take[R any](b *Budget, parts []Part[R]) bool {
	if b.Most == 0 {
		return true
	}
	n := 0
	for i := range parts {
		if n += b.Count(parts[i].Text); n > b.Most-b.spent {
			return false
		}
	}
	b.spent += n
	return true
}

// at is a place of a document.
type at struct {
	document Document
	place    int64
}

// Around returns the passage of each hit: itself, and its neighbours among near, up to
// reach places away and without a gap. Hits come best first. They go into the budget
// before any neighbour, a hit that does not fit has no passage. Then come the nearest
// neighbours of all hits, then those one place further; a side whose next part does not
// fit, or is missing, ends there. Hits whose passages touch have the same one.
func Around[R any](hits []*Part[R], near []Part[R], reach int, b Budget) []*Passage[R] {
	there := gather(hits, near)
	taken := map[at]bool{}
	try := func(key at) bool {
		parts := there[key]
		if taken[key] || len(parts) == 0 {
			return taken[key]
		}
		taken[key] = take(&b, parts)
		return taken[key]
	}
	var sides []side
	for _, h := range hits {
		if h != nil && try(at{h.Document, h.Place}) {
			sides = append(sides, side{at{h.Document, h.Place}, -1}, side{at{h.Document, h.Place}, 1})
		}
	}
	for step := 0; step < reach && len(sides) > 0; step++ {
		going := sides[:0]
		for _, s := range sides {
			if s.next() && try(s.at) {
				going = append(going, s)
			}
		}
		sides = going
	}
	return passages(hits, there, taken)
}

// side is how far a passage has grown from a hit, in one direction.
type side struct {
	at
	direction int64
}

// next goes one place on, and reports whether there is one.
func (s *side) next() bool {
	if s.place == math.MaxInt64 && s.direction > 0 || s.place == math.MinInt64 && s.direction < 0 {
		return false
	}
	s.place += s.direction
	return true
}

// gather returns all parts by where they are. A hit counts as it was found, and not as
// it was read again.
func gather[R any](hits []*Part[R], near []Part[R]) map[at][]Part[R] {
	there := map[at][]Part[R]{}
	found := map[string]bool{}
	for _, h := range hits {
		if h != nil && !found[h.ID] {
			found[h.ID] = true
			there[at{h.Document, h.Place}] = append(there[at{h.Document, h.Place}], *h)
		}
	}
	for _, p := range near {
		if !found[p.ID] {
			found[p.ID] = true
			there[at{p.Document, p.Place}] = append(there[at{p.Document, p.Place}], p)
		}
	}
	for _, parts := range there {
		Sort(parts)
	}
	return there
}

// passages makes a passage of each run of places that were taken.
func passages[R any](hits []*Part[R], there map[at][]Part[R], taken map[at]bool) []*Passage[R] {
	out := make([]*Passage[R], len(hits))
	made := map[at]*Passage[R]{}
	for i, h := range hits {
		if h == nil || !taken[at{h.Document, h.Place}] {
			continue
		}
		first := side{at{h.Document, h.Place}, -1}
		for before := first; before.next() && taken[before.at]; {
			first = before
		}
		if made[first.at] == nil {
			made[first.at] = run(first.at, there, taken)
		}
		out[i] = made[first.at]
	}
	return out
}

func run[R any](from at, there map[at][]Part[R], taken map[at]bool) *Passage[R] {
	p := &Passage[R]{Document: from.document}
	for s := (side{from, 1}); taken[s.at]; {
		p.Parts = append(p.Parts, there[s.at]...)
		if !s.next() {
			break
		}
	}
	return p
}
