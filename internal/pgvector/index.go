package pgvector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
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
	p.M, p.EfConstruction = cmp.Or(p.M, defaultM), cmp.Or(p.EfConstruction, max(defaultEfC, 2*p.M))
	if err := checkIndex(p); err != nil {
		return err
	}
	key, err := c.keyFor(p.Compress, c.db.extension())
	if err != nil {
		return err
	}
	found, err := c.catalog(ctx)
	if err != nil {
		return err
	}
	there := "" // the index that is wanted
	var replaced []string
	for _, f := range found {
		switch {
		case f.ours && !f.Valid:
			if err := c.repair(ctx, f.Name); err != nil {
				return err
			}
		case f.usable && there == "" && f.Kind == "hnsw" && f.M == p.M && f.EfConstruction == p.EfConstruction && f.Compress == key.compress:
			there = f.Name
		case f.ours:
			replaced = append(replaced, f.Name)
		}
	}
	if there != "" && len(replaced) == 0 {
		return nil
	}
	defer c.forget()
	if there == "" {
		there = c.indexName()
		if len(replaced) > 0 {
			if there = c.nextIndexName(); slices.Contains(replaced, there) { // both names are taken
				if err := c.DropIndex(ctx, there); err != nil {
					return err
				}
			}
		}
		if err := c.build(ctx, there, key, p, left); err != nil {
			return err
		}
	}
	for _, old := range replaced {
		if old == there {
			continue
		}
		if err := c.DropIndex(ctx, old); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	if there != c.nextIndexName() {
		return nil
	}
	return c.db.change(ctx, nil, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ALTER INDEX "+c.beside(there)+" RENAME TO "+quote(c.indexName()))
		return err
	})
}

func checkIndex(p engine.IndexPlan) error {
	bad := func(field, want string, got int) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Itoa(got)}
	}
	switch {
	case p.M < 2 || p.M > 100:
		return bad("M", "2 to 100", p.M)
	case p.EfConstruction < 4 || p.EfConstruction > 1000:
		return bad("EfConstruction", "4 to 1000", p.EfConstruction)
	case p.EfConstruction < 2*p.M:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*p.M), p.EfConstruction)
	}
	return nil
}
