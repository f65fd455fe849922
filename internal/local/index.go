package local

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strconv"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// built is an index that the registry knows. It changes as what is in memory
// does, and its counters under still alone.
type built struct {
	id     int64 // in the registry
	m, ef  int
	whole  bool  // it was linked whole since it was begun
	since  int64 // how many snapshots were begun
	noted  int   // how many changed rows there are about that the snapshot lacks
	saveAt int   // of these, how many a snapshot waits for at least
}

const (
	indexKind = "hnsw"
	// leastEf is how many candidates a search looks at by default, at least.
	leastEf = 64
)

func (b *built) options() ann.GraphOptions {
	return ann.GraphOptions{M: b.m, EfConstruction: b.ef}
}

func (c *collection) indexName() string { return c.schema.Name + "." + indexKind }

// effort returns how many candidates a search looks at. By default that finds 99 %
// of the 1, 10, 30 or 100 nearest of 100,000 real image descriptors.
func effort(s *engine.Search) int {
	if s.Effort > 0 {
		return s.Effort
	}
	return max(leastEf, 48+s.K+s.K/4)
}

func checkIndex(p engine.IndexPlan) error {
	bad := func(field, want string, got int) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Itoa(got)}
	}
	switch {
	case p.M < 4 || p.M > 64:
		return bad("M", "4 to 64", p.M)
	case p.EfConstruction > 10_000:
		return bad("EfConstruction", "10000 at most", p.EfConstruction)
	case p.EfConstruction < 2*p.M:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*p.M), p.EfConstruction)
	}
	return nil
}

// BuildIndex implements engine.Indexer. While it builds, searches use the index
// that there was, or none.
func (c *collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	p.M = cmp.Or(p.M, ann.DefaultM)
	p.EfConstruction = cmp.Or(p.EfConstruction, max(ann.DefaultEfConstruction, 2*p.M))
	p.Workers = cmp.Or(p.Workers, runtime.GOMAXPROCS(0))
	if err := checkIndex(p); err != nil {
		return err
	}
	return c.alone(ctx, func(ctx context.Context) error {
		old, err := c.built(ctx)
		if err != nil {
			return err
		}
		if old == nil || old.m != p.M || old.ef != p.EfConstruction {
			err = c.rebuild(ctx, p)
		} else if !old.whole { // it is being linked anew, which this waits for
			err = c.relink(ctx, p.Workers, p.Progress)
		}
		return err
	})
}

// alone runs f while nobody else changes the collection's links. Its context ends
// with the collection, too.
func (c *collection) alone(ctx context.Context, f func(context.Context) error) error {
	if err := c.indexing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.indexing.Release(1)
	c.stopLinker()
	defer c.startLinker()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	err := f(ctx)
	if err != nil && c.life.Err() != nil {
		return engine.ErrNotFound
	}
	return err
}

// built returns what the registry knows of the collection's index, or nil.
func (c *collection) built(ctx context.Context) (*built, error) {
	if err := c.view(ctx); err != nil {
		return nil, err
	}
	defer c.endView()
	return c.hnsw, nil
}

// rebuild builds an index and puts it in the place of the one that there is.
func (c *collection) rebuild(ctx context.Context, p engine.IndexPlan) error {
	c.mu.Lock()
	err := c.index.plan(ann.GraphOptions{M: p.M, EfConstruction: p.EfConstruction})
	c.mu.Unlock()
	if err == nil {
		err = c.link(ctx, p.Workers, p.Progress)
	}
	if err == nil {
		err = c.publish(ctx, p)
	}
	if err != nil {
		c.mu.Lock()
		c.index.discard()
		c.mu.Unlock()
		return err
	}
	c.trySave(ctx)
	return nil
}

// link links the planned graph, or the present one.
func (c *collection) link(ctx context.Context, workers int, progress func(engine.IndexProgress)) error {
	var report func(done, total int)
	if progress != nil {
		report = func(done, total int) {
			progress(engine.IndexProgress{Phase: "linking", Done: int64(done), Total: int64(total)})
		}
	}
	if err := c.index.link(ctx, &c.mu, workers, report); err != nil {
		return err
	}
	return ctx.Err()
}

// relink links the present graph.
func (c *collection) relink(ctx context.Context, workers int, progress func(engine.IndexProgress)) error {
	err := c.link(ctx, workers, progress)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hnsw.whole = c.hnsw.whole || err == nil
	return err
}

// publish writes into the registry that the planned graph is the index, and lets
// searches use it. From then on changes are noted.
func (c *collection) publish(ctx context.Context, p engine.IndexPlan) error {
	return c.store.update(ctx, func(t *txn) error {
		if c.gone {
			return engine.ErrNotFound
		}
		if err := t.forgetIndex(c.schema.Name); err != nil {
			return err
		}
		b := &built{m: p.M, ef: p.EfConstruction, whole: true}
		err := t.tx.QueryRowContext(t.ctx, `INSERT INTO vecwire_indexes (collection, m, ef, snapshot) VALUES (?, ?, ?, '') RETURNING id`,
			c.schema.Name, p.M, p.EfConstruction).Scan(&b.id)
		t.change(c).then = func() {
			b.noted = len(c.rows) // no snapshot has them
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

// Indexes implements engine.Indexer.
func (c *collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	if err := c.view(ctx); err != nil {
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

// DropIndex implements engine.Indexer.
func (c *collection) DropIndex(ctx context.Context, name string) error {
	return c.alone(ctx, func(ctx context.Context) error {
		return c.store.update(ctx, func(t *txn) error {
			switch {
			case c.gone:
				return engine.ErrNotFound
			case c.hnsw == nil || name != c.indexName():
				return fmt.Errorf("%w: the index %s", engine.ErrNotFound, name)
			}
			t.change(c).then = func() {
				c.hnsw = nil
				c.index.forget()
			}
			return t.forgetIndex(c.schema.Name)
		})
	})
}
