package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
	"github.com/vecwire/vecwire/internal/gate"
)

// Options says what a job works with and how. What is zero takes its default.
type Options[R any] struct {
	Collection engine.Collection
	Gate       *gate.Gate // entered for each batch; nil where the caller keeps the database open
	Log        *slog.Logger

	// ID returns a record's ID, Size about how many bytes it takes.
	ID   func(*R) string
	Size func(*R) int
	// Check turns a record into the engine's form. The values of its fields go into
	// fields, which has a place for each of the schema's. It reports whether the
	// vector is to be made of the text. Several workers call it at a time.
	Check func(r *R, fields []any) (checked engine.Record, embed bool, err error)
	// Embed makes vectors; nil where Check never asks for one. Several workers call
	// it at a time.
	Embed Embed
	// Complete makes the named vectors that records lack; nil if none are made. Several
	// workers call it at once.
	Complete func(ctx context.Context, records []*engine.Record) error
	// Lacks reports whether Complete would give a record something; nil where that is.
	Lacks func(r *engine.Record) bool
	// Kept is told of the records that are stored as they are already, before others are
	// stored; nil for nobody. Several workers call it at a time.
	Kept func(ctx context.Context, ids []string)
	// Refused is told of each checked record that the embedder or the engine
	// refused; nil for nobody. Several workers call it at a time.
	Refused func(engine.Record)
	// Cursor keeps how far the job is; nil for a job without a name.
	Cursor Cursor

	Skipped      int64 // records that the input has left out at its beginning
	Workers      int
	BatchRecords int
	Ordered      bool
	MaxErrors    int // 0 for no limit, negative for none at all
	Total        int64
	Progress     func(Progress)
	Every        time.Duration
}

// Embed returns a vector for each text, and the texts that cannot be embedded. An
// error is about the embedder, and ends the job.
type Embed func(ctx context.Context, texts []string) ([]engine.Vector, []TextFailure, error)

// TextFailure is a text that cannot be embedded.
type TextFailure struct {
	Index int // its place among the texts of the call
	Err   error
}

// Cursor keeps how many records of the input are done.
type Cursor interface {
	Save(ctx context.Context, done int64) error
	Forget(ctx context.Context) error
}

const (
	// A server answers one batch while it is sent the next, and has the other two
	// to work on: more than four were no faster on PostgreSQL with two cores.
	defaultWorkers = 4
	// An embedder's answer takes much longer than a write, so more are waited for.
	embedWorkers = 16
	// What an embedder takes in four calls of 32 texts.
	embedRecords = 128
	// MaxWorkers bounds the goroutines, and with batchBytes the memory.
	MaxWorkers = 1024
	// MaxBatchRecords bounds what a batch reserves for its records.
	MaxBatchRecords = 1 << 20
	// batchBytes closes a batch: the memory that a job takes is that, twice for each
	// worker.
	batchBytes = 4 << 20

	defaultEvery = 500 * time.Millisecond
	logEvery     = 10 * time.Second
	// endTime bounds what is done when a job has ended: its ctx may have ended.
	endTime = 5 * time.Second

	// MaxFailures is how many failures a report describes. It counts all.
	MaxFailures = 10_000
)

// ErrTooManyFailed says that more records have failed than Options.MaxErrors.
var ErrTooManyFailed = errors.New("too many records have failed")

// Failure is a record that was refused. An input may yield one as its error: that
// counts as a record that failed.
type Failure struct {
	ID    string
	Index int // among the records of the input
	Err   error
}

func (f *Failure) Error() string { return fmt.Sprintf("record %d (id %q): %v", f.Index, f.ID, f.Err) }

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// Job is a job under way.
type Job[R any] struct {
	Options[R]
	begun  time.Time
	flight flight
	state
}

// New makes a job. Numbers that are zero or negative take their default, and those
// that are too large the largest value there is.
func New[R any](o Options[R]) *Job[R] {
	workers, records := defaultWorkers, MaxBatchRecords
	if o.Embed != nil {
		workers, records = embedWorkers, embedRecords
	}
	if o.Workers <= 0 {
		o.Workers = workers
	}
	if o.BatchRecords <= 0 {
		o.BatchRecords = records
	}
	o.Workers, o.BatchRecords = min(o.Workers, MaxWorkers), min(o.BatchRecords, MaxBatchRecords)
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	j := &Job[R]{Options: o, begun: time.Now()}
	j.flight.ids = map[string]struct{}{}
	j.ahead = map[int64]int64{}
	j.cursor, j.saved = o.Skipped, o.Skipped
	return j
}

// DefaultBatch returns how many records a batch has by default: what the engine
// takes best, fewer with an embedder.
func DefaultBatch(engineBest int, embeds bool) int {
	if embeds {
		return min(engineBest, embedRecords)
	}
	return engineBest
}

