package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// built is an index that the registry knows. It changes as what is in memory
// does.
type built struct {
	id    int64 // in the registry
	m, ef int
	whole bool // it was linked whole since it was begun
}

const indexKind = "hnsw"

// plan begins a graph like b's.
func (c *collection) plan(b *built) error {
	return c.index.plan(ann.GraphOptions{M: b.m, EfConstruction: b.ef, Log: c.store.log.With("collection", c.schema.Name)})
}

func (c *collection) indexName() string { return c.schema.Name + "." + indexKind }

// effort returns how many candidates a search looks at. By default that finds 99 %
// of the 1, 10, 30 or 100 nearest of 60,000 real embeddings (BenchmarkAutoIndex), since an
// index may be there that nobody asked for.
func effort(s *engine.Search) int {
	if s.Effort > 0 {
		return s.Effort
	}
	const most = 1 << 26 // with which nothing overflows
	return 112 + 5*min(s.K, most)/2
}

// BuildIndex implements engine.Collection. While it builds, searches use the index
// that there was, or none. An index that is as asked for stays, if it is sound and
// finds what it should.
func (c *collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	if tx := c.in(ctx); tx != nil {
		return errIndexInside
	}
	if c.store.readOnly {
		return engine.ErrReadOnly
	}
	o, err := ann.GraphOptions{M: p.M, EfConstruction: p.EfConstruction}.Complete()
	if err != nil {
		return err
	}
	p.M, p.EfConstruction = o.M, o.EfConstruction
	p.Workers = cmp.Or(p.Workers, runtime.GOMAXPROCS(0))
	return c.aloneAtLast(ctx, func(ctx context.Context) error {
		mended, err := c.heal(ctx)
		if err == nil && c.isBehind() {
			err = c.reloadNow(ctx, true)
		}
		if err != nil {
			return err
		}
		old, err := c.built(ctx)
		if err != nil {
			return err
		}
		if old == nil || old.m != p.M || old.ef != p.EfConstruction || c.unfit() {
			return c.rebuild(ctx, p, false)
		}
		if mended {
			_ = c.trySave(ctx) // it has logged why not
		}
		if !old.whole { // it is being linked anew, which this waits for
			err = c.relink(ctx, p.Workers, p.Progress)
		}
		return err
	})
}

// alone runs f while nobody else changes the collection's links. Its context ends
// with the collection, too.
func (c *collection) alone(ctx context.Context, f func(context.Context) error) error {
	if err := c.reloadIfBehind(ctx); err != nil {
		return err
	}
	if err := c.indexing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer func() { // then what another process did meanwhile
		if c.otherIndex.Load() || c.life.Err() != nil {
			c.store.unsettled.Store(true)
		}
	}()
	defer c.indexing.Release(1)
	c.stopLinker()
	defer c.startLinker()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	err := f(ctx)
	if err != nil && c.life.Err() != nil {
		return c.lost()
	}
	return err
}

// aloneAtLast is alone, again if the collection has to be loaded first: another call has let it
// go meanwhile, or other processes have committed more than is followed by the changes.
func (c *collection) aloneAtLast(ctx context.Context, f func(context.Context) error) error {
	for {
		if err := c.alone(ctx, f); !errors.Is(err, errBehind) {
			return err
		}
	}
}

// built returns what the registry knows of the collection's index, or nil.
func (c *collection) built(ctx context.Context) (*built, error) {
	if err := c.view(ctx, "BuildIndex"); err != nil {
		return nil, err
	}
	defer c.endView()
	return c.hnsw, nil
}

// rebuild builds an index and puts it in the place of the one that there is. If nobody
// asked for it, there must be none.
func (c *collection) rebuild(ctx context.Context, p engine.IndexPlan, byItself bool) error {
	c.mu.Lock()
	err := c.plan(&built{m: p.M, ef: p.EfConstruction})
	c.mu.Unlock()
	if err == nil {
		slice := c.mu.RLocker()
		if byItself {
			slice = &patient{mu: &c.mu}
		}
		err = c.link(ctx, slice, p.Workers, p.Progress)
	}
	if err == nil {
		err = c.publish(ctx, p, byItself)
	}
	if err != nil {
		c.mu.Lock()
		c.index.discard()
		c.mu.Unlock()
		return err
	}
	_ = c.trySave(ctx) // the log says it; the index is built
	return nil
}

