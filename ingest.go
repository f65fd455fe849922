package vecwire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/notes"
)

// IngestOptions says how [Collection.Ingest] works. The zero value is good for
// most inputs.
type IngestOptions struct {
	// Job names the work, so that its cursor is kept in the database until the
	// input has ended: see [Collection.Cursor]. At most 200 bytes. Defaults to
	// none, and an interrupted input can be begun again all the same.
	Job string
	// Skipped is how many records the input itself has left out at its beginning,
	// as [Collection.Cursor] said, at most 1<<62. They count into indexes, Done and
	// the cursor.
	Skipped int64
	// Workers is how many batches are under way at a time: being compared,
	// embedded or stored. Defaults to 4, and with an embedder to 16; at most 1,024.
	Workers int
	// BatchRecords is the most records in a batch. Defaults to what the engine
	// takes best, and with an embedder to 128 at most; at most 1,048,576. A batch
	// is also closed when it holds 4 MiB.
	BatchRecords int
	// Ordered stores the batches in the order of the input, one at a time, so
	// that what is stored when the job ends early is the beginning of the input.
	// Embedding still goes on side by side.
	Ordered bool
	// MaxErrors ends the job when more records than this have failed. 0 is no
	// limit, and a negative number none at all: the first failure ends the job.
	MaxErrors int
	// Total is how many records the input will have, if that is known. It is
	// used for Progress.ETA only.
	Total int64
	// Progress is called from time to time, and once at the end, by one
	// goroutine at a time.
	Progress func(Progress)
	// Every is how often. Defaults to half a second.
	Every time.Duration
}

// MaxFailures is how many failures an [IngestReport] describes. It counts all.
const MaxFailures = ingest.MaxFailures

