package ann

import "slices"

// mend gives row neighbours in place of those that are stale: it chooses among
// the others and the neighbours that the stale ones have, as FreshDiskANN does
// (Singh et al., arXiv 2105.09613, algorithm 4). It reports whether that changed the
// list, and how many neighbours row has left then.
func (l *links) mend(w *walker, row int32, level int, stale *nodeSet) (changed bool, left int) {
	w.list = l.read(w.list[:0], row, level)
	if !slices.ContainsFunc(w.list, stale.has) {
		return false, len(w.list)
	}
	const enough = 512 // candidates
	own := len(w.list)
	// Beyond own come the neighbours of stale rows, and of stale ones among them if
	// there are few others.
	some := 0
	for i := 0; i < len(w.list) && len(w.list) < enough && (i < own || some < l.m); i++ {
		if stale.has(w.list[i]) {
			w.list = l.read(w.list, w.list[i], level)
		}
		if i+1 == own {
			for _, r := range w.list {
				if !stale.has(r) {
					some++
				}
			}
		}
	}
	rows := slices.DeleteFunc(w.list, func(r int32) bool { return r == row || stale.has(r) })
	w.sort(row, rows)
	w.sorted = slices.Compact(w.sorted)
	w.list = w.choose(rows[:0], w.sorted, len(l.list(row, level)), stale)
	// Three quarters of M keep recall what it is in a fresh graph when half of the
	// rows is replaced time after time.
	w.list = fill(w.list, w.sorted, l.m*3/4, stale)
	l.set(row, level, w.list)
	return true, len(w.list)
}

// pickEntry finds another entry if the present one is stale: one of the linked rows
// on the highest level there is.
func (g *core) pickEntry(in *web) {
	row, _, ok := in.entry.top()
	if !ok || !in.stale.has(row) {
		return
	}
	best := noEntry
	for r := range g.members(in) {
		if in.fresh.has(r) {
			best = max(best, in.links.asEntry(r))
		}
	}
	in.entry.Store(best)
}
