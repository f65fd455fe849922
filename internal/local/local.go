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
// Other processes may have the file open, too. What they commit comes into the memory
// before the next call looks at it; see follow.go.
//
// There is one writer at a time, on one connection of its own, and any number
// of readers, which a writer holds up only for the moment of its commit. The
// package knows SQL and the index; it knows nothing of the root package.
package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/semaphore"
	"modernc.org/sqlite/vfs"

	"github.com/vecwire/vecwire/internal/engine"
)

// Options says which store to open.
type Options struct {
	Path        string        // the file; "" for a store in memory
	SyncNormal  bool          // do not wait for the disk at each commit
	ReadOnly    bool          // write nothing
	FS          fs.FS         // where the file is, if not nil; it is opened for reading
	Memory      int64         // how many bytes collections keep in memory, about; 0 for no bound
	LockTimeout time.Duration // how long to wait while another process writes; 0 for 5 s
	Logger      *slog.Logger
	FitPages    bool // the first collection of a new file says how large its pages are

	look     time.Duration // how long a copy is looked at; 0 for lookTime
	pageSize int           // of a file that is there, and should have this if it has no collection; 0 for any file
}

// store is an open database.
type store struct {
	engine.Lacks // attaching tables

	log      *slog.Logger
	readOnly bool
	files    *vfs.FS     // that the file is in, or nil
	path     string      // "" in memory
	isNew    bool        // the file was made when it was opened
	file     fs.FileInfo // of the path when it was opened; nil in memory
	write    *sql.DB     // one connection, of the writer
	read     readers
	durable  *durable // of the writer; nil if commits do not wait for the disk

	// What follows is of other processes, and nothing in memory.
	lock        *lockFile
	watch       *watch
	pages       *pages // nil where vectors are not read from the file
	lockTimeout time.Duration
	saving      *semaphore.Weighted  // of one: who has it may write a snapshot, if no other process does
	saveLock    *flock.Flock         // held while one is written
	following   *semaphore.Weighted  // of one: see follow.go
	known       atomic.Pointer[mark] // the state of the log that is in memory
	seq         atomic.Int64         // the last commit that is in memory; it changes under following
	made        atomic.Int64         // how many collections were begun, in a store in memory
	foreign     atomic.Uint64        // how often commits of others were taken in
	unsettled   atomic.Bool          // settle has something to do
	wrote       mark                 // the state of the log after this process's last commit; the writer's
	keep        int64                // how many commits that table keeps
	trimmed     int64                // commits up to this are not in that table, but for some; the writer's
	logBytes    int                  // how much was put there since; the writer's

	line *semaphore.Weighted  // of one: writers wait for it in their order
	turn atomic.Pointer[turn] // of the present writer, or nil

	// gate keeps readers out while a writer writes, in memory only: there SQLite
	// has no log that lets the two work side by side.
	gate *semaphore.Weighted

	payloads payloads

	bound   int64        // how many bytes collections keep, 0 for no bound
	clock   atomic.Int64 // ticks when a collection is used
	grown   atomic.Int64 // how many bytes of vectors were written since shrink looked
	waiting atomic.Int32 // how many writers wait for collections to be loaded

	// paying says when an index is built by itself, and indexing is of one: who has it may
	// build one, if no other process does, which holds indexLock then.
	paying    paying
	indexing  *semaphore.Weighted
	indexLock *flock.Flock

	// leastSave is how many rows must have changed before a snapshot is written again
	// while the store is open; or a quarter of all, if that is more.
	leastSave int

	mu   sync.Mutex             // that a collection is loaded once; it comes before all other locks
	maps sync.Mutex             // guards open and names; nothing is waited for under it
	open map[string]*collection // by folded name
	// names has the folded names of all collections. To ask a reader for one is dear
	// once a collection was made: SQLite reads the schema of all tables again then.
	names map[string]bool
}

const (
	engineName = "embedded"
	maxIDBytes = 1024
	maxDim     = 65535
)

