package ann

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
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
func (g *Graph[T]) Link(ctx context.Context, lock sync.Locker, workers int, progress func(done, total int)) error {
	g.work.Lock()
	defer g.work.Unlock()
	workers = max(1, workers)
	if err := g.unlink(ctx, lock, workers); err != nil {
		return err
	}
	var rows []int32
	g.locked(lock, func() {
		for row := range g.live.All() {
			if !g.fresh.has(row) {
				rows = append(rows, row)
			}
		}
	})
	var report sync.Mutex
	done := 0
	err := g.spread(ctx, lock, workers, len(rows), linkRows, func(w *walker, from, to int) {
		for _, row := range rows[from:to] {
			// A row that became stale meanwhile is for the next call.
			if g.live.Has(row) && !g.fresh.has(row) && !g.stale.has(row) {
				g.links.insert(w, row, g.ef, &g.stale)
				g.fresh.add(row)
				g.unchecked.Add(1)
			}
		}
	}, func(n int) {
		if progress == nil {
			return
		}
		report.Lock()
		defer report.Unlock()
		done += n
		progress(done, len(rows))
	})
	if err != nil {
		return err
	}
	due := false
	g.locked(lock, func() { due = float64(g.unchecked.Load()) >= max(1, checkShare*float64(g.count)) })
	if due {
		err = g.examine(ctx, lock)
	}
	return err
}

// unlink takes the stale rows out of all lists.
func (g *Graph[T]) unlink(ctx context.Context, lock sync.Locker, workers int) error {
	var gone []int32
	rows := 0
	g.locked(lock, func() {
		gone = g.stale.appendTo(nil)
		rows = g.links.rows()
		g.pickEntry()
	})
	if len(gone) == 0 {
		return nil
	}
	err := g.spread(ctx, lock, workers, rows, mendRows, func(w *walker, from, to int) {
		for row := int32(from); row < int32(to); row++ {
			for level := g.links.level(row); level >= 0 && g.fresh.has(row); level-- {
				if !g.links.mend(w, row, level, &g.stale) && level == 0 {
					g.fresh.drop(row) // all around it are gone: it is linked anew
				}
			}
		}
	}, nil)
	if err != nil {
		return err
	}
	g.locked(lock, func() {
		for _, row := range gone {
			if g.stale.has(row) {
				g.stale.drop(row)
			}
		}
	})
	return nil
}

// locked calls f while it holds lock, if the arena has codes.
func (g *Graph[T]) locked(lock sync.Locker, f func()) {
	lock.Lock()
	defer lock.Unlock()
	if g.codes != nil {
		f()
	}
}

// spread calls do for the numbers from 0 to n-1, step at a time, in several
// goroutines, each time holding lock, and then done, if not nil, without it.
func (g *Graph[T]) spread(ctx context.Context, lock sync.Locker, workers, n, step int, do func(w *walker, from, to int), done func(n int)) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(workers, (n+step-1)/step) {
		group.Go(func() error {
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
					w.space = newSpace(g.Arena)
					do(w, from, to)
				})
				if done != nil {
					done(to - from)
				}
			}
		})
	}
	return group.Wait()
}
