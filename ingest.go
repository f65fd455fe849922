package vecwire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// IngestOptions says how [Collection.Ingest] works. The zero value is good for
// most inputs.
type IngestOptions struct {
	// Job names the work, so that its cursor is kept in the database until the
	// input has ended: see [Collection.Cursor]. At most 200 bytes. Defaults to
	// none, and an interrupted input can be begun again all the same.
	Job string
	// Skipped is how many records the input itself has left out at its beginning,
	// as [Collection.Cursor] said. They count into indexes, Done and the cursor.
	Skipped int64
	// Workers is how many batches are under way at a time: being compared,
	// embedded or stored. Defaults to 4, and with an embedder to 16.
	Workers int
	// BatchRecords is the most records in a batch. Defaults to what the engine
	// takes best, and with an embedder to 128 at most. A batch is also closed
	// when it holds 4 MiB.
	BatchRecords int
	// Ordered stores the batches in the order of the input, one at a time, so
	// that what is stored when the job ends early is the beginning of the input.
	// Embedding still goes on side by side.
	Ordered bool
	// MaxErrors ends the job when more records than this have failed. 0 is no
	// limit, and a negative number none at all: the first failure ends the job.
	MaxErrors int
	// Total is how many records the input will have, if that is known. It is
	// used for IngestProgress.ETA only.
	Total int64
	// Progress is called from time to time, and once at the end, by one
	// goroutine at a time.
	Progress func(IngestProgress)
	// Every is how often. Defaults to half a second.
	Every time.Duration
}

const (
	ingestWorkers      = 4
	ingestEmbedWorkers = 16
	ingestEmbedRecords = 128
	ingestBatchBytes   = 4 << 20
	ingestEvery        = 500 * time.Millisecond
	ingestLogEvery     = 10 * time.Second

	// MaxFailures is how many failures an [IngestReport] describes. It counts all.
	MaxFailures = 10_000
)

// IngestProgress says how far a job is.
type IngestProgress struct {
	Done    int64         // records that are stored, unchanged or failed
	Failed  int64         // records that failed
	Total   int64         // as IngestOptions has it, 0 if unknown
	Rate    float64       // records a second, of late
	Elapsed time.Duration // since the job began
	ETA     time.Duration // until the end, 0 if unknown
}

// IngestReport says what became of each record of an input. A record whose ID
// comes again later in the input counts as the one that the later one updated.
type IngestReport struct {
	Inserted  int64 // records whose ID was not there
	Updated   int64 // records that replaced another
	Unchanged int64 // records that were there already, as they are
	Failed    int64 // records that were refused; all others are stored
	Deleted   int64 // records that ReplaceSource removed
	Embedded  int64 // texts given to the embedder
	Elapsed   time.Duration
	// Failures describes the failed records, the first MaxFailures of them, in
	// the order in which they were found. Index counts the records of the input.
	Failures []RecordError
}

// Done returns how many records the report is about.
func (r IngestReport) Done() int64 { return r.Inserted + r.Updated + r.Unchanged + r.Failed }

// Err returns a [*BatchError] if a record failed, and nil otherwise.
func (r IngestReport) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return fmt.Errorf("vecwire: %w", r.failure())
}

func (r IngestReport) failure() *BatchError {
	return &BatchError{Total: int(r.Done()), Failed: r.Failures, Stored: int(r.Done() - r.Failed)}
}

