package vecwire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/mirror"
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
	// FullText has the mirror keep the texts and their words in memory, so that
	// [Query].Fusion and filters over the text work in its searches on every engine,
	// also on those that have no full text themselves. Its kind must be that of the
	// schema, if that has one. An attached table has none. Defaults to NoFullText: the
	// database then finds words, if it can.
	FullText FullText
	// Codes says how much memory the mirror spends on what searches compare first; see
	// [FourBits]. Defaults to SevenBits.
	Codes Codes
}

// Mirror is a collection whose searches are answered in this process, from a
// copy of its IDs, vectors and fields, in microseconds. [Collection.Mirror] makes
// one. It has all the verbs of a collection:
//
//   - Search, SearchMany and SearchAll find by the copy. Queries with IDsOnly, also
//     those with Vectors, never ask the database; for others, one Get reads the
//     texts and fields of the hits.
//   - Upsert, Insert, Update, UpdateWhere, Delete, DeleteWhere, Ingest and ReplaceSource
//     write to the database, and then to the copy: a search after them sees all of the write,
//     one beside them all or nothing.
//   - All else is done by the database: Get, Count, All, Cursor, indexes, and without
//     MirrorOptions.FullText the words of [Query].Fusion. A filter that the database does
//     not know works in searches only; those verbs return [ErrUnsupported] for it.
//
// Writes of others, also those through another handle in this process, are seen
// after the next refresh. Until then [Mirror.Staleness] says how old the copy may be.
// A search that reads texts and fields finds out that the record of a hit
// is gone or has other fields, reads it again and repeats the search, so that it
// gives K hits if there are K, and none that does not pass the filter; if this goes
// on, the database answers. It does not find out that a vector has changed.
//
// Scores, ties and filters are those of an exact search by the database: no
// approximate index takes part, and Effort has no effect. Results say so: their
// Plan.Path begins with "mirror".
//
// A write that fails leaves the copy as it was. If it is unknown whether it was
// stored, its records are read again, at once if that is possible, or else by the
// next refresh.
//
// If a refresh finds that the collection was dropped, searches return [ErrNotFound].
// After [DB.AlterCollection] all calls return [ErrAltered].
// A mirror is safe for concurrent use. It must be closed, before its database.
type Mirror struct {
	// Collection is the collection as the mirror has it. It may be used by itself,
	// as for WithEmbedder, until the mirror is closed.
	*Collection
}

// MirrorStats describes a mirror's copy and how its last refresh went.
type MirrorStats struct {
	Records int
	// Bytes is about how much memory the copy takes, without fields and texts: for each
	// record four times its vector, and 300 bytes. That was measured with short
	// IDs; a long one counts three times.
	Bytes int64
	// Refreshed is when the last complete refresh, or the loading, began: the
	// mirror has everything that others had stored before.
	Refreshed time.Time
	// Took is how long it took.
	Took time.Duration
	// Changed is how many records it found to be new, changed or gone.
	Changed int
	// Unsure is how many records may differ from the mirror's, after writes whose
	// outcome is unknown.
	Unsure int
	// Err says why the last refresh failed, nil if it did not.
	Err error
}

// Mirror loads the collection's IDs, vectors and fields into this process and
// returns a [Mirror] that answers searches from there. It has the collection's
// embedder. Writes of other processes during the loading may or may not be in it.
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
	c, ctx, call, err := c.beginOutsideTx(ctx, OpMirror, "a transaction has no mirrors")
	if err != nil {
		return nil, err
	}
	defer call.left()
	call.release() // each page enters for itself, so that Close ends the loading
	m, err := c.openMirror(ctx, o)
	if err != nil {
		return nil, call.end(0, err)
	}
	return m, call.end(m.Stats().Records, nil)
}

func (c *Collection) openMirror(ctx context.Context, o MirrorOptions) (*Mirror, error) {
	if o.MaxRecords == 0 {
		o.MaxRecords = DefaultMirrorRecords
	}
	switch {
	case c.mirror != nil:
		return nil, errors.New("it is a mirror itself")
	case c.vector != "":
		return nil, errThrough
	case o.MaxRecords < 0:
		return nil, &ValueError{Field: "MaxRecords", Pos: -1, Want: "a positive number, or 0 for the default", Got: fmt.Sprint(o.MaxRecords)}
	case o.Refresh < 0:
		return nil, &ValueError{Field: "Refresh", Pos: -1, Want: "a time between two refreshes, or 0 for none", Got: o.Refresh.String()}
	case o.Codes > FourBits:
		return nil, &ValueError{Field: "Codes", Pos: -1, Want: "SevenBits or FourBits", Got: o.Codes.String()}
	}
	if err := c.mirrorText(o.FullText); err != nil {
		return nil, err
	}
	m, err := mirror.Open(ctx, c.engine, mirror.Options{
		Gate: &c.db.gate, Log: c.db.log, Attached: c.attached, MaxRecords: o.MaxRecords, Refresh: o.Refresh, FullText: engine.FullText(o.FullText), Codes: engine.Codes(o.Codes),
	})
	if err != nil {
		return nil, err
	}
	with := newCollection(c.db, expiry.Copied(m), c.namespace)
	with.embedder, with.attached, with.mirror = c.embedder, c.attached, m
	with.tuned = nil
	with.live, with.seen, with.named = c.live, c.seen, c.named
	return &Mirror{with}, nil
}

// mirrorText refuses full text that a mirror cannot have.
func (c *Collection) mirrorText(f FullText) error {
	has := FullText(c.schema.FullText)
	switch {
	case f == NoFullText:
		return nil
	case !engine.FullText(f).Known():
		return &ValueError{Field: "FullText", Pos: -1, Want: "NoFullText, Words, English or a Stem", Got: f.String()}
	case c.attached:
		return fmt.Errorf("%w: full text in a mirror of an attached table", ErrUnsupported)
	case has != NoFullText && has != f:
		return &ValueError{Field: "FullText", Pos: -1, Want: has.String() + ", which the collection has, or NoFullText", Got: f.String()}
	}
	return nil
}

// Refresh reads the whole collection, with its vectors, and brings the copy in
// line: it holds one page at a time, and the collection's IDs. Searches and writes
// go on meanwhile. If it fails, the copy goes on answering, partly as new as the
// refresh got. One refresh runs at a time; another waits for it.
func (m *Mirror) Refresh(ctx context.Context) error {
	_, ctx, call, err := m.beginOutsideTx(ctx, OpRefreshMirror, "refresh the mirror afterwards")
	if err != nil {
		return err
	}
	defer call.left()
	call.release() // each page enters for itself
	changed, err := m.mirror.Refresh(ctx)
	return call.end(changed, err)
}

// Staleness returns how old the copy may be: the time since the last complete
// refresh began. Writes through the mirror are in the copy at once.
func (m *Mirror) Staleness() time.Duration { return m.mirror.Staleness() }

// Stats describes the copy, and how its last refresh went.
func (m *Mirror) Stats() MirrorStats {
	s := MirrorStats(m.mirror.Stats())
	s.Err = public(s.Err)
	return s
}

// Close ends the refreshes, waits for the calls that run and gives the memory
// back. Calls after it return [ErrClosed]; closing again does nothing. The
// collection itself, and what is stored, stay as they are.
func (m *Mirror) Close() error { return m.mirror.Close() }
