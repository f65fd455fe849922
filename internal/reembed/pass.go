package reembed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
)

const (
	// settleRecords is how many records are taken over while writers wait: about
	// what one batch holds.
	settleRecords = 128
	// maxFailures is how many records that failed are remembered, with their texts.
	// As many may fail for good.
	maxFailures = 100_000
	// goneRecords is how many records are deleted at a time: a statement's worth.
	goneRecords = 500
)

// ErrTextless says that a record has no text to embed.
var ErrTextless error = &codec.ValueError{Field: "Text", Pos: -1, Want: "a text to embed", Got: "none"}

// failures are the records that the last pass could not embed, as they were then.
type failures struct {
	mu   sync.Mutex
	byID map[string]engine.Record
	full bool // there were more
}

func (f *failures) add(r engine.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.byID) >= maxFailures {
		f.full = true
		return
	}
	f.byID[r.ID] = engine.Record{Text: r.Text, Fields: r.Fields}
}

// has reports whether the record failed as it is.
func (f *failures) has(r *engine.Record) bool {
	failed, ok := f.byID[r.ID]
	return ok && failed.Text == r.Text && engine.SameFields(failed.Fields, r.Fields)
}

// pass reads the first collection once and takes over what differs. It reports
// whether there was so much to do that another pass has to follow.
func (j *job) pass(ctx context.Context) (behind bool, err error) {
	total, err := j.from(j.old).Count(ctx, filter.Filter{})
	if err != nil {
		return false, err
	}
	j.failed, j.memo = &failures{byID: map[string]engine.Record{}}, map[string]engine.Vector{}
	p := &onePass{old: j.from(j.old), next: j.next}
	o := ingest.Options[engine.Record]{
		Collection: j.next, Log: j.Log,
		ID:   func(r *engine.Record) string { return r.ID },
		Size: func(r *engine.Record) int { return len(r.ID) + len(r.Text) + 64*len(r.Fields) + 8*j.Dim + 64 },
		Check: func(r *engine.Record, fields []any) (engine.Record, bool, error) {
			copy(fields, r.Fields)
			return engine.Record{ID: r.ID, Text: r.Text, Fields: fields}, true, nil
		},
		Embed: j.Embed, Refused: j.failed.add,
		Workers: j.Workers, BatchRecords: j.Batch, MaxErrors: j.MaxErrors, Total: int64(total),
	}
	if j.Progress != nil {
		o.Progress = func(at ingest.Progress) { j.Progress(at.Ahead(p.same.Load())) }
	}
	work := ingest.New(o)
	err = work.Run(ctx, p.input(ctx))
	done := work.Report()
	if err == nil && j.SkipFailed {
		err = p.removeFailed(ctx, j.failed)
	}
	if j.passes++; j.passes == 1 {
		j.report.Unchanged = p.same.Load()
	}
	j.report.Inserted += done.Inserted
	j.report.Updated += done.Updated
	j.report.Deleted += p.deleted
	j.report.Embedded += done.Embedded
	j.report.Failed, j.report.Failures = done.Failed, done.Failures
	if errors.Is(err, ingest.ErrTooManyFailed) || err == nil && done.Failed > 0 && !j.SkipFailed {
		err = &FailedError{Report: done}
	}
	if err != nil {
		return false, err
	}
	changed := done.Inserted + done.Updated + p.deleted
	if j.failed.full && changed == 0 {
		return false, fmt.Errorf("more than %d records cannot be embedded: %w", maxFailures, &FailedError{Report: done})
	}
	j.Log.InfoContext(ctx, "reembed", "collection", j.Name, "changed", changed, "same", p.same.Load(), "failed", done.Failed)
	return changed > settleRecords || j.failed.full, nil
}

// FailedError says that records could not be embedded, so that nothing was
// replaced.
type FailedError struct{ Report ingest.Report } // of the pass that found it

func (e *FailedError) Error() string {
	return fmt.Sprintf("%d of %d records could not be embedded", e.Report.Failed, e.Report.Done())
}

// onePass is one reading of the first collection.
type onePass struct {
	old, next engine.Collection
	same      atomic.Int64 // records that the second collection has as they are
	deleted   int64
	gone      []string // IDs that are to be deleted from the second collection
}

// input yields the records that the second collection lacks, and deletes from it
// what the first one does not have.
func (p *onePass) input(ctx context.Context) iter.Seq2[engine.Record, error] {
	return func(yield func(engine.Record, error) bool) {
		for pair, err := range pairs(ctx, p.old, p.next) {
			if err == nil && len(p.gone) >= goneRecords {
				err = p.remove(ctx)
			}
			if err != nil {
				yield(engine.Record{}, err)
				return
			}
			if !p.take(pair, yield) {
				return
			}
		}
		if err := p.remove(ctx); err != nil {
			yield(engine.Record{}, err)
		}
	}
}

// take does what a pair asks for. It returns false if no more are wanted.
func (p *onePass) take(pair pair, yield func(engine.Record, error) bool) bool {
	textless := pair.old != nil && pair.old.Text == ""
	if pair.old == nil || textless && pair.next != nil {
		p.gone = append(p.gone, pair.next.ID)
	}
	switch {
	case pair.old == nil:
		return true
	case textless:
		return yield(engine.Record{}, &ingest.Failure{ID: pair.old.ID, Err: ErrTextless})
	case pair.same():
		p.same.Add(1)
		return true
	}
	return yield(*pair.old, nil)
}

// removeFailed deletes from the second collection what it has of the records that
// failed: an earlier pass could embed them as they were then.
func (p *onePass) removeFailed(ctx context.Context, f *failures) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(f.byID)), goneRecords) {
		p.gone = append(p.gone, ids...)
		if err := p.remove(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *onePass) remove(ctx context.Context) error {
	if len(p.gone) == 0 {
		return nil
	}
	n, err := p.next.Delete(ctx, p.gone)
	p.deleted += int64(n)
	p.gone = p.gone[:0]
	return err
}