// link links the planned graph, or the present one, and holds slice for each few rows.
func (c *collection) link(ctx context.Context, slice sync.Locker, workers int, progress func(engine.IndexProgress)) error {
	var report func(done, total int)
	if progress != nil {
		report = func(done, total int) {
			progress(engine.IndexProgress{Phase: "linking", Done: int64(done), Total: int64(total)})
		}
	}
	once := func() error {
		if err := c.index.link(ctx, &c.mu, slice, workers, report); err != nil {
			return err
		}
		return c.linkKin(ctx, func(groups ann.Groups) error { return c.index.linkKin(ctx, &c.mu, slice, workers, groups) })
	}
	for range mostHeals {
		err := once()
		if err == nil {
			return ctx.Err()
		}
		if !errors.Is(err, ann.ErrDamaged) {
			return err
		}
		if _, failed := c.heal(ctx); failed != nil || c.isBehind() {
			return cmp.Or(failed, err)
		}
	}
	return once()
}

// mostHeals is how often links are gone on with after vectors were not where they were in the
// file: a writer's checkpoints may move some of them again and again, while it takes minutes.
const mostHeals = 100

// unfit reports whether the present graph finds too little, so that all searches are
// exact.
func (c *collection) unfit() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	stats, _ := c.index.stats()
	return stats.Unfit
}

// relink links the present graph.
func (c *collection) relink(ctx context.Context, workers int, progress func(engine.IndexProgress)) error {
	err := c.link(ctx, c.mu.RLocker(), workers, progress)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hnsw.whole = c.hnsw.whole || err == nil
	return err
}

// publish writes into the registry that the planned graph is the index, and lets
// searches use it. From then on changes are noted.
func (c *collection) publish(ctx context.Context, p engine.IndexPlan, byItself bool) error {
	return c.updateIndex(ctx, "BuildIndex", func(t *txn) error {
		if c.gone {
			return c.lost()
		}
		if byItself {
			if wanted, err := c.isForItself(t.ctx, t.tx); err != nil || !wanted {
				return cmp.Or(err, errOvertaken)
			}
		}
		t.registry = true
		if err := t.forgetIndex(c.schema.Name); err != nil {
			return err
		}
		b := &built{m: p.M, ef: p.EfConstruction, whole: true}
		err := t.tx.QueryRowContext(t.ctx, `INSERT INTO vecwire_indexes (id, collection, m, ef)
			VALUES (max(?, 1 + coalesce((SELECT max(id) FROM vecwire_indexes), 0)), ?, ?, ?) RETURNING id`,
			t.newID(), c.schema.Name, p.M, p.EfConstruction).Scan(&b.id)
		t.change(c).then = func() {
			c.saved = saved{noted: c.ids.len()}
			c.hnsw = b
			c.index.publish()
		}
		return err
	})
}

// forgetIndex removes a collection's index from the registry, if it has one.
func (t *txn) forgetIndex(collection string) error {
	if err := t.dropSnapshot(collection); err != nil {
		return err
	}
	for _, statement := range dropIndex(collection) {
		if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Indexes implements engine.Collection.
func (c *collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	if tx := c.in(ctx); tx != nil {
		return nil, errIndexInside
	}
	if err := c.view(ctx, "Indexes"); err != nil {
		return nil, err
	}
	defer c.endView()
	if c.hnsw == nil {
		return nil, ctx.Err()
	}
	stats, _ := c.index.stats()
	return []engine.Index{{
		Name: c.indexName(), Kind: indexKind, M: c.hnsw.m, EfConstruction: c.hnsw.ef, Bytes: stats.Bytes, Valid: c.hnsw.whole,
	}}, ctx.Err()
}

// DropIndex implements engine.Collection.
func (c *collection) DropIndex(ctx context.Context, name string) error {
	if tx := c.in(ctx); tx != nil {
		return errIndexInside
	}
	return c.aloneAtLast(ctx, func(ctx context.Context) error {
		return c.updateIndex(ctx, "DropIndex", func(t *txn) error {
			t.registry = true
			switch {
			case c.gone:
				return c.lost()
			case c.hnsw == nil || name != c.indexName():
				return fmt.Errorf("%w: the index %s", engine.ErrNotFound, name)
			}
			t.change(c).then = func() {
				c.hnsw, c.saved = nil, saved{noted: c.ids.len()}
				c.index.forget()
				c.declined.Store(true)
			}
			return errors.Join(t.forgetIndex(c.schema.Name), t.declineIndex(c.id))
		})
	})
}
