// Package local is the embedded engine: a database in the user's own process.
//
// Rows, fields, text and vectors are in one SQLite file, which is the truth and
// survives the death of the process. Of each open collection the IDs and the
// vectors are also in memory, the vectors in one arena that searches scan. The
// memory is a copy, made when the collection is opened and changed only after
// SQLite has committed, so that the two never disagree for a reader. With an
// index there is a graph over the arena, and a snapshot of both beside the file,
// which is a cache: without it a collection is loaded from the rows. Of texts and
// fields only those that were read last are in memory.
//
// There is one writer at a time, on one connection of its own, and any number
// of readers, which a writer holds up only for the moment of its commit. The
// package knows SQL and the index; it knows nothing of the root package.
package local

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/internal/engine"
)

// Options says which store to open.
type Options struct {
	Path       string // the file; "" for a store in memory
	SyncNormal bool   // do not wait for the disk at each commit
	Logger     *slog.Logger
}

// store is an open database.
type store struct {
	log   *slog.Logger
	path  string       // "" in memory
	lock  *flock.Flock // nil in memory
	write *sql.DB      // one connection: whoever has it is the writer
	read  *sql.DB

	// gate keeps readers out while a writer writes, in memory only: there SQLite
	// has no log that lets the two work side by side.
	gate *semaphore.Weighted

	payloads payloads

	// seen is the version of the file's data that the writer knows. It changes
	// only when another process writes, past the lock.
	seen int64

	// leastSave is how many rows must have changed before a snapshot is written again
	// while the store is open; or a quarter of all, if that is more.
	leastSave int

	mu   sync.Mutex             // guards open, and that a collection is loaded once
	open map[string]*collection // by folded name
}

const (
	maxIDBytes = 1024
	maxDim     = 65535
)

// Capabilities implements engine.Engine.
func (s *store) Capabilities() engine.Capabilities {
	return engine.Capabilities{Engine: "embedded", L2: true, Doubles: true, MaxIDBytes: maxIDBytes, MaxDim: maxDim, Transactions: true, Indexes: true, Effort: true, AtomicBatches: true, BatchRecords: 2000, FullText: true}
}

// Close implements engine.Engine.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		c.retire()
		if c.hnsw != nil && c.hnsw.noted > 0 {
			c.trySave(context.Background())
		}
	}
	err := errors.Join(s.read.Close(), s.write.Close())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return explain(err)
}

// writerWeight is what a writer takes of the gate: all that there is.
const writerWeight = 1 << 30

// reading begins something that reads, until endReading.
func (s *store) reading(ctx context.Context) error {
	if s.gate == nil {
		return nil
	}
	return s.gate.Acquire(ctx, 1)
}

func (s *store) endReading() {
	if s.gate != nil {
		s.gate.Release(1)
	}
}

// Create implements engine.Engine.
func (s *store) Create(ctx context.Context, schema engine.Schema) (engine.Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.update(ctx, func(t *txn) error {
		fields, err := json.Marshal(schema.Fields)
		if err != nil {
			return err
		}
		made, err := t.tx.ExecContext(t.ctx, `INSERT INTO vecwire_collections (name, dim, element, metric, model, fields, full_text, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			schema.Name, schema.Dim, schema.Element.String(), schema.Metric.String(), schema.Model, string(fields), schema.FullText.String(),
			time.Now().UTC().Format(time.RFC3339))
		if err != nil {
			return err
		}
		if n, err := made.RowsAffected(); err != nil || n == 0 {
			return errors.Join(engine.ErrExists, err)
		}
		for _, statement := range createTables(schema, rand.Text()) {
			if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.load(ctx, schema)
}

// Open implements engine.Engine.
func (s *store) Open(ctx context.Context, name string) (engine.Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.opened(ctx, name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// opened returns an open collection. The caller holds s.mu.
func (s *store) opened(ctx context.Context, name string) (*collection, error) {
	if c, ok := s.open[fold(name)]; ok {
		return c, ctx.Err()
	}
	schemas, err := s.schemas(ctx, "WHERE name = ?", name)
	if err != nil {
		return nil, err
	}
	if len(schemas) == 0 {
		return nil, engine.ErrNotFound
	}
	return s.load(ctx, schemas[0])
}

// load reads a collection into memory. The caller holds s.mu.
func (s *store) load(ctx context.Context, schema engine.Schema) (*collection, error) {
	begun := time.Now()
	c, err := newCollection(s, schema)
	if err != nil {
		return nil, err
	}
	if err := c.load(ctx); err != nil {
		c.close()
		return nil, explain(err)
	}
	s.open[fold(schema.Name)] = c
	s.log.Debug("collection loaded", "collection", schema.Name, "records", len(c.rows), "took", time.Since(begun))
	return c, nil
}

// List implements engine.Engine.
func (s *store) List(ctx context.Context) ([]engine.Schema, error) {
	return s.schemas(ctx, "ORDER BY name COLLATE BINARY")
}

// Drop implements engine.Engine.
func (s *store) Drop(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.open[fold(name)]
	err := s.update(ctx, func(t *txn) error {
		if c != nil {
			t.change(c).gone = true
		}
		return t.drop(name)
	})
	if err == nil && c != nil {
		s.shut(c)
	}
	return err
}

// drop removes a collection from the file.
func (t *txn) drop(name string) error {
	if err := t.dropSnapshot(name); err != nil {
		return err
	}
	gone, err := t.tx.ExecContext(t.ctx, `DELETE FROM vecwire_collections WHERE name = ?`, name)
	if err != nil {
		return err
	}
	if n, err := gone.RowsAffected(); err != nil || n == 0 {
		return errors.Join(engine.ErrNotFound, err)
	}
	for _, statement := range dropTables(name) {
		if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// schemas reads the registry.
func (s *store) schemas(ctx context.Context, where string, args ...any) ([]engine.Schema, error) {
	if err := s.reading(ctx); err != nil {
		return nil, err
	}
	defer s.endReading()
	rows, err := s.read.QueryContext(ctx, `SELECT name, dim, element, metric, model, fields, full_text FROM vecwire_collections `+where, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var schemas []engine.Schema
	for rows.Next() {
		var schema engine.Schema
		var element, metric, fields, fullText string
		if err := rows.Scan(&schema.Name, &schema.Dim, &element, &metric, &schema.Model, &fields, &fullText); err != nil {
			return nil, explain(err)
		}
		var known bool
		if schema.Element, schema.Metric, known = parseKinds(element, metric); !known {
			return nil, fmt.Errorf("%w: collection %q has element %q and metric %q", errDamaged, schema.Name, element, metric)
		}
		if schema.FullText, known = engine.ParseFullText(fullText); !known {
			return nil, fmt.Errorf("%w: collection %q has full text %q", errDamaged, schema.Name, fullText)
		}
		if err := json.Unmarshal([]byte(fields), &schema.Fields); err != nil {
			return nil, fmt.Errorf("%w: collection %q: %w", errDamaged, schema.Name, err)
		}
		schemas = append(schemas, schema)
	}
	return schemas, explain(rows.Err())
}

// fold returns a name as SQLite compares it, without regard to case. Names are ASCII.
func fold(name string) string { return strings.ToLower(name) }
