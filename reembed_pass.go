package vecwire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// errBehind says that the second collection is not yet what the first one is.
var errBehind = errors.New("more was written than can be taken over while writers wait")

const (
	// settleRecords is how many records are taken over while writers wait: a batch.
	settleRecords = ingestEmbedRecords
	// Texts are embedded while writers wait only if they never pause, so that a
	// swap would find new ones each time: after so many swaps that did, and for so
	// long, because an embedder that uses the same database may wait for the end.
	settlePatience = 3
	settleTime     = 10 * time.Second
	// maxTried is how many records a pass remembers. As many may fail for good.
	maxTried = 100_000
	// goneRecords is how many records are deleted at a time.
	goneRecords = 500
)

// reembedPass is one reading of the first collection, whose differences go into
// the second.
type reembedPass struct {
	old, next *Collection
	same      atomic.Int64 // records that are in the second collection as they are
	deleted   int64
	tried     map[string]uint64 // hashes of the records that were given to the embedder, by ID
	full      bool              // there were more
}

// catchUp makes one pass. It reports whether there was so much to do that
// another one has to follow.
func (r *reembed) catchUp(ctx context.Context) (behind bool, err error) {
	total, err := r.old.engine.Count(ctx, filter.Filter{})
	if err != nil {
		return false, err
	}
	p := &reembedPass{old: r.old, next: r.next, tried: map[string]uint64{}}
	o := IngestOptions{MaxErrors: r.o.MaxErrors, Workers: r.o.Workers, Total: int64(total)}
	if r.o.Progress != nil {
		o.Progress = func(at IngestProgress) {
			at.Done += p.same.Load()
			if at.ETA > 0 {
				at.ETA = time.Duration(float64(max(0, at.Total-at.Done)) / at.Rate * float64(time.Second)).Round(time.Second)
			}
			r.o.Progress(at)
		}
	}
	j := r.next.newIngest(o)
	err = j.run(ctx, p.input(ctx))
	done := j.report()
	if r.pass == nil {
		r.report.Unchanged = p.same.Load()
	}
	r.pass = p
	r.report.Inserted += done.Inserted
	r.report.Updated += done.Updated
	r.report.Deleted += p.deleted
	r.report.Embedded += done.Embedded
	r.report.Failed, r.report.Failures = done.Failed, done.Failures
	if err == nil && done.Failed > 0 && !r.o.SkipFailed {
		err = done.failure()
	}
	if err != nil {
		return false, err
	}
	changed := done.Inserted + done.Updated + p.deleted
	if p.full && changed == 0 {
		return false, fmt.Errorf("more than %d records cannot be embedded: %w", maxTried, done.failure())
	}
	r.db.log.InfoContext(ctx, "reembed", "collection", r.old.schema.Name, "changed", changed, "same", p.same.Load(), "failed", done.Failed)
	return changed > settleRecords || p.full, nil
}

// input yields the records that the second collection lacks, and deletes from it
// what the first one does not have.
func (p *reembedPass) input(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var gone []string
		remove := func() error {
			if len(gone) == 0 {
				return nil
			}
			n, err := p.next.engine.Delete(ctx, gone)
			p.deleted += int64(n)
			gone = gone[:0]
			return err
		}
		for d, err := range differences(ctx, p.old, p.next) {
			if err == nil && len(gone) >= goneRecords {
				err = remove()
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			goOn := true
			switch d.is {
			case equal:
				p.same.Add(1)
			case surplus:
				gone = append(gone, d.ID)
			case textless:
				err := &ValueError{Field: "Text", Pos: -1, Want: "a text to embed", Got: "none"}
				goOn = yield(Record{}, &RecordError{ID: d.ID, Err: err})
			case different:
				if len(p.tried) < maxTried {
					p.tried[d.ID] = hashRecord(d.Record)
				} else {
					p.full = true
				}
				goOn = yield(p.old.record(d.Record), nil)
			}
			if !goOn {
				return
			}
		}
		if err := remove(); err != nil {
			yield(Record{}, err)
		}
	}
}

