package ann

import (
	"context"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
)

const (
	// linkRows is how many rows are linked before the lock is given back: half a
	// millisecond's work.
	linkRows = 4
	// mendRows is how many rows are looked through for stale neighbours before.
	mendRows = 256
)

// Link links the rows that are pending and unlinks those that are stale, in
// workers goroutines (at least one), and returns when it has done all there were
// when it began, or with ctx's error soon after ctx is done. What it has done till
// then stays, and the next call goes on. Of several calls one runs at a time. While
// the arena has no codes, it does nothing.
//
// It holds lock, the owner's for reading, while it works, and gives it back every
// few rows. progress, if not nil, is told now and then how many of how many rows
// have been linked, by one goroutine at a time.
func (g *core) Link(ctx context.Context, lock sync.Locker, workers int, progress func(done, total int)) error {
	g.work.Lock()
	defer g.work.Unlock()
	return g.linkAll(ctx, &g.web, lock, max(1, workers), progress)
}

// linkAll is Link of one web.
func (g *core) linkAll(ctx context.Context, in *web, lock sync.Locker, workers int, progress func(done, total int)) error {
	var touched []int32
	report, looked := progress, false
	locked := func(f func()) { g.locked(lock, f) }
	equal := func(a, b int32) bool { return g.over.equal(a, b) }
	for {
		rows, err := g.linkPending(ctx, in, lock, workers, report)
		if err != nil {
			return err
		}
		touched = append(touched, rows...)
		again, err := in.rejoin(ctx, locked, equal)
		report = nil // the few that are linked once more were counted
		if err == nil && !again {
			var opened int
			opened, err = g.open(ctx, in, lock, workers, touched)
			touched = touched[:0]
			if err == nil && opened > 0 && !looked { // there may be more like them
				looked = true
				in.exam.hidden = true
				again, err = in.rejoin(ctx, locked, equal)
			}
		}
		if err == nil && !again {
			again, err = g.review(ctx, in, lock)
			report = progress
		}
		if err != nil || !again {
			return err
		}
	}
}

// linkPending unlinks the stale rows and links the pending ones. It returns the rows
// that have other neighbours by that.
func (g *core) linkPending(ctx context.Context, in *web, lock sync.Locker, workers int, progress func(done, total int)) (touched []int32, err error) {
	g.locked(lock, func() {
		if in.group == nil {
			g.outgrown()
			g.setApart()
		}
		in.replaceDoors()
	})
	gone, mended, err := g.unlink(ctx, in, lock, workers)
	if err != nil {
		return nil, err
	}
	var rows []int32
	done := 0 // a graph without links counts the rows that stay apart, too
	g.locked(lock, func() {
		if in.linked() == 0 && progress != nil {
			done = g.Stats().Apart
		}
		for row := range g.members(in) {
			if g.isPending(in, row) {
				rows = append(rows, row)
			}
		}
	})
	var report sync.Mutex
	total := done + len(rows)
	err = g.spread(ctx, lock, workers, len(rows), linkRows, func(w *walker, from, to int) {
		for _, row := range rows[from:to] {
			// A row that became stale meanwhile is for the next call.
			if g.isPending(in, row) && !in.stale.has(row) {
				near, far := in.insert(w, row, g.ef, g.enter)
				in.list(row)
				in.exam.linked.Add(1)
				if far > 0 && near == far || w.exact == nil && float64(far) < g.over.blur() {
					in.exam.suspect(row)
				}
			}
		}
	}, func(n int) {
		if progress == nil {
			return
		}
		report.Lock()
		defer report.Unlock()
		done += n
		progress(done, total)
	})
	if err != nil {
		return nil, err
	}
	in.exam.noteMended(gone, mended)
	in.exam.note(rows)
	in.exam.moved += len(rows) + len(mended)
	g.locked(lock, func() { g.openLonger(in, slices.Values(rows)) })
	return append(mended, rows...), nil
}

