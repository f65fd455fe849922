package ann

import (
	"math/bits"
	"sync/atomic"

	"github.com/vecwire/vecwire/internal/simd"
)

// A spot is a row in a walk's list of candidates, in one word that sorts by
// distance: the key in the upper half, its sign turned so that it compares as
// unsigned, then the row, then whether the row was expanded.
type spot uint64

const expanded = spot(1)

func newSpot(key, row int32) spot {
	return spot(uint32(key)^1<<31)<<32 | spot(uint32(row))<<1
}

func (s spot) key() int32 { return int32(uint32(s>>32) ^ 1<<31) }
func (s spot) row() int32 { return int32(s >> 1 & 0x7fffffff) }

// walker is the memory of one walk through the graph.
type walker struct {
	space   space
	exact   measurer // compares vectors; nil to compare codes
	query   codeQuery
	row     int32 // whose neighbours are looked for, or nobody for the query's
	visited []uint64
	pool    []spot // the candidates, nearest first
	at      []int32
	keys    []int32
	near    []int32 // neighbours that were chosen
	list    []int32 // a list that is rebuilt
	sorted  []spot  // candidates of a list that is rebuilt

	// With filtered, only rows that pass count; the others are crossed.
	filtered bool
	allowed  *Bitmap // nil for all
	live     *Bitmap
	passing  int // how many of pool pass

	waiting Bitmap // rows that a search's walk does not find and that count

	seen   int // how many rows' keys the walk computed
	review review
}

func newWalker(l *links) *walker {
	n := max(blockRows, together*l.m0+1)
	return &walker{row: nobody, at: make([]int32, n), keys: make([]int32, n)}
}

// start makes the walker ready for a walk of n rows.
func (w *walker) start(n int) {
	words := (n + 63) / 64
	if words > cap(w.visited) {
		w.visited = make([]uint64, words+words/4)
	}
	w.visited = w.visited[:words]
	clear(w.visited)
	w.pool = w.pool[:0]
	w.passing, w.seen = 0, 0
}

// measure sets dst[i] to the distance of row at[i], as a key, from what the walk
// looks for.
func (w *walker) measure(dst, at []int32) {
	switch {
	case w.row != nobody:
		w.between(dst, w.row, at)
	case w.exact != nil:
		w.exact.toQuery(dst, at)
	default:
		w.space.codes.keys(dst, &w.query, at)
	}
}

// between sets dst[i] to the distance of row and row at[i] as a key.
func (w *walker) between(dst []int32, row int32, at []int32) {
	if w.exact != nil {
		w.exact.between(dst, row, at)
		return
	}
	w.space.between(dst, row, at)
}

// visit marks row and reports whether it was not marked before.
func (w *walker) visit(row int32) bool {
	word, bit := &w.visited[row>>6], uint64(1)<<(row&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// passes reports whether row counts.
func (w *walker) passes(row int32) bool {
	i, bit := int(row>>6), uint64(1)<<(row&63)
	return w.live.word(i)&bit != 0 && (w.allowed == nil || w.allowed.word(i)&bit != 0)
}

// worst returns what a row must be less than to be a candidate.
func (w *walker) worst(ef int) spot {
	if n := len(w.pool); !w.filtered && n >= ef || w.filtered && w.passing >= ef {
		return w.pool[n-1]
	}
	return ^spot(0)
}

// offer puts a row that is less than worst among the candidates and returns its
// place. Of these only the ef nearest that pass are kept, and what is nearer than
// the last of them.
func (w *walker) offer(s spot, ef int) int {
	pool := w.pool
	if !w.filtered && len(pool) >= ef {
		pool = pool[:len(pool)-1]
	}
	i := place(pool, s)
	pool = append(pool, 0)
	copy(pool[i+1:], pool[i:])
	pool[i] = s
	if w.filtered {
		if w.passes(s.row()) {
			if w.passing++; w.passing > ef { // the last passes: another one does, before it
				w.passing--
				pool = pool[:len(pool)-1]
			}
		}
		if w.passing >= ef {
			for !w.passes(pool[len(pool)-1].row()) {
				pool = pool[:len(pool)-1]
			}
		}
	}
	w.pool = pool
	return i
}

// place returns the number of elements of pool that are less than s. It has no
// branch that depends on them: one that is taken every other time costs more than
// the rest.
func place(pool []spot, s spot) int {
	lo, n := 0, len(pool)
	for n > 1 {
		half := n / 2
		_, less := bits.Sub64(uint64(pool[lo+half-1]), uint64(s), 0)
		lo += half & -int(less)
		n -= half
	}
	if n == 1 && pool[lo] < s {
		lo++
	}
	return lo
}

// together is how many candidates a search expands at a time. What the first of them
// leads to may be nearer than the others, which are expanded all the same: that finds
// more, and the memory of all their neighbours is waited for once. A walk begins with one,
// as those that it has first are far from where it goes.
const together = 4

// walk expands the candidates of the pool, nearest first, until none is left: the
// pool then holds the ef nearest rows that were found. It reports false if a review stopped
// it.
func (l *links) walk(w *walker, ef, level int) bool {
	visited := w.visited
	for turn, next := 1, 0; next < len(w.pool); turn++ {
		most := 1
		if w.row == nobody {
			most = min(together, 1+turn/2)
		}
		at, n := w.at[:cap(w.at)], 0
		for taken := 0; taken < most && next < len(w.pool); next++ {
			s := w.pool[next]
			if s&expanded != 0 {
				continue
			}
			w.pool[next] |= expanded
			taken++
			list := l.list(s.row(), level)
			for i := range list {
				r := atomic.LoadUint32(&list[i])
				if r == 0 {
					break
				}
				r--
				word, bit := r>>6, r&63
				was := visited[word]
				visited[word] = was | 1<<bit
				at[n] = int32(r) // stays only if it is new
				n += int(^was >> bit & 1)
			}
		}
		if most == 1 && level == 0 && next < len(w.pool) {
			simd.Prefetch(l.base.all, int(w.pool[next].row())*l.m0)
		}
		if n == 0 {
			continue
		}
		at, keys := at[:n], w.keys[:n]
		w.measure(keys, at)
		w.seen += n
		worst := w.worst(ef)
		for i, key := range keys {
			if s := newSpot(key, at[i]); s < worst {
				if w.row == nobody { // it is likely to be expanded soon
					simd.Prefetch(l.base.all, int(at[i])*l.m0)
				}
				next = min(next, w.offer(s, ef))
				worst = w.worst(ef)
			}
		}
		if w.review.cost > 0 && w.seen >= w.review.at && w.review.stop(w, ef) {
			return false
		}
	}
	return true
}

// descend returns the row nearest to the query that a greedy walk finds from row,
// through the levels from top down to the one above level.
func (l *links) descend(w *walker, row int32, top, level int) spot {
	w.at = append(w.at[:0], row)
	w.measure(w.keys[:1], w.at)
	best := newSpot(w.keys[0], row)
	for ; top > level; top-- {
		for {
			w.at = l.read(w.at[:0], best.row(), top)
			if len(w.at) == 0 {
				break
			}
			keys := w.keys[:len(w.at)]
			w.measure(keys, w.at)
			from := best
			for i, key := range keys {
				best = min(best, newSpot(key, w.at[i]))
			}
			if best == from {
				break
			}
		}
	}
	return best
}