// settle takes over what was written since the last pass, so that the second
// collection is what the first one is. Records that failed in that pass, and are
// as they were then, stay out.
func (r *reembed) settle(ctx context.Context, oldEngine, nextEngine engine.Collection) error {
	old := newCollection(r.db, oldEngine)
	next, err := newCollection(r.db, nextEngine).WithEmbedder(r.e)
	if err != nil {
		return err
	}
	var records []Record
	var gone []string
	for d, err := range differences(ctx, old, next) {
		if err != nil {
			return err
		}
		switch d.is {
		case surplus:
			gone = append(gone, d.ID)
		case textless:
			if !r.o.SkipFailed {
				return errBehind
			}
		case different:
			if hash, tried := r.pass.tried[d.ID]; !tried || hash != hashRecord(d.Record) {
				records = append(records, old.record(d.Record))
			} else if d.stale {
				gone = append(gone, d.ID)
			}
		}
		if len(records)+len(gone) > settleRecords {
			return errBehind
		}
	}
	r.settled = IngestReport{}
	if len(records) > 0 {
		if r.behind < settlePatience {
			return errBehind
		}
		if err := next.settleRecords(ctx, records); err != nil {
			return err
		}
		r.settled.Updated, r.settled.Embedded = int64(len(records)), int64(len(records))
	}
	if len(gone) > 0 {
		n, err := nextEngine.Delete(ctx, gone)
		r.settled.Deleted = int64(n)
		return err
	}
	return nil
}

// settleRecords embeds and stores. What fails is left to the next pass, which
// reports it if it fails there, too.
func (c *Collection) settleRecords(ctx context.Context, records []Record) error {
	embedding, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	records, err := c.embedRecords(embedding, records)
	if err != nil {
		return fmt.Errorf("%w: %w", errBehind, err)
	}
	plan, failed := c.planRecords(records)
	if failed != nil {
		return errBehind
	}
	if err = c.engine.Upsert(ctx, plan); errors.Is(err, engine.ErrRefused) {
		return fmt.Errorf("%w: %w", errBehind, err)
	}
	return err
}

// difference says how a record of the second collection is other than that of
// the first.
type difference struct {
	engine.Record // of the first collection; of a surplus one only the ID
	is            likeness
	stale         bool // the second collection has another version
}

type likeness uint8

const (
	equal     likeness = iota // in text and fields
	different                 // or missing in the second collection
	textless                  // in the first collection
	surplus                   // in the second collection only, or textless in the first
)

// differences compares two collections of the same fields, in the order of the
// IDs. Records may be written to the second collection while they are yielded:
// it is read no further than the first.
func differences(ctx context.Context, first, second *Collection) iter.Seq2[difference, error] {
	return func(yield func(difference, error) bool) {
		plan := engine.Scan{Limit: scanLimit}
		pull, stop := iter.Pull2(second.stream(ctx, plan))
		defer stop()
		is, err, left := pull()
		for want, wantErr := range first.stream(ctx, plan) {
			if wantErr != nil {
				yield(difference{}, wantErr)
				return
			}
			for ; left && err == nil && is.ID < want.ID; is, err, left = pull() {
				if !yield(difference{Record: engine.Record{ID: is.ID}, is: surplus}, nil) {
					return
				}
			}
			if err != nil {
				yield(difference{}, err)
				return
			}
			d := difference{Record: want, is: different}
			if left && is.ID == want.ID {
				switch d.stale = true; {
				case want.Text == "":
					if !yield(difference{Record: want, is: surplus}, nil) {
						return
					}
				case is.Text == want.Text && sameFields(is.Fields, want.Fields):
					d.is, d.stale = equal, false
				}
				is, err, left = pull()
			}
			if want.Text == "" {
				d.is = textless
			}
			if !yield(d, nil) {
				return
			}
		}
		for ; left && err == nil; is, err, left = pull() {
			if !yield(difference{Record: engine.Record{ID: is.ID}, is: surplus}, nil) {
				return
			}
		}
		if err != nil {
			yield(difference{}, err)
		}
	}
}

var recordSeed = maphash.MakeSeed()

// hashRecord tells records of one ID apart.
func hashRecord(r engine.Record) uint64 {
	return maphash.String(recordSeed, fmt.Sprintf("%q%v", r.Text, r.Fields))
}
