package typed

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/vecwire/vecwire"
)

// Upsert stores values; see [vecwire.Collection.Upsert]. The errors of refused
// values wrap a [*StructError] that names the struct's field.
func (c *Collection[T]) Upsert(ctx context.Context, values ...T) error {
	records, broken := c.records(values)
	err := c.Collection.Upsert(ctx, records...)
	return c.explain("upsert into", err, broken)
}

// Insert stores values whose IDs are not in the collection yet; see
// [vecwire.Collection.Insert]. Its errors are those of Upsert.
func (c *Collection[T]) Insert(ctx context.Context, values ...T) error {
	records, broken := c.records(values)
	err := c.Collection.Insert(ctx, records...)
	return c.explain("insert into", err, broken)
}

// ReplaceSource makes values the only ones of a source; see
// [vecwire.Collection.ReplaceSource]. The field of T that is named
// [vecwire.SourceField] need not be set, nor that which is named [vecwire.PartField]: if
// it is 0 in all values, each gets its place among them. The errors are those of Upsert.
func (c *Collection[T]) ReplaceSource(ctx context.Context, source string, values ...T) (vecwire.IngestReport, error) {
	records, broken := c.records(values)
	for _, r := range records {
		if r.Fields[vecwire.SourceField] == "" {
			delete(r.Fields, vecwire.SourceField)
		}
	}
	numbered := func(r vecwire.Record) bool { return r.Fields[vecwire.PartField] != int64(0) }
	if !slices.ContainsFunc(records, numbered) {
		for _, r := range records {
			delete(r.Fields, vecwire.PartField)
		}
	}
	report, err := c.Collection.ReplaceSource(ctx, source, records...)
	return report, c.explain("replace a source of", err, broken)
}

// Ingest stores the values of an input that may be longer than the memory; see
// [vecwire.Collection.Ingest]. A value that cannot be made a record counts as one
// that failed. Failures wrap a [*StructError], as those of Upsert do.
func (c *Collection[T]) Ingest(ctx context.Context, values iter.Seq2[T, error], o vecwire.IngestOptions) (vecwire.IngestReport, error) {
	report, err := c.Collection.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		for v, err := range values {
			var r vecwire.Record
			if err == nil {
				if r, err = c.plan.record(reflect.ValueOf(&v).Elem()); err != nil {
					err = &vecwire.RecordError{ID: r.ID, Err: err}
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}, o)
	c.explainAll(report.Failures, nil)
	return report, c.explain("ingest into", err, nil)
}

// records returns values as records, and by their place why some of them cannot be
// made records. The collection refuses these.
func (c *Collection[T]) records(values []T) (records []vecwire.Record, broken map[int]error) {
	records = make([]vecwire.Record, len(values))
	all := reflect.ValueOf(values)
	for i := range values {
		var err error
		if records[i], err = c.plan.record(all.Index(i)); err != nil {
			if broken == nil {
				broken = map[int]error{}
			}
			broken[i] = err
		}
	}
	return records, broken
}

// explain names the struct's fields in the error of a verb. broken are the values
// that could not be made records.
func (c *Collection[T]) explain(verb string, err error, broken map[int]error) error {
	batch, ok := errors.AsType[*vecwire.BatchError](err)
	if !ok {
		return err
	}
	c.explainAll(batch.Failed, broken)
	return wrap(verb, c.Schema().Name, batch) // the text of err is what it was before
}

func (c *Collection[T]) explainAll(failed []vecwire.RecordError, broken map[int]error) {
	for i := range failed {
		if why, ok := broken[failed[i].Index]; ok {
			failed[i].Err = why
			continue
		}
		failed[i].Err = c.plan.explain(failed[i].Err)
	}
}