// item is a record of the input.
type item[R any] struct {
	record R
	id     string
	index  int64
}

// batch is a piece of the input.
type batch[R any] struct {
	from, to int64 // the indexes of its records
	bytes    int
	items    []item[R]
	failed   []Failure
	counts   Report          // what became of its records, but for those that failed
	again    []planned       // records that are to be stored, because those that replaced them were refused
	turn     <-chan struct{} // ends when all batches before are stored
	done     chan struct{}   // closed when it is stored
}

func (b *batch[R]) fail(id string, index int64, err error) {
	b.failed = append(b.failed, Failure{ID: id, Index: place(index), Err: err})
}

// place is an index as reports have it.
func place(index int64) int { return int(min(index, math.MaxInt)) }

// Run reads the input in the caller's goroutine and gives each batch to a worker.
// A record is the job's own as soon as the input is asked for the next one.
func (j *Job[R]) Run(ctx context.Context, records iter.Seq2[R, error]) error {
	return j.end(ctx, j.run(ctx, records))
}

func (j *Job[R]) run(outer context.Context, records iter.Seq2[R, error]) (err error) {
	canceled, cancel := context.WithCancelCause(outer)
	group, ctx := errgroup.WithContext(canceled)
	group.SetLimit(j.Workers)
	stop := j.watch(ctx, func() { cancel(nil) })
	defer func() { // also when the input panics: then its caller sees that, and the workers end first
		cancel(nil)
		_ = group.Wait()
		if panicked := stop(); panicked != nil {
			err = panicked
		}
	}()
	failed := j.read(ctx, group, records, func() { cancel(errExited) })
	err = group.Wait()
	if errors.Is(context.Cause(canceled), errExited) {
		return errExited
	}
	if err != nil {
		return err
	}
	if err := outer.Err(); err != nil {
		return err
	}
	return failed
}

var errExited = errors.New("a function given to the job ended its goroutine")

// read divides the input into batches, and returns the error that ended it. It calls
// exited if a worker's goroutine was ended from within.
func (j *Job[R]) read(ctx context.Context, group *errgroup.Group, records iter.Seq2[R, error], exited func()) error {
	next := j.Skipped
	turn := closed // ends when the batch before is stored
	b := &batch[R]{from: next}
	send := func() {
		b.to = next
		this := b
		b = &batch[R]{from: next}
		ids := idsOf(this)
		j.flight.enter(ids) // waits for batches with the same IDs
		this.turn, this.done = turn, make(chan struct{})
		turn = this.done
		group.Go(func() error {
			ended := false
			defer func() {
				if !ended {
					exited()
				}
				j.flight.leave(ids)
			}()
			err := fault.Guard("a function given to the job", func() error { return j.process(ctx, this) })
			ended = true
			if err == nil { // else nothing may be stored after it, and the end of ctx releases those that wait
				close(this.done)
			}
			return err
		})
	}
	for r, err := range records {
		if ctx.Err() != nil {
			return nil
		}
		if refused, ok := errors.AsType[*Failure](err); ok {
			b.fail(refused.ID, next, refused.Err)
		} else if err != nil {
			send()
			return fmt.Errorf("input, record %d: %w", next, err)
		} else {
			b.items = append(b.items, item[R]{record: r, id: j.ID(&r), index: next})
			b.bytes += j.Size(&r)
		}
		next++
		if len(b.items)+len(b.failed) >= j.BatchRecords || b.bytes >= batchBytes {
			send()
		}
	}
	if len(b.items)+len(b.failed) > 0 && ctx.Err() == nil {
		send()
	}
	return nil
}

func idsOf[R any](b *batch[R]) []string {
	ids := make([]string, len(b.items))
	for i := range b.items {
		ids[i] = b.items[i].id
	}
	return ids
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// end keeps the cursor of a job that ended early, and forgets that of one whose
// input has ended.
func (j *Job[R]) end(ctx context.Context, err error) error {
	if j.Cursor == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err != nil {
		j.saveCursor(ctx)
		return err
	}
	return j.Cursor.Forget(ctx)
}

// saveCursor keeps the cursor if it has moved. Without it a job is slower to go
// on with, and nothing is lost: an error is only said in the log.
func (j *Job[R]) saveCursor(ctx context.Context) {
	j.mu.Lock()
	cursor := j.cursor
	j.mu.Unlock()
	if j.Cursor == nil || cursor == j.saved {
		return
	}
	if err := j.Cursor.Save(ctx, cursor); err != nil {
		j.Log.WarnContext(ctx, "the cursor of a job was not kept", "collection", j.Collection.Schema().Name, "err", err)
		return
	}
	j.saved = cursor
}
