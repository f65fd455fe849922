package vecwire

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// SourceField names the String field that says which document a record is a part
// of; see [Collection.ReplaceSource].
const SourceField = "source"

// ReplaceSource makes records the only ones of a source, such as the chunks of a
// document that has changed: it stores them, with their [SourceField] set to
// source, and deletes the source's other records. Without records it deletes all.
// As in [Collection.Ingest], what is stored already as it is is neither embedded
// nor written.
//
// The schema must have a String field of the name SourceField, which should be
// indexed. If a record is refused, nothing is changed, and the error is a
// [*BatchError]. Others see all of the change or nothing; on an engine without
// AtomicBatches (see [Capabilities]) the records are stored before the others
// are deleted.
func (c *Collection) ReplaceSource(ctx context.Context, source string, records ...Record) (IngestReport, error) {
	ctx, call, err := c.begin(ctx, "replace a source of")
	if err != nil {
		return IngestReport{}, err
	}
	defer call.leave()
	report, err := c.replaceSource(ctx, source, records)
	return report, call.end(int(report.Done()), err)
}

func (c *Collection) replaceSource(ctx context.Context, source string, records []Record) (IngestReport, error) {
	begun := time.Now()
	if t, ok := c.typeOf(SourceField); !ok || t != String {
		return IngestReport{}, &SchemaError{Collection: c.schema.Name, Field: SourceField, Msg: "is needed, of the type String, to tell sources apart"}
	}
	b := &batch{}
	for i, r := range records {
		if own, ok := r.Fields[SourceField]; ok && own != source {
			b.fail(r.ID, int64(i), &ValueError{Field: SourceField, Pos: -1, Want: filter.Describe(source) + " or nothing", Got: filter.Describe(own)})
			continue
		}
		r.Fields = maps.Clone(r.Fields)
		if r.Fields == nil {
			r.Fields = Fields{}
		}
		r.Fields[SourceField] = source
		b.items = append(b.items, item{Record: r, index: int64(i)})
	}

	ofSource, err := filter.Eq(SourceField, source).Check(c.typeOf)
	if err != nil {
		return IngestReport{}, err
	}

	j := c.newIngest(IngestOptions{})
	var counts IngestReport
	plan := j.plan(b, &counts)
	keep := make(map[string]bool, len(plan))
	for i := range plan {
		keep[plan[i].ID] = true
	}
	refused := func() error { return &BatchError{Total: len(records), Failed: b.failed} }
	if b.failed != nil {
		return IngestReport{}, refused()
	}
	if plan, err = j.compare(ctx, plan, &counts); err != nil {
		return IngestReport{}, err
	}
	if plan, err = j.embedPlanned(ctx, b, plan); err != nil {
		return IngestReport{}, err
	}
	if b.failed != nil {
		return IngestReport{}, refused()
	}
	change := make([]engine.Record, len(plan))
	for i := range plan {
		change[i] = plan[i].Record
		if plan[i].stored {
			counts.Updated++
		} else {
			counts.Inserted++
		}
	}

	swap := func(e engine.Collection) error {
		if len(change) > 0 {
			if err := e.Upsert(ctx, change); err != nil {
				return err
			}
		}
		gone, err := others(ctx, e, ofSource, keep)
		if err != nil || len(gone) == 0 {
			return err
		}
		n, err := e.Delete(ctx, gone)
		counts.Deleted = int64(n)
		return err
	}
	if x, ok := c.db.engine.(engine.Transactor); ok && c.tx == nil && c.db.engine.Capabilities().AtomicBatches {
		if m, is := c.engine.(*mirrored); is {
			err = m.atomically(ctx, x, swap)
		} else {
			err = x.Tx(ctx, func(use func(engine.Collection) engine.Collection) error { return swap(within(use, c.engine)) })
		}
	} else {
		err = swap(c.engine)
	}
	if err != nil {
		return IngestReport{}, fmt.Errorf("source %s: %w", filter.Describe(source), err)
	}
	counts.Embedded, counts.Elapsed = j.counts.Embedded, time.Since(begun)
	return counts, nil
}

// others returns the IDs of a source's records that are not to be kept.
func others(ctx context.Context, e engine.Collection, f filter.Filter, keep map[string]bool) (ids []string, err error) {
	scan := engine.Scan{Filter: f, Limit: 512}
	for {
		page, err := e.Scan(ctx, scan)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if !keep[r.ID] {
				ids = append(ids, r.ID)
			}
		}
		if len(page) < scan.Limit {
			return ids, nil
		}
		scan.After = page[len(page)-1].ID
	}
}
