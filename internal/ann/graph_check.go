package ann

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
)

const (
	// A check searches for the checkK nearest of partQueries rows of each of
	// checkParts parts of the space, and of newestQueries of those linked last.
	checkK        = 10
	checkParts    = 24
	partQueries   = 4
	partDot       = 12 // under Dot, where it is for what they miss, too
	newestQueries = 16
	// A graph must find a share of checkLeast of what a check searches for, and of
	// what is in one part partLeast, or no more than partSlack less than in all.
	checkLeast = 0.85
	partLeast  = 0.9
	partSlack  = 0.05
	// With half of the effort that searches make by default, a walk must find no more
	// than lowSlack less of the suspects than of all: more effort would hide that they are
	// not told apart. Under Dot, where a walk may end at rows that are near each other
	// and not the best, that goes for every part.
	leastEf  = 64
	lowSlack = 0.2
	// missedDoors is how many of the rows that a check missed become doors, at most.
	missedDoors = 32
	// A part that fails is asked this many times more: chance is to decide nothing.
	partSecond = 16
	// askAtOnce is for how many rows a check searches before the lock is given back: who
	// waits to write waits for these, and others wait to search behind it.
	askAtOnce = 4
	// A whole check is due when this share of the rows was linked since the last.
	checkShare = 0.25
	// Of the rows linked last newestFew are checked when as many were linked as one in
	// newestShare: that takes some twentieth of the time that linking them took.
	newestFew   = 8
	newestDot   = 32 // under Dot, where it is for what they miss, too
	newestFrom  = 16
	newestShare = 200
	// A whole check is due, too, when so many suspects were linked, and one in
	// doubtShare of the rows.
	doubtFrom  = 64
	doubtShare = 50
)

// exam is what a graph knows of how good it is.
type exam struct {
	linked atomic.Int64          // how many rows were linked or unlinked since a whole check
	since  int                   // and since the newest were checked
	newest []int32               // the rows linked last, newestKept at most
	codes  atomic.Pointer[codes] // in use when a whole check was made
	step   remedy                // the last that was tried
	low    float64               // what a whole check found with the least effort; 0 if there was none

	moved  int  // how many rows were linked or lost neighbours since all were reached
	lost   int  // how many could not be reached and are linked again for that
	hidden bool // a walk did not find one of those that were linked last
	cut    bool // many cannot be reached even so

	mu       sync.Mutex // of the suspects
	suspects []int32    // linked rows whose neighbours may not be told apart
	doubtful int        // how many were found since a whole check
}

// suspect notes that row's neighbours may not be told apart: they are nearer than
// codes are exact, or so many are equal that walks may see no others.
func (e *exam) suspect(row int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubtful++
	if len(e.suspects) < newestKept {
		e.suspects = append(e.suspects, row)
		return
	}
	e.suspects[e.doubtful%newestKept] = row
}

// newestKept is how many rows linked last are known.
const newestKept = 1024

// remedy is what is done with a graph that finds too little. One is tried after the
// other, and each is checked.
type remedy int

const (
	nothing       remedy = iota
	linkAgain            // all rows: links may be of times when the data was another
	walkByVectors        // and link all rows again by them
	scanAll              // searches are exact until a check says otherwise
)

// note notes rows that were linked, in their order.
func (e *exam) note(rows []int32) {
	e.since += len(rows)
	if len(rows) > newestKept {
		rows = rows[len(rows)-newestKept:]
	}
	e.newest = append(e.newest, rows...)
	e.newest = e.newest[max(0, len(e.newest)-newestKept):]
}

// noteMended notes that so many rows went and which ones lost a neighbour by that. What
// is near those that went has other rows for an answer now, and as many of it are asked
// for as if they had been linked.
func (e *exam) noteMended(gone int, mended []int32) {
	n := min(gone, len(mended), newestKept)
	some := make([]int32, n)
	for i := range some {
		some[i] = mended[i*len(mended)/n]
	}
	e.note(some)
}

