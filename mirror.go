package vecwire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
)

// DefaultMirrorRecords is how many records a mirror may have by default.
const DefaultMirrorRecords = 1_000_000

// MirrorOptions says how a [Mirror] is kept. The zero value is a mirror that is
// refreshed only when [Mirror.Refresh] is called.
type MirrorOptions struct {
	// MaxRecords is how many records the mirror may have. See [MirrorStats] for
	// the memory that they take. Defaults to DefaultMirrorRecords.
	MaxRecords int
	// Refresh is the time between two refreshes in the background. Each reads the
	// whole collection. Defaults to none.
	Refresh time.Duration
}

// Mirror is a collection whose searches are answered in this process, from a
// copy of its IDs, vectors and fields, in microseconds. [Collection.Mirror] makes
// one. It has all the verbs of a collection:
//
//   - Search, SearchMany and SearchAll find by the copy. Queries with IDsOnly, also
//     those with Vectors, never ask the database; for others, one Get reads the
//     texts and fields of the hits.
//   - Upsert, Insert, Delete, DeleteWhere, Ingest and ReplaceSource write to the
//     database, and then to the copy: a search after them sees all of the write,
//     one beside them all or nothing.
//   - All else is done by the database: Get, Count, All, Cursor, indexes, and the
//     words of [Query].Fusion.
//
// What others write, also through another handle in this process, is seen after
// the next refresh. Until then [Mirror.Staleness] says how old the copy may be.
// A search that reads texts and fields finds out by itself that the record of a hit
// is gone or has other fields, reads it anew and looks again, so that it gives K
// hits if there are K, and none that does not pass the filter; if this goes on, the
// database answers. It does not find out that a vector is another.
//
// Scores, ties and filters are those of an exact search by the database: no
// approximate index takes part, and Effort has no effect. Results say so: their
// Plan.Path begins with "mirror".
//
// A write that fails leaves the copy as it was. If it is unknown whether it was
// stored, its records are read anew, at once if that is possible, or else by the next
// refresh.
//
// If a refresh finds that the collection was dropped, searches return [ErrNotFound].
// A mirror is safe for concurrent use. It must be closed, before its database.
type Mirror struct {
	// Collection is the collection as the mirror has it. It may be used by itself,
	// as for WithEmbedder, until the mirror is closed.
	*Collection
	mirrored *mirrored
}

// MirrorStats says what a mirror has.
type MirrorStats struct {
	Records int
	// Bytes is about how much memory the copy takes, without fields: for each
	// record four times its vector, and 300 bytes. That was measured with short
	// IDs; a long one counts three times.
	Bytes int64
	// Refreshed is when the last complete refresh, or the loading, began: what
	// others had stored before, the mirror has.
	Refreshed time.Time
	// Took is how long it took.
	Took time.Duration
	// Changed is how many records it found to be new, changed or gone.
	Changed int
	// Unsure is how many records may be other than the mirror has them, after
	// writes of which it is unknown whether they were stored.
	Unsure int
	// Err says why the last refresh failed, nil if it did not.
	Err error
}

// MirrorSizeError says that a collection has more records than a mirror may have.
type MirrorSizeError struct {
	Records int // how many there are, or would be
	Max     int // MirrorOptions.MaxRecords
}

func (e *MirrorSizeError) Error() string {
	return fmt.Sprintf("%d records, and the mirror may have %d: see MirrorOptions.MaxRecords", e.Records, e.Max)
}

