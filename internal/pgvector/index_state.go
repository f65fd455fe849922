package pgvector

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// indexState remembers whether a table has an index, so that a search need not
// ask. Another process may build or drop one, so what it says grows old.
type indexState struct {
	mu      sync.Mutex // never held while the server is asked
	looked  time.Time
	indexes indexes
	why     string // there is none of all records
	changes int    // how often this process has built or dropped an index
	advised bool
}

const (
	indexStateAge = 30 * time.Second
	// adviseAt is the number of records from which an exact search takes long
	// enough (about 20 ms with 128 dimensions) to advise an index.
	adviseAt = 50_000
)

// usable returns the indexes that searches can use.
func (c *collection) usable(ctx context.Context) (indexes, error) {
	if err := c.gone(); err != nil {
		return indexes{}, err
	}
	s := &c.state.index
	s.mu.Lock()
	there, known, changes, advised := s.indexes, !s.looked.IsZero(), s.changes, s.advised
	if known && time.Since(s.looked) < indexStateAge {
		s.mu.Unlock()
		return there, nil
	}
	if known {
		s.looked = time.Now() // others go on with what is known until this one has looked
	}
	s.mu.Unlock()

	found, err := c.catalog(ctx)
	if err != nil {
		return indexes{}, err
	}
	there = indexes{}
	why := noIndex
	for _, f := range found {
		if !f.usable {
			why = "the index " + f.Name + " " + f.why
			continue
		}
		found := &vectorIndex{kind: f.Kind, ours: f.ours, shards: c.place.shards, records: f.records, lists: f.lists, indexKey: f.key}
		switch {
		case f.Predicate != "":
			if found.predicate, err = c.literal(f.Where); err != nil {
				return indexes{}, err
			}
			found.parts = engine.Conjuncts(f.Where)
			there.partial = append(there.partial, found)
		case there.whole == nil || found.before(there.whole):
			there.whole = found
		}
	}
	slices.SortStableFunc(there.partial, func(a, b *vectorIndex) int { return len(b.parts) - len(a.parts) })
	if there.whole == nil && why != noIndex && !advised {
		c.db.Log.WarnContext(ctx, "searches compare the query with every record: "+why, "collection", c.schema.Name)
		advised = true
	}
	if there.whole == nil && len(there.partial) == 0 && !advised {
		if advised, err = c.advise(ctx); err != nil {
			return indexes{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == changes {
		s.indexes, s.why, s.looked, s.advised = there, why, time.Now(), advised
	}
	return there, nil
}

const noIndex = "there is no vector index"

// whyNone says why there is no index that searches can use.
func (c *collection) whyNone() string {
	c.state.index.mu.Lock()
	defer c.state.index.mu.Unlock()
	return cmp.Or(c.state.index.why, noIndex)
}

// advise says that a large table has no index, and reports whether it has said so.
func (c *collection) advise(ctx context.Context) (bool, error) {
	if c.place.remote() && c.runner(ctx) != runner(c.db) { // Citus does not measure inside a transaction that has written
		return false, nil
	}
	var bytes int64
	err := c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, c.tableSizeSQL(), c.name).Scan(&bytes)
	})
	if err != nil {
		return false, err
	}
	// The catalog does not count the records of a table that was just filled.
	records := bytes / int64(c.schema.Dim*c.schema.Element.Size()+64)
	if records < adviseAt || c.schema.Dim > maxHalfDim && c.schema.Metric == codec.L2 {
		return false, nil
	}
	c.db.Log.WarnContext(ctx, "searches compare the query with every record: build an index with Collection.BuildIndex",
		"collection", c.schema.Name, "records_about", records)
	return true, nil
}

// forget makes the next search look for an index again.
func (c *collection) forget() {
	c.state.index.mu.Lock()
	defer c.state.index.mu.Unlock()
	c.state.index.looked = time.Time{}
	c.state.index.changes++
}
