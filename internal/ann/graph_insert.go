package ann

import (
	"math"
	"slices"
	"sync/atomic"
)

// insert links row, which no list holds. It finds row's neighbours by walks over
// the codes, chooses among them, and makes row a neighbour of each (Malkov and
// Yashunin, Efficient and robust approximate nearest neighbor search using
// hierarchical navigable small world graphs, IEEE TPAMI 42, 2020, algorithm 1).
// Stale rows are crossed, but not chosen. Any number of inserts of different
// rows may run at the same time, and any number of walks. It returns how far the
// nearest and the checkK-th nearest row are that were found, as keys.
//
// enter offers the walk on level 0 more rows to begin at.
func (in *web) insert(w *walker, row int32, ef int, enter func(in *web, w *walker, best spot, ef int)) (near, far int32) {
	l, avoid := in.links, in.stale
	far = math.MaxInt32
	level := l.level(row)
	for i := range level + 1 {
		l.set(row, i, nil)
	}
	if in.entry.first(l.asEntry(row)) {
		return near, far
	}
	entry, top, _ := in.entry.top()
	w.row = row
	best := l.descend(w, entry, top, level)
	for i := min(level, top); i >= 0; i-- {
		w.start(l.rows())
		w.visit(row)
		w.visit(best.row())
		w.pool = append(w.pool, best)
		if i == 0 {
			enter(in, w, best, ef)
		}
		l.walk(w, ef, i)
		best = w.pool[0] &^ expanded
		w.near = w.choose(w.near[:0], w.pool, l.m, avoid)
		w.near = fill(w.near, w.pool, l.m/2, avoid)
		l.set(row, i, w.near)
		kept := false
		for _, r := range w.near {
			kept = l.add(w, r, row, i, avoid) || kept
		}
		if !kept && len(w.near) > 0 {
			l.force(w, w.near[0], row, i)
		}
	}
	if len(w.pool) >= checkK {
		near, far = w.pool[0].key(), w.pool[checkK-1].key()
	}
	in.entry.raise(l.asEntry(row))
	return near, far
}

// add makes row a neighbour of r. If r has too many then, it chooses among them. It
// reports whether row is one.
func (l *links) add(w *walker, r, row int32, level int, avoid *nodeSet) bool {
	mu := l.lock(r)
	mu.Lock()
	defer mu.Unlock()
	w.list = l.read(w.list[:0], r, level)
	if slices.Contains(w.list, row) {
		return true
	}
	list := l.list(r, level)
	if n := len(w.list); n < len(list) {
		atomic.StoreUint32(&list[n], uint32(row)+1)
		return true
	}
	w.list = append(w.list, row)
	w.sort(r, w.list)
	w.list = w.choose(w.list[:0], w.sorted, len(list), avoid)
	l.write(r, level, w.list)
	return slices.Contains(w.list, row)
}

// force makes row a neighbour of r, in the place of the last one if there is no room.
// A row that is nobody's neighbour is never found.
func (l *links) force(w *walker, r, row int32, level int) {
	mu := l.lock(r)
	mu.Lock()
	defer mu.Unlock()
	w.list = l.read(w.list[:0], r, level)
	if slices.Contains(w.list, row) {
		return
	}
	list := l.list(r, level)
	atomic.StoreUint32(&list[min(len(w.list), len(list)-1)], uint32(row)+1)
}

// sort sets w.sorted to rows by their distance from row.
func (w *walker) sort(row int32, rows []int32) {
	keys := sized(&w.keys, max(len(rows), cap(w.keys)))[:len(rows)]
	w.between(keys, row, rows)
	w.sorted = w.sorted[:0]
	for i, key := range keys {
		w.sorted = append(w.sorted, newSpot(key, rows[i]))
	}
	slices.Sort(w.sorted)
}

// choose appends to dst, which is empty, at most m of the candidates, nearest
// first, and leaves out those that are nearer to one chosen before than to the
// row that they are for (Malkov and Yashunin, algorithm 4, without its options), by a
// tenth of the squared distance: of two that are about as near a few more stay, as with
// DiskANN's alpha (Subramanya et al., NeurIPS 2019), with which walks compare fewer codes for
// what they find. With a fifth they find less of the last hundredth. Of
// those that are equal to that row it chooses m/2 at most: else rows that are equal have
// no neighbours but each other, and nothing else is reached through them, nor by what is
// linked in their place when they are deleted.
func (w *walker) choose(dst []int32, candidates []spot, m int, avoid *nodeSet) []int32 {
	if avoid.len() == 0 && len(candidates) <= m {
		for _, s := range candidates {
			dst = append(dst, s.row())
		}
		return dst
	}
next:
	for _, s := range candidates {
		if len(dst) == m {
			break
		}
		row, key := s.row(), s.key()
		if avoid.has(row) || key <= 0 && len(dst) >= m/2 {
			continue
		}
		limit := key
		if w.exact == nil { // keys of vectors are in order, and no more
			limit = int32(int64(key) * 10 / 11)
		}
		const some = 8 // at a time: most are nearer to one of the first
		for i := 0; i < len(dst); i += some {
			near := dst[i:min(i+some, len(dst))]
			keys := w.keys[:len(near)]
			w.between(keys, row, near)
			for _, k := range keys {
				if k < limit {
					continue next
				}
			}
		}
		dst = append(dst, row)
	}
	return dst
}

// fill appends the nearest of the candidates that are neither in dst nor in avoid,
// until it has n rows. choose leaves few where data is dense, and a few more find
// more in the same time.
func fill(dst []int32, candidates []spot, n int, avoid *nodeSet) []int32 {
	for _, s := range candidates {
		if len(dst) >= n {
			break
		}
		if row := s.row(); !slices.Contains(dst, row) && !avoid.has(row) {
			dst = append(dst, row)
		}
	}
	return dst
}