// Mirror loads the collection's IDs, vectors and fields into this process and
// returns a [Mirror] that answers searches from there. It has the collection's
// embedder. What other processes write while it loads may or may not be in it.
//
// If the collection has more than MaxRecords it returns a [*MirrorSizeError]
// before it loads anything. A write through the mirror that would take it over
// MaxRecords is refused with the same error, before it is sent; a refresh that
// finds too many fails with it, and the copy stays as it is. Writes that are under
// way at the same time are not counted together.
//
// A transaction has no mirrors. Of a namespace, mirror what
// [Collection.Namespace] returns.
func (c *Collection) Mirror(ctx context.Context, o MirrorOptions) (*Mirror, error) {
	ctx, call, err := c.begin(ctx, "mirror")
	if err != nil {
		return nil, err
	}
	call.leave() // each page enters for itself, so that Close ends the loading
	m, err := c.newMirror(ctx, o)
	if err != nil {
		return nil, call.end(0, err)
	}
	call.end(m.Stats().Records, nil)
	return m, nil
}

func (c *Collection) newMirror(ctx context.Context, o MirrorOptions) (*Mirror, error) {
	if o.MaxRecords == 0 {
		o.MaxRecords = DefaultMirrorRecords
	}
	switch {
	case isMirror(c.engine):
		return nil, errors.New("it is a mirror itself")
	case c.tx != nil:
		return nil, errors.New("a transaction has no mirrors")
	case o.MaxRecords < 0:
		return nil, &ValueError{Field: "MaxRecords", Pos: -1, Want: "a positive number, or 0 for the default", Got: fmt.Sprint(o.MaxRecords)}
	case o.Refresh < 0:
		return nil, &ValueError{Field: "Refresh", Pos: -1, Want: "a time between two refreshes, or 0 for none", Got: o.Refresh.String()}
	}
	mem, err := local.Open(ctx, local.Options{Logger: c.db.log})
	if err != nil {
		return nil, err
	}
	m := &mirrored{
		Collection: c.engine, of: c, o: o, mem: &DB{engine: mem, log: c.db.log},
		refreshing: semaphore.NewWeighted(1), unsure: map[string]struct{}{},
		woken: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	schema := c.schema
	schema.Name, schema.Model, schema.FullText = "mirror", "", engine.NoFullText
	if m.copy, err = mem.Create(ctx, schema); err == nil {
		err = m.load(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, m.mem.Close())
	}

	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	if o.Refresh > 0 {
		go m.keepFresh(life)
	} else {
		close(m.stopped)
	}
	with := newCollection(c.db, m)
	with.embedder = c.embedder
	with.tuned.effort.Store(new(int)) // there is no effort to ask the database for
	return &Mirror{Collection: with, mirrored: m}, nil
}

// Refresh reads the whole collection, with its vectors, and brings the copy in
// line: it holds one page at a time, and the collection's IDs. Searches and writes
// go on meanwhile. If it fails, what is there goes on answering, partly as new as it
// got. One refresh runs at a time; another waits for it.
func (m *Mirror) Refresh(ctx context.Context) error {
	ctx, call, err := m.begin(ctx, "refresh the mirror of")
	if err != nil {
		return err
	}
	call.leave() // each page enters for itself
	changed, err := m.mirrored.refresh(ctx)
	return call.end(changed, err)
}

// Staleness returns how old the copy may be: the time since the last complete
// refresh began. What is written through the mirror is never older.
func (m *Mirror) Staleness() time.Duration {
	m.mirrored.mu.Lock()
	defer m.mirrored.mu.Unlock()
	return time.Since(m.mirrored.stats.Refreshed)
}

// Stats says what the mirror has, and how its last refresh went.
func (m *Mirror) Stats() MirrorStats {
	m.mirrored.mu.Lock()
	s := m.mirrored.stats
	s.Unsure = len(m.mirrored.unsure)
	m.mirrored.mu.Unlock()
	s.Records = m.mirrored.records()
	s.Bytes = int64(s.Records) * int64(4*m.schema.Dim*m.schema.Element.Size()+300)
	return s
}

// Close ends the refreshes, waits for the calls that run and gives the memory
// back. Calls after it return [ErrClosed]; closing again does nothing. The
// collection itself, and what is stored, stay as they are.
func (m *Mirror) Close() error {
	m.mirrored.stop()
	<-m.mirrored.stopped
	return m.mirrored.mem.Close()
}
