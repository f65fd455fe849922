package pgvector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// Where the caller leaves it open (for HNSW pgvector's own, README, "Index Options").
const (
	defaultM      = 16
	defaultEfC    = 64
	maxWorkers    = 1024 // PostgreSQL's limit
	defaultProbes = 10
)

// Indexes implements engine.Collection.
func (c *collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	found, err := c.catalog(ctx)
	if err == nil {
		err = c.sizes(ctx, found)
	}
	out := make([]engine.Index, len(found))
	for i, f := range found {
		out[i] = f.Index
	}
	return out, err
}

// DropIndex implements engine.Collection.
func (c *collection) DropIndex(ctx context.Context, name string) error {
	if c.runner(ctx) != runner(c.db) { // it would wait for the transaction, which waits for it
		return fmt.Errorf("%w: dropping an index inside a transaction by the postgres engine", engine.ErrUnsupported)
	}
	found, err := c.catalog(ctx)
	if err != nil {
		return err
	}
	defer c.forget()
	for _, f := range found {
		if f.Name == name {
			return c.alter(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+c.beside(name))
		}
	}
	return fmt.Errorf("%w: the index %s", engine.ErrNotFound, name)
}

// beside returns a name in the schema of the table, quoted.
func (c *collection) beside(name string) string {
	return pgx.Identifier{c.namespace, name}.Sanitize()
}

// BuildIndex implements engine.Collection. If its connection breaks it begins again:
// what is there by then counts, and a build that goes on without its client is ended.
func (c *collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	var left orphan
	return c.db.Retry(ctx, 0, func() error {
		if left.process != 0 {
			if err := c.endBuild(ctx, &left); err != nil {
				return err
			}
			left = orphan{}
		}
		return c.buildIndex(ctx, p, &left)
	})
}

// orphan is a build whose connection broke.
type orphan struct {
	process uint32 // of the server, 0 for none
	index   string
}

func (c *collection) buildIndex(ctx context.Context, p engine.IndexPlan, left *orphan) error {
	if c.view {
		return fmt.Errorf("%w: an index over a view by the postgres engine: index the table below it", engine.ErrUnsupported)
	}
	if c.runner(ctx) != runner(c.db) {
		return fmt.Errorf("%w: building an index inside a transaction by the postgres engine", engine.ErrUnsupported)
	}
	if err := c.place.checkPlace(p); err != nil {
		return err
	}
	if err := checkIndex(&p); err != nil {
		return err
	}
	key, err := c.keyFor(p, c.db.extension())
	if err != nil {
		return err
	}
	in, predicate := slot(p.Where), ""
	if in != "" {
		if predicate, err = c.literal(p.Where); err != nil {
			return err
		}
	}
	name := c.indexName(p.Method, in)
	found, err := c.catalog(ctx)
	if err != nil {
		return err
	}
	there := "" // the index that is wanted
	var replaced []string
	for _, f := range found {
		same := f.Kind == p.Method && f.M == p.M && f.EfConstruction == p.EfConstruction && f.key.column == key.column && f.Valid
		switch {
		case f.ours && f.slot != in:
		case f.ours && !f.Valid:
			if err := c.repair(ctx, f.Name); err != nil {
				return err
			}
		case same && there == "" && (f.ours || f.usable && in == ""):
			there = f.Name
		case f.ours:
			replaced = append(replaced, f.Name)
		}
	}
	defer c.forget()
	if there != "" && len(replaced) == 0 {
		return c.explainIndex(ctx, there, p)
	}
	if there == "" {
		there = name
		if slices.Contains(replaced, name) {
			if there += next; slices.Contains(replaced, there) { // both names are taken
				if err := c.DropIndex(ctx, there); err != nil {
					return err
				}
			}
		}
		if err := c.build(ctx, there, key, predicate, p, left); err != nil {
			return err
		}
	}
	if err := c.explainIndex(ctx, there, p); err != nil {
		return err
	}
	for _, old := range replaced {
		if old == there {
			continue
		}
		if err := c.DropIndex(ctx, old); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	if there != name+next {
		return nil
	}
	return c.db.change(ctx, nil, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ALTER INDEX "+c.beside(there)+" RENAME TO "+quote(name))
		return err
	})
}

// explainIndex says in the comment of an index over some of the records which these are.
func (c *collection) explainIndex(ctx context.Context, name string, p engine.IndexPlan) error {
	if p.Where.IsZero() {
		return nil
	}
	sql := "COMMENT ON INDEX " + c.beside(name) + " IS " + quoteText(whereComment+p.Where.String())
	if c.place.remote() {
		return c.everywhere(ctx, sql)
	}
	return c.alter(ctx, sql)
}