// Ingest stores the records of an input that may be longer than the memory: it
// holds Workers batches at a time. Each record is checked, embedded if it has
// only a text and the collection has an embedder, and stored like [Collection.Upsert]
// does. One that fails is described in the report, and all others are stored.
//
// A record that is stored already, with the same text, fields and vector, is
// neither embedded nor written again; for one that has only a text, any vector
// is the same. If only its fields changed, it is written with the vector it has.
// So a job that was interrupted, by an error or by the death of the process, is
// finished by giving it the same input again; of the texts, at most those of the
// batches that were under way are embedded twice.
//
// If the same ID comes several times, the last counts, as if the records were
// stored one after another.
//
// An error that the input yields ends the job, unless it is a [*RecordError]:
// that counts as one failed record. The job also ends when ctx does, when the
// database or the embedder fails, and after MaxErrors, with a [*BatchError]. The
// report is good in any case: what it counts as stored is stored. When Ingest
// returns, nothing of it is running.
//
// On an engine without AtomicBatches (see [Capabilities]) records of a batch
// that failed for another reason than a record may be stored and not counted.
// Ingest cannot be part of a transaction.
func (c *Collection) Ingest(ctx context.Context, records iter.Seq2[Record, error], o IngestOptions) (IngestReport, error) {
	ctx, call, err := c.begin(ctx, "ingest into")
	if err != nil {
		return IngestReport{}, err
	}
	call.leave() // each batch enters for itself, so that Close ends the job
	if c.tx != nil {
		return IngestReport{}, call.end(0, errors.New("it cannot be part of a transaction: use Upsert"))
	}
	if err := checkJob(o.Job); err != nil {
		return IngestReport{}, call.end(0, err)
	}
	j := c.newIngest(o)
	err = j.run(ctx, records)
	report := j.report()
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	c.db.log.Log(ctx, level, "ingest ended", "collection", c.schema.Name, "inserted", report.Inserted, "updated", report.Updated,
		"unchanged", report.Unchanged, "failed", report.Failed, "embedded", report.Embedded, "took", report.Elapsed, "err", err)
	return report, call.end(int(report.Done()), err)
}

// ingest is a job under way.
type ingest struct {
	*Collection
	o      IngestOptions
	maxID  int
	begun  time.Time
	flight flight
	ingestState
}

func (c *Collection) newIngest(o IngestOptions) *ingest {
	workers, records := ingestWorkers, c.db.engine.Capabilities().BatchRecords
	if c.embedder != nil {
		workers, records = ingestEmbedWorkers, min(records, ingestEmbedRecords)
	}
	if o.Workers <= 0 {
		o.Workers = workers
	}
	if o.BatchRecords <= 0 {
		o.BatchRecords = records
	}
	if o.Every <= 0 {
		o.Every = ingestEvery
	}
	j := &ingest{Collection: c, o: o, maxID: c.maxID(), begun: time.Now()}
	j.flight.ids = map[string]struct{}{}
	j.ahead = map[int64]int64{}
	j.cursor, j.saved = o.Skipped, o.Skipped
	return j
}

// run reads the input in the caller's goroutine and gives each batch to a worker.
func (j *ingest) run(ctx context.Context, records iter.Seq2[Record, error]) error {
	outer := ctx
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(j.o.Workers)
	stop := j.watch(ctx)

	next := j.o.Skipped
	turn := closed // ends when the batch before is stored
	b := &batch{from: next}
	send := func() {
		b.to = next
		this := b
		b = &batch{from: next}
		j.flight.enter(this) // waits for batches with the same IDs
		this.turn, this.done = turn, make(chan struct{})
		turn = this.done
		group.Go(func() error {
			defer close(this.done)
			defer j.flight.leave(this)
			return j.process(ctx, this)
		})
	}
	var failed error
	for r, err := range records {
		if ctx.Err() != nil {
			break
		}
		if refused, ok := errors.AsType[*RecordError](err); ok {
			b.failed = append(b.failed, RecordError{ID: refused.ID, Index: int(next), Err: refused.Err})
		} else if err != nil {
			failed = fmt.Errorf("input, record %d: %w", next, err)
			break
		} else {
			b.items = append(b.items, item{Record: r, index: next})
			b.bytes += j.size(&r)
		}
		next++
		if len(b.items)+len(b.failed) >= j.o.BatchRecords || b.bytes >= ingestBatchBytes {
			send()
		}
	}
	if len(b.items)+len(b.failed) > 0 && ctx.Err() == nil {
		send()
	}
	err := group.Wait()
	if err == nil {
		err = outer.Err()
	}
	if err == nil {
		err = failed
	}
	stop()
	return j.endJob(outer, err)
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// size estimates what a record takes in memory.
func (j *ingest) size(r *Record) int {
	return len(r.ID) + len(r.Text) + j.schema.Dim*j.schema.Element.Size() + 64*len(r.Fields) + 64
}
