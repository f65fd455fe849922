package ingest

import (
	"context"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// ErrOvertaken says that another writer has changed or deleted a record that Prepare
// had found stored as it is. Nothing was written: prepare again.
var ErrOvertaken = errors.New("records were changed by another writer")

// Replacement is what is to be done so that records are the only ones of a set.
type Replacement struct {
	Report Report
	Failed []Failure // nothing may be done if there are some
	change []engine.Record
	kept   []planned // that are stored as they are
	keep   map[string]bool
}

// Prepare checks, compares and embeds records that are to be the only ones of a
// set. It writes nothing.
func (j *Job[R]) Prepare(ctx context.Context, records []R) (*Replacement, error) {
	b := &batch[R]{}
	for i := range records {
		b.items = append(b.items, item[R]{record: records[i], id: j.ID(&records[i]), index: int64(i)})
	}
	r := &Replacement{keep: map[string]bool{}}
	plan := j.plan(b)
	for i := range plan {
		r.keep[plan[i].ID] = true
	}
	var err error
	if b.failed == nil {
		all := slices.Clone(plan)
		if plan, err = j.compare(ctx, b, plan); err == nil {
			r.kept = without(all, plan)
			plan, err = j.embed(ctx, b, plan)
		}
	}
	if err != nil || b.failed != nil {
		r.Failed = b.failed
		return r, err
	}
	for i := range plan {
		r.change = append(r.change, plan[i].Record)
	}
	r.Report = b.counts
	r.Report.stored(plan)
	r.Report.Embedded = j.Report().Embedded
	return r, nil
}

// without returns the records of a plan that are not in a part of it, in the same
// order.
func without(plan, part []planned) []planned {
	return slices.DeleteFunc(plan, func(p planned) bool {
		in := len(part) > 0 && part[0].ID == p.ID
		if in {
			part = part[1:]
		}
		return in
	})
}

// Apply writes what has changed, and deletes the others of the set, which are
// those that a filter lets pass. It may be run again. If the kept records are not
// stored any longer as Prepare found them, it writes nothing and returns
// ErrOvertaken; within a transaction no other writer can change them after that.
func (r *Replacement) Apply(ctx context.Context, c engine.Collection, set filter.Filter) error {
	for _, vectors := range []bool{false, true} {
		if err := r.verify(ctx, c, vectors); err != nil {
			return err
		}
	}
	if c.Schema().MaxRecords > 0 { // the others go first, so that nothing else makes room
		if err := r.clear(ctx, c, set); err != nil {
			return err
		}
		return r.store(ctx, c)
	}
	if err := r.store(ctx, c); err != nil {
		return err
	}
	return r.clear(ctx, c, set)
}

func (r *Replacement) store(ctx context.Context, c engine.Collection) error {
	if len(r.change) == 0 {
		return nil
	}
	return c.Upsert(ctx, r.change)
}

// clear deletes the others of the set.
func (r *Replacement) clear(ctx context.Context, c engine.Collection, set filter.Filter) error {
	gone, err := engine.ScanIDs(ctx, engine.Scan{Filter: set}, c.Scan)
	if err != nil {
		return err
	}
	gone = slices.DeleteFunc(gone, func(id string) bool { return r.keep[id] })
	r.Report.Deleted = 0
	if len(gone) == 0 {
		return nil
	}
	n, err := c.Delete(ctx, gone)
	r.Report.Deleted = int64(n)
	return err
}

// verify sees whether the kept records are still stored as they are: those that
// bring their own vectors, or the others.
func (r *Replacement) verify(ctx context.Context, c engine.Collection, vectors bool) error {
	want := map[string]planned{}
	var ids []string
	for _, p := range r.kept {
		if (p.embed && p.Named == nil) != vectors {
			want[p.ID], ids = p, append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	stored, err := c.Get(ctx, ids, vectors)
	if err != nil {
		return err
	}
	if len(stored) < len(ids) {
		return ErrOvertaken
	}
	for _, is := range stored {
		p := want[is.ID]
		if is.Text != p.Text || !engine.SameFields(is.Fields, p.Fields) || vectors && (!p.embed && !is.Vector.Equal(p.Vector) || !engine.SameNamed(is.Named, p.Named)) {
			return ErrOvertaken
		}
	}
	return nil
}
