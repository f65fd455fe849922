package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/local"
)

// Options says how a mirror is kept. All but Refresh, FullText and Codes is required.
type Options struct {
	Gate       *gate.Gate // of the database that the inner collection belongs to
	Log        *slog.Logger
	Attached   bool // the inner collection is an existing table, which vecwire did not create
	MaxRecords int  // how many records the copy may have
	// Refresh is the time between two refreshes in the background, 0 for none.
	Refresh time.Duration
	// FullText has the copy keep the texts, too, and answer searches by their words; the
	// inner collection need not know any. NoFullText leaves the texts where they are.
	FullText engine.FullText
	Codes    engine.Codes // of the copy
}

// Stats says what a mirror has.
type Stats struct {
	Records   int           // in the copy
	Bytes     int64         // about how much memory the copy takes, without fields
	Refreshed time.Time     // when the last complete refresh, or the loading, began
	Took      time.Duration // how long it took
	Changed   int           // how many records it found to be new, changed or gone
	Unsure    int           // how many records may differ from the copy
	Err       error         // why the last refresh failed, nil if it did not
}

// SizeError says that a collection has more records than a mirror may have.
type SizeError struct {
	Records int // how many there are, or would be
	Max     int // Options.MaxRecords
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%d records, and the mirror may have %d: see MirrorOptions.MaxRecords", e.Records, e.Max)
}

// Mirror is a collection with a copy in this process, which answers searches. It
// implements engine.Collection, is safe for concurrent use, and must be closed.
type Mirror struct {
	inner  engine.Collection
	o      Options
	schema engine.Schema

	gate gate.Gate         // of the copy
	mem  engine.Engine     // the copy's own database, of the embedded engine in memory
	copy engine.Collection // without texts, but for Options.FullText

	claims     claims
	refreshing *semaphore.Weighted // of one

	mu     sync.Mutex
	stats  Stats // Records, Bytes and Unsure are counted when asked for
	unsure map[string]struct{}

	woken   chan struct{} // tells keepFresh of unsure records
	stop    context.CancelFunc
	stopped chan struct{}
}

// Open loads a mirror of a collection. What others write while it loads may or may
// not be in it. It returns a *SizeError if the collection has too many records.
func Open(ctx context.Context, inner engine.Collection, o Options) (*Mirror, error) {
	mem, err := local.Open(ctx, local.Options{Logger: o.Log})
	if err != nil {
		return nil, err
	}
	m := &Mirror{
		inner: inner, o: o, schema: inner.Schema(), mem: mem,
		refreshing: semaphore.NewWeighted(1), unsure: map[string]struct{}{},
		woken: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	schema := m.schema
	schema.Name, schema.Model, schema.FullText = "mirror", "", o.FullText
	schema.Index, schema.Codes = engine.NoIndex, o.Codes // a mirror's answers are exact
	if m.texts() {
		m.schema.FullText = o.FullText
	}
	if m.copy, err = mem.Create(ctx, schema); err == nil {
		err = m.load(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, mem.Close())
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	if o.Refresh > 0 {
		go m.keepFresh(life)
	} else {
		close(m.stopped)
	}
	return m, nil
}

// Close ends the refreshes, waits for the calls under way and gives the copy's
// memory back. Calls after it return gate.ErrClosed; closing again does nothing.
func (m *Mirror) Close() error {
	m.stop()
	<-m.stopped
	if !m.gate.Close() {
		return nil
	}
	return m.mem.Close()
}

// enter keeps the copy open until m.gate.Leave.
func (m *Mirror) enter() error {
	if err := m.gate.Enter(); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	return nil
}

// Staleness returns the time since the last complete refresh began.
func (m *Mirror) Staleness() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.stats.Refreshed)
}

// bytesRecord is what a record of the copy takes beside its vector, as was
// measured with short IDs and no fields. The vector takes four times its size:
// the row in SQLite, the arena, and what either keeps to grow into.
const bytesRecord = 300

// Stats says what the mirror has, and how its last refresh went.
func (m *Mirror) Stats() Stats {
	m.mu.Lock()
	s := m.stats
	s.Unsure = len(m.unsure)
	m.mu.Unlock()
	s.Records = m.records()
	s.Bytes = int64(s.Records) * int64(4*m.schema.Dim*m.schema.Element.Size()+bytesRecord)
	return s
}

// dropped returns engine.ErrNotFound if the last refresh found no collection.
func (m *Mirror) dropped() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if errors.Is(m.stats.Err, engine.ErrNotFound) {
		return engine.ErrNotFound
	}
	return nil
}