// isPending reports whether row is to be linked.
func (g *core) isPending(in *web, row int32) bool {
	return in.wants(row) && g.over.liveRows().Has(row) && !in.fresh.has(row) && g.apart(int(row>>6))>>(row&63)&1 == 0
}

// outgrown makes all rows pending if, under Dot, the longest row is half as long again
// as when they were linked, or the other way round: the space that they were linked in
// is another then.
func (g *core) outgrown() {
	if g.metric != codec.Dot {
		return
	}
	const far = 1.5 * 1.5 // of half the square
	longest := g.over.longestRow()
	linked := g.fresh.len() > 0
	if linked && longest <= far*g.longest && g.longest <= far*longest {
		return
	}
	if g.longest = longest; linked {
		g.log.Warn("the longest vectors have become half as long again, or have gone: all rows are linked again, and searches are exact meanwhile")
		g.restart()
	}
}

// setApart makes stale the linked rows that are to stay apart since other codes are
// in use.
func (g *core) setApart() {
	for i := range g.over.liveRows().words {
		for w := g.fresh.word(i) & g.apart(i); w != 0; w &= w - 1 {
			g.outdate(int32(i<<6 + bits.TrailingZeros64(w)))
		}
	}
}

// unlink takes the stale rows out of all lists, and returns how many these were and the
// rows that lost a neighbour by that.
func (g *core) unlink(ctx context.Context, in *web, lock sync.Locker, workers int) (n int, mended []int32, err error) {
	var gone []int32
	rows := 0
	g.locked(lock, func() {
		gone = in.outdated()
		rows = in.links.rows()
		g.pickEntry(in)
	})
	if len(gone) == 0 {
		return 0, nil, nil
	}
	var mu sync.Mutex // of mended
	err = g.spread(ctx, lock, workers, rows, mendRows, func(w *walker, from, to int) {
		for row := int32(from); row < int32(to); row++ {
			if !in.has(row) {
				continue
			}
			// A row that is set anew meanwhile is still crossed: its list must not lead to one
			// that may be of another group when this is done.
			for level := in.links.level(row); level >= 0 && (in.fresh.has(row) || in.group != nil && in.stale.has(row)); level-- {
				changed, left := in.links.mend(w, row, level, in.stale)
				switch {
				case level > 0 || !changed:
				case left == 0:
					in.unlist(row) // all around it are gone: it is linked again
				default:
					mu.Lock()
					mended = append(mended, row)
					mu.Unlock()
				}
			}
		}
	}, nil)
	if err != nil {
		return 0, nil, err
	}
	in.exam.linked.Add(int64(len(gone)))
	g.locked(lock, func() {
		for _, row := range gone {
			in.forget(row)
		}
	})
	return len(gone), mended, nil
}

// locked calls f while it holds lock, if the arena has codes and the graph is open.
func (g *core) locked(lock sync.Locker, f func()) {
	lock.Lock()
	defer lock.Unlock()
	if g.over.nowCodes() != nil && !g.closed {
		f()
	}
}

// setSpace makes w compare rows as the graph does at present.
func (g *Graph[T]) setSpace(w *walker) {
	w.space, w.exact = newSpace(g.arena), nil
	if g.byVectors.Load() {
		w.exact = &vectors[T]{arena: g.arena, last: g.arena.lastElement(1)}
	}
}

// spread calls do for the numbers from 0 to n-1, step at a time, in several
// goroutines, each time holding lock, and then done, if not nil, without it.
func (g *core) spread(ctx context.Context, lock sync.Locker, workers, n, step int, do func(w *walker, from, to int), done func(n int)) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	work := func() error {
		var w *walker
		for {
			from := int(next.Add(int64(step))) - step
			if from >= n {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			to := min(from+step, n)
			g.locked(lock, func() {
				if w == nil {
					w = newWalker(g.links)
				}
				g.over.setSpace(w)
				do(w, from, to)
			})
			if done != nil {
				done(to - from)
			}
		}
	}
	for range min(workers, (n+step-1)/step) {
		group.Go(func() error { return g.over.guard(work) })
	}
	return group.Wait()
}