// Progress says how far long work is: an ingest, a reembed, a backup, or the building of an
// index.
type Progress struct {
	Phase   string        // what is being done, in the engine's words; "" where there is one phase only
	Done    int64         // of an ingest, records that are stored, unchanged or failed; else in the phase's own units
	Failed  int64         // records that failed
	Total   int64         // in the units of Done, 0 if unknown
	Rate    float64       // units a second, of late; 0 if unknown
	Elapsed time.Duration // since the work began
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
// If the same ID comes several times, the last that is not refused counts, as if the
// records were stored one after another.
//
// An error that the input yields ends the job, unless it is a [*RecordError]:
// that counts as one failed record. The job also ends when ctx does, when the
// database or the embedder fails, after MaxErrors, with a [*BatchError], and when
// Progress panics. A text that the embedder refuses, or panics over, fails alone:
// its record is in the report, with the embedder's error. The report is good in any
// case: what it counts as stored is stored. When Ingest returns, nothing of it is
// running.
//
// A record's vectors and fields, and all that these lead to, may be used again as
// soon as the input is asked for the next one. The input runs in the caller's
// goroutine, so a panic there is the caller's to see.
//
// On an engine without AtomicBatches (see [Capabilities]) records of a batch
// that failed for another reason than a record may be stored and not counted.
// Ingest cannot be part of a transaction.
func (c *Collection) Ingest(ctx context.Context, records iter.Seq2[Record, error], o IngestOptions) (IngestReport, error) {
	c, ctx, call, err := c.beginOutsideTx(ctx, OpIngest, "use Upsert")
	if err != nil {
		return IngestReport{}, err
	}
	defer call.left()
	call.release() // each batch enters for itself, so that Close ends the job
	if err := o.check(); err != nil {
		return IngestReport{}, call.end(0, err)
	}
	j := ingest.New(c.job(o))
	err = j.Run(ctx, c.owned(records))
	report := reportOf(j.Report())
	if errors.Is(err, ingest.ErrTooManyFailed) {
		err = report.failure()
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	c.db.log.Log(ctx, level, "ingest ended", "collection", c.schema.Name, "inserted", report.Inserted, "updated", report.Updated,
		"unchanged", report.Unchanged, "failed", report.Failed, "embedded", report.Embedded, "took", report.Elapsed, "err", err)
	return report, call.end(int(report.Done()), err)
}

// check refuses numbers out of their range.
func (o *IngestOptions) check() error {
	switch {
	case o.Skipped < 0 || o.Skipped > maxSkipped:
		return badValue("Skipped", fmt.Sprintf("0 to %d", maxSkipped), o.Skipped)
	case o.Workers < 0 || o.Workers > ingest.MaxWorkers:
		return badValue("Workers", fmt.Sprintf("1 to %d, or 0 for the default", ingest.MaxWorkers), o.Workers)
	case o.BatchRecords < 0 || o.BatchRecords > ingest.MaxBatchRecords:
		return badValue("BatchRecords", fmt.Sprintf("1 to %d, or 0 for the default", ingest.MaxBatchRecords), o.BatchRecords)
	case o.Total < 0:
		return badValue("Total", "a positive number, or 0 if it is unknown", o.Total)
	case o.Every < 0:
		return badValue("Every", "a positive time, or 0 for the default", o.Every)
	}
	return checkJob(o.Job)
}

const (
	maxJob = 200
	// maxSkipped leaves room to count on from.
	maxSkipped = int64(1) << 62
)

func checkJob(job string) error {
	if len(job) > maxJob {
		return badValue("Job", fmt.Sprintf("at most %d bytes", maxJob), filter.Describe(job))
	}
	return filter.CheckString("Job", job)
}

// job says how records of this collection are ingested.
func (c *Collection) job(o IngestOptions) ingest.Options[Record] {
	out := ingest.Options[Record]{
		Collection: c.engine, Gate: &c.db.gate, Log: c.db.log,
		ID: func(r *Record) string { return r.ID },
		Size: func(r *Record) int {
			return len(r.ID) + len(r.Text) + c.schema.Dim*c.schema.Element.Size() + 64*len(r.Fields) + 64
		},
		Check: func(r *Record, fields []any) (p engine.Record, embed bool, err error) {
			if p, err = c.planPayload(r, fields); err == nil {
				if embed = c.embedder != nil && r.Text != "" && r.Vector == nil && r.Vector64 == nil; !embed {
					p.Vector, err = c.rules.Vector(r.Vector, r.Vector64, r.Text)
				}
			}
			return p, embed, err
		},
		Kept: c.used, Embed: c.model().Job(c.schema), Complete: c.completed().Job(), Lacks: c.completed().Lacks(),
		Skipped: o.Skipped, Workers: o.Workers, BatchRecords: o.BatchRecords, Ordered: o.Ordered,
		MaxErrors: o.MaxErrors, Total: o.Total, Every: o.Every,
	}
	if o.BatchRecords == 0 {
		out.BatchRecords = ingest.DefaultBatch(c.db.engine.Capabilities().BatchRecords, c.embedder != nil)
	}
	if bound := c.schema.MaxRecords; bound > 0 { // more at a time would be refused
		out.BatchRecords = min(out.BatchRecords, bound)
	}
	if o.Job != "" {
		out.Cursor = c.cursor(o.Job)
	}
	out.Progress = ingestProgress(o.Progress)
	return out
}

// ingestProgress tells f of a job's progress, in the caller's words.
func ingestProgress(f func(Progress)) func(ingest.Progress) {
	if f == nil {
		return nil
	}
	return func(p ingest.Progress) {
		f(Progress{Done: p.Done, Failed: p.Failed, Total: p.Total, Rate: p.Rate, Elapsed: p.Elapsed, ETA: p.ETA})
	}
}

// owned copies what the caller may use again for the next record, and gives
// refused records the form that a job knows.
func (c *Collection) owned(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	var slab32 ingest.Slab[float32]
	var slab64 ingest.Slab[float64]
	return func(yield func(Record, error) bool) {
		for r, err := range records {
			if refused, ok := errors.AsType[*RecordError](err); ok {
				err = (*ingest.Failure)(refused)
			}
			if err == nil {
				r.Vector, r.Vector64 = slab32.Own(r.Vector, c.schema.Dim), slab64.Own(r.Vector64, c.schema.Dim)
				r.Fields, r.Vectors = ingest.OwnFields(r.Fields, c.takesJSON), ingest.OwnVectors(r.Vectors)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// takesJSON reports whether a record's value of this name may be anything that JSON
// writes: also where it is gathered, or refused.
func (c *Collection) takesJSON(name string) bool {
	f, _, ok := c.rules.Field(name)
	return !ok || f.Type == filter.JSON
}

func reportOf(r ingest.Report) IngestReport {
	return IngestReport{
		Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged, Failed: r.Failed, Deleted: r.Deleted,
		Embedded: r.Embedded, Elapsed: r.Elapsed, Failures: failuresOf(r.Failures),
	}
}

func failuresOf(failed []ingest.Failure) []RecordError {
	if failed == nil {
		return nil
	}
	out := make([]RecordError, len(failed))
	for i, f := range failed {
		out[i] = RecordError{ID: f.ID, Index: f.Index, Err: public(f.Err)}
	}
	return out
}

// Cursor returns how many records of its input a named job has done, counted
// from the beginning without a gap: each is stored, unchanged or failed. It is 0
// for a job that is not known, or that ended without an error. [Collection.Ingest]
// needs no cursor, since it compares; an input that is expensive to read can use
// it to begin further on, and say so in IngestOptions.Skipped. What was deleted
// meanwhile is then not stored again. The cursor is kept about every half second.
func (c *Collection) Cursor(ctx context.Context, job string) (int64, error) {
	c, ctx, call, err := c.beginOutsideTx(ctx, OpCursor, "read it outside")
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if err := checkJob(job); err != nil {
		return 0, call.end(0, err)
	}
	done, err := notes.Get(ctx, c.db.engine, c.cursor(job).Key)
	return done, call.end(0, err)
}

// cursor keeps the cursor of a job.
func (c *Collection) cursor(job string) notes.Cursor {
	return notes.Cursor{Gate: &c.db.gate, Engine: c.db.engine, Key: notes.Key(c.engine.Schema(), "job", c.namespace, job)}
}