// review finds out whether walks find what they should, if a check is due, and does
// what helps if not. It reports whether there is something to be linked again.
func (g *core) review(ctx context.Context, in *web, lock sync.Locker) (again bool, err error) {
	e := &in.exam
	var whole, newest bool
	g.locked(lock, func() {
		count := float64(g.rows(in))
		whole = float64(e.linked.Load()) >= max(1, checkShare*count) ||
			e.codes.Load() != g.over.nowCodes() && in.linked() > 0 || e.cut ||
			e.doubtful >= max(doubtFrom, int(count)/doubtShare)
		newest = e.since >= max(newestFrom, int(count)/newestShare)
	})
	if !whole && !newest {
		return false, ctx.Err()
	}
	if !whole {
		worst, err := g.checkNewest(ctx, in, lock)
		if err != nil || worst >= partLeast {
			return false, err
		}
		// Few rows were asked for. The whole check says more.
	}
	var codes *codes
	g.locked(lock, func() { codes = g.over.nowCodes() })
	check := g.checkAll
	if in.group != nil {
		check = g.checkGroup
	}
	mean, worst, missed, err := check(ctx, in, lock, 0)
	if err != nil {
		return false, err
	}
	in.openMissed(missed)
	if !fits(mean, worst) && len(missed) > 0 {
		// What a few doors mend needs no more. Others are asked for now, so that it is
		// not only the missed that are found.
		if mean, worst, _, err = check(ctx, in, lock, 1); err != nil {
			return false, err
		}
	}
	e.linked.Store(0)
	e.doubtful = 0
	g.locked(lock, func() {
		if e.codes.Load() != codes { // what did not help before may help now
			e.step = nothing
		}
		again = g.over.nowCodes() != codes
	})
	if again { // others were made meanwhile
		return true, nil
	}
	if !e.cut && fits(mean, worst) {
		in.unfit.Store(false)
		e.codes.Store(codes)
		if e.step == linkAgain {
			e.step = nothing
		}
		return false, nil
	}
	again = g.mendAll(in, lock, mean, worst)
	e.codes.Store(codes)
	return again, nil
}

// fits reports whether that is enough to be found of all, and in the worst part.
func fits(mean, worst float64) bool {
	return mean >= checkLeast && worst >= min(partLeast, mean-partSlack)
}

// mendAll does the next of the remedies, and reports whether all rows are to be
// linked again.
func (g *core) mendAll(in *web, lock sync.Locker, mean, worst float64) bool {
	e := &in.exam
	if in.group != nil {
		return g.mendGroup(in, lock)
	}
	if e.step >= walkByVectors {
		if !in.unfit.Swap(true) {
			g.log.Warn("the graph finds too few of the nearest rows, and nothing helps: all searches are exact until it finds more",
				"recall", mean, "recall of the worst part", worst)
		}
		e.step = scanAll
		return false
	}
	e.step++
	text := "the graph finds too few of the nearest rows in a part of the space: all rows are linked again, and searches are exact meanwhile"
	if e.step == walkByVectors {
		text = "the graph finds too few of the nearest rows, because their codes do not tell them apart: all rows are linked again by their vectors, and searches are exact meanwhile"
	}
	g.log.Warn(text, "recall", mean, "recall of the worst part", worst)
	e.suspects = nil
	g.locked(lock, func() {
		in.unfit.Store(true) // till all rows wait
		g.byVectors.Store(e.step == walkByVectors)
		g.restart()
		in.unfit.Store(false)
	})
	return true
}

// restart makes all linked rows pending.
func (g *core) restart() {
	for _, row := range g.fresh.appendTo(nil) {
		g.outdate(row)
	}
	g.doors.set(nil)
	if k := g.kin.Load(); k != nil {
		k.restart()
	}
}

// A part is rows that are near each other, and what a check found of them.
type part struct {
	rows   []int32
	all    int
	hits   [len(groupEfforts)]int // with one effort after the other
	seen   [len(groupEfforts)]int // how many rows walks saw
	walks  int                    // how many these were, with each
	missed []int32                // with the last effort
}

// wholeEfforts are those of a part of all rows; the last is the least.
func (g *core) wholeEfforts() []int { return []int{2 * g.ef, leastEf} }

// recallOf returns which share was found with one of the efforts.
func (p *part) recallOf(effort int) float64 {
	if p.all == 0 {
		return 1
	}
	return float64(p.hits[effort]) / float64(p.all)
}

// recall is that with the most effort, and lowRecall with the least, of a part of all rows.
func (p *part) recall() float64    { return p.recallOf(0) }
func (p *part) lowRecall() float64 { return p.recallOf(1) }

// add adds what another part found.
func (p *part) add(o *part) {
	p.all, p.walks = p.all+o.all, p.walks+o.walks
	for i := range p.hits {
		p.hits[i] += o.hits[i]
		p.seen[i] += o.seen[i]
	}
	p.missed = append(p.missed, o.missed...)
}

// ask searches for n rows of the part, from the from-th of every so many on.
func (g *core) ask(ctx context.Context, in *web, lock sync.Locker, p *part, n, from int) error {
	n = min(n, len(p.rows))
	if n == 0 {
		return nil
	}
	var rows []int32
	for i := range n {
		rows = append(rows, p.rows[(i*len(p.rows)/n+from)%len(p.rows)])
	}
	for some := range slices.Chunk(rows, askAtOnce) {
		var err error
		if g.locked(lock, func() { err = g.over.compareExact(ctx, in, p, some) }); err != nil {
			return err
		}
	}
	return nil
}