// Capabilities implements engine.Engine.
func (s *store) Capabilities() engine.Capabilities {
	return engine.Capabilities{Engine: engineName, MaxIDBytes: maxIDBytes, MaxDim: maxDim, BatchRecords: 2000, Can: engine.Can{
		L2: true, Doubles: true, WideDoubles: true, Transactions: true, Serializable: true, Swap: true, AtomicBatches: true, Snapshots: true,
		Insert: true, Update: true, UpdateIf: true, FullText: true, Effort: true, Indexes: true, AutoIndex: true, Codes: true, Lists: true, Facets: true, Usage: true, JSON: true, TextFilters: true, Like: true, Alter: true,
	}}
}

// writerWeight is what a writer takes of the gate: all that there is.
const writerWeight = 1 << 30

// reading begins something that reads, until endReading.
func (s *store) reading(ctx context.Context, by call) error {
	if s.gate == nil {
		return nil
	}
	return s.wait(ctx, s.gate, 1, by)
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
	var id int64
	err := s.update(ctx, call{"CreateCollection", schema.Name}, func(t *txn) error {
		id = t.newID()
		t.registry = true
		fields, err := marshalFields(schema)
		if err != nil {
			return err
		}
		made, err := t.tx.ExecContext(t.ctx, `INSERT INTO vecwire_collections (id, name, dim, element, metric, model, fields, full_text, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			id, schema.Name, schema.Dim, schema.Element.String(), schema.Metric.String(), schema.Model, fields, schema.FullText.String(),
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
	s.named(schema.Name, true)
	c, err := newCollection(s, schema, id) // no row is there to load
	if err != nil {
		return nil, err
	}
	c.loadedAt = id
	ctx = context.WithoutCancel(ctx) // it is made
	if joined, err := s.add(ctx, c); err != nil || !joined {
		c.close()
		if err == nil { // more was written meanwhile than the table of changes keeps
			return s.opened(ctx, schema.Name)
		}
		return nil, explain(err)
	}
	s.log.DebugContext(ctx, "collection made", "collection", schema.Name)
	return c, nil
}

// Open implements engine.Engine.
func (s *store) Open(ctx context.Context, name string) (engine.Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	c, err := s.opened(ctx, name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// named notes that there is a collection of a name, or that there is none.
func (s *store) named(name string, is bool) {
	s.maps.Lock()
	defer s.maps.Unlock()
	if is {
		s.names[fold(name)] = true
	} else {
		delete(s.names, fold(name))
	}
}

// lookUp returns the open collection of a name, and whether there is one at all.
func (s *store) lookUp(name string) (*collection, bool) {
	s.maps.Lock()
	defer s.maps.Unlock()
	return s.open[fold(name)], s.names[fold(name)]
}

// publish makes a collection one of the open ones.
func (s *store) publish(c *collection) {
	s.maps.Lock()
	defer s.maps.Unlock()
	s.open[fold(c.schema.Name)] = c
}

// add brings a collection that was loaded to the present commit, and makes it one of
// the open ones. It reports false if it has to be loaded again.
func (s *store) add(ctx context.Context, c *collection) (bool, error) {
	if err := s.following.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer s.following.Release(1)
	joined, err := s.join(ctx, c)
	if joined {
		s.publish(c)
	}
	return joined, err
}

// opened returns an open collection. The caller holds s.mu.
func (s *store) opened(ctx context.Context, name string) (*collection, error) {
	for {
		c, there := s.lookUp(name)
		if c != nil && !c.isGone() {
			return c, ctx.Err()
		}
		if !there {
			return nil, cmp.Or(ctx.Err(), engine.ErrNotFound)
		}
		schemas, ids, err := s.schemas(ctx, call{"OpenCollection", name}, "WHERE name = ?", name)
		if err != nil {
			return nil, err
		}
		if len(schemas) == 0 {
			return nil, engine.ErrNotFound
		}
		if c, err := s.load(ctx, schemas[0], ids[0]); c != nil || err != nil {
			return c, err
		}
	}
}

// load reads a collection into memory, or returns nil if another process has changed it
// so that it has to be looked up again. The caller holds s.mu.
func (s *store) load(ctx context.Context, schema engine.Schema, id int64) (*collection, error) {
	begun := time.Now()
	c, err := newCollection(s, schema, id)
	if err == nil {
		err = c.load(ctx)
	}
	joined := false
	if err == nil {
		joined, err = s.add(ctx, c)
	}
	if err != nil || !joined || c.isGone() {
		if joined {
			s.letGo(c)
		} else if c != nil {
			c.close()
		}
		if err != nil && s.hasGone(ctx, id) {
			return nil, nil
		}
		return nil, explain(err)
	}
	c.startLinker()
	c.tick()
	s.shrink(c)
	s.log.Debug("collection loaded", "collection", schema.Name, "records", c.ids.len(), "took", time.Since(begun))
	return c, nil
}

// List implements engine.Engine.
func (s *store) List(ctx context.Context) ([]engine.Schema, error) {
	schemas, _, err := s.schemas(ctx, call{verb: "Collections"}, "ORDER BY name COLLATE BINARY")
	return schemas, err
}

// hasGone reports whether a collection has been dropped or renamed since it was looked
// up, which explains what an error says about its tables.
func (s *store) hasGone(ctx context.Context, id int64) bool {
	if s.watch == nil {
		return false
	}
	_, ids, err := s.schemas(ctx, call{verb: "OpenCollection"}, "WHERE id = ?", id)
	return err == nil && len(ids) == 0
}

// Drop implements engine.Engine.
func (s *store) Drop(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *collection
	err := s.update(ctx, call{"DropCollection", name}, func(t *txn) error {
		if c, _ = s.lookUp(name); c != nil {
			t.change(c).gone = true
		}
		return t.drop(name)
	})
	if err != nil {
		return err
	}
	s.named(name, false)
	if c != nil {
		s.shut(c)
	}
	return nil
}

// drop removes a collection from the file.
func (t *txn) drop(name string) error {
	t.registry = true
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
	fields, err := t.valueFields(name)
	if err != nil {
		return err
	}
	statements := dropTables(name)
	for _, field := range fields {
		statements = append(statements, "DROP TABLE "+valuesTable(name, field))
	}
	for _, statement := range statements {
		if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// schemas reads the registry.
func (s *store) schemas(ctx context.Context, by call, where string, args ...any) (schemas []engine.Schema, ids []int64, err error) {
	if err := s.reading(ctx, by); err != nil {
		return nil, nil, err
	}
	defer s.endReading()
	return readSchemas(ctx, s.read, where, args...)
}

func readSchemas(ctx context.Context, q queryer, where string, args ...any) (schemas []engine.Schema, ids []int64, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, dim, element, metric, model, fields, full_text FROM vecwire_collections `+where, args...)
	if err != nil {
		return nil, nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var schema engine.Schema
		var element, metric, fields, fullText string
		if err := rows.Scan(&id, &schema.Name, &schema.Dim, &element, &metric, &schema.Model, &fields, &fullText); err != nil {
			return nil, nil, explain(err)
		}
		var known bool
		if schema.Element, schema.Metric, known = parseKinds(element, metric); !known {
			return nil, nil, fmt.Errorf("%w: collection %q has element %q and metric %q", errDamaged, schema.Name, element, metric)
		}
		if schema.FullText, known = engine.ParseFullText(fullText); !known {
			return nil, nil, fmt.Errorf("%w: collection %q has full text %q", errDamaged, schema.Name, fullText)
		}
		if err := unmarshalFields(fields, &schema); err != nil {
			return nil, nil, fmt.Errorf("%w: collection %q: %w", errDamaged, schema.Name, err)
		}
		schemas, ids = append(schemas, schema), append(ids, id)
	}
	return schemas, ids, explain(rows.Err())
}

// fold returns a name as SQLite compares it, without regard to case. Names are ASCII.
func fold(name string) string { return strings.ToLower(name) }