// compareExact adds to p what walks find of the rows nearest to rows.
func (g *Graph[T]) compareExact(ctx context.Context, in *web, p *part, rows []int32) error {
	var qs []Query[T]
	for _, row := range rows {
		if g.arena.live.Has(row) && codec.Check(g.arena.row(row), g.arena.dim, g.arena.metric) == nil {
			qs = append(qs, Query[T]{Vector: g.arena.row(row), K: checkK})
		}
	}
	if err := g.arena.SearchMany(ctx, qs, in.members()); err != nil {
		return err
	}
	efforts := g.wholeEfforts()
	if in.group != nil {
		efforts = groupEfforts[:]
	}
	s := g.borrowFinder()
	defer g.scratch.Put(s)
	var got []Candidate
	for _, q := range qs {
		if len(q.Found) == 0 {
			continue
		}
		floor := q.Found[len(q.Found)-1].Score
		if floor == q.Found[0].Score && len(q.Found) >= checkK {
			continue // any of many equal rows would do
		}
		for i, ef := range efforts {
			var err error
			if got, _, err = g.find(ctx, s, got[:0], q.Vector, plan{in: in, k: checkK, ef: ef, want: 1}, in.members()); err != nil {
				return err
			}
			hits := 0
			for _, c := range got[:min(len(got), checkK)] {
				if c.Score >= floor {
					hits++
				}
			}
			p.hits[i] += hits
			p.seen[i] += s.seen
			if i == len(efforts)-1 {
				g.miss(p, q.Found, got)
			}
		}
		p.all += min(len(q.Found), checkK)
		p.walks++
	}
	return nil
}

// miss notes the best of the rows that were to be found and were not. Under Dot, where
// all queries of a place may ask for the same few rows, it is all of them.
func (g *core) miss(p *part, want, got []Candidate) {
	most := 1
	if g.metric == codec.Dot {
		most = checkK
	}
	for _, c := range want[:min(len(want), checkK)] {
		if most > 0 && !slices.ContainsFunc(got, func(g Candidate) bool { return g.Score == c.Score }) {
			most--
			p.missed = append(p.missed, c.Row)
		}
	}
}

// openMissed makes doors of those of rows that were missed most often.
func (in *web) openMissed(rows []int32) {
	times := make(map[int32]int)
	for _, row := range rows {
		times[row]++
	}
	often := slices.SortedFunc(maps.Keys(times), func(a, b int32) int {
		return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b))
	})
	for _, row := range often[:min(missedDoors, len(often))] {
		in.doors.add(row)
	}
}

// checkNewest returns the recall of the rows linked last. Under Dot, what they miss
// become doors: it may be the best of all that is near them.
func (g *core) checkNewest(ctx context.Context, in *web, lock sync.Locker) (float64, error) {
	e := &in.exam
	p := part{rows: e.newest[max(0, len(e.newest)-e.since):]}
	few := newestFew
	if g.metric == codec.Dot {
		few = newestDot
	}
	err := g.ask(ctx, in, lock, &p, few, len(p.rows)/(2*few))
	if g.metric == codec.Dot {
		in.openMissed(p.missed)
	}
	e.since = 0
	return p.recall(), err
}

// checkAll returns the mean recall of all parts and that of the worst one, and rows that
// were missed: in the parts that fail, and under Dot by any query.
// Each turn asks for other rows.
func (g *core) checkAll(ctx context.Context, in *web, lock sync.Locker, turn int) (mean, worst float64, missed []int32, err error) {
	var parts []part
	g.locked(lock, func() { parts = g.over.parts() })
	var whole part
	for i := range parts {
		n := partQueries
		switch {
		case i < 2:
			n = newestQueries
		case g.metric == codec.Dot:
			n = partDot
		}
		if err := g.ask(ctx, in, lock, &parts[i], n, turn*(1+len(parts[i].rows)/(4*n))); err != nil {
			return 0, 0, nil, err
		}
		whole.add(&parts[i])
	}
	mean, worst = whole.recall(), 1
	in.exam.low = whole.lowRecall()
	for i := range parts {
		p := &parts[i]
		lowLeast := 0.0
		if g.metric == codec.Dot || i == 1 {
			lowLeast = whole.lowRecall() - lowSlack
		}
		fails := func() bool { return p.recall() < min(partLeast, mean-partSlack) || p.lowRecall() < lowLeast }
		if fails() {
			if err := g.ask(ctx, in, lock, p, partSecond, 1+len(p.rows)/(2*partSecond)); err != nil {
				return 0, 0, nil, err
			}
		}
		if fails() || g.metric == codec.Dot {
			missed = append(missed, p.missed...)
		}
		worst = min(worst, p.recall())
		if p.lowRecall() < lowLeast {
			worst = min(worst, p.lowRecall())
		}
	}
	in.exam.since = 0
	return mean, worst, missed, ctx.Err()
}
