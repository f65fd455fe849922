package ingest

import (
	"context"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
)

// planned is a checked record on its way into the engine.
type planned struct {
	engine.Record
	index  int64
	embed  bool     // its vector is made of its text
	stored bool     // its ID exists already
	before *planned // the record of the batch that it replaces, nil for none
}

// process takes a batch from the input to the engine.
func (j *Job[R]) process(ctx context.Context, b *batch[R]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.Gate != nil {
		if err := j.Gate.Enter(); err != nil {
			return err
		}
		defer j.Gate.Leave()
	}
	plan := j.plan(b)
	for {
		if err := j.store(ctx, b, plan); err != nil {
			return err
		}
		if plan, b.again = b.again, nil; len(plan) == 0 {
			return j.note(b)
		}
	}
}

// store stores what a plan has that the engine does not.
func (j *Job[R]) store(ctx context.Context, b *batch[R], plan []planned) error {
	merge := j.merges(plan)
	if !merge {
		var err error
		if plan, err = j.compare(ctx, b, plan); err != nil {
			return err
		}
		if plan, err = j.embed(ctx, b, plan); err != nil {
			return err
		}
	}
	if j.Ordered {
		select {
		case <-b.turn:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil { // so that nothing is stored after a batch that failed
			return err
		}
	}
	return j.put(ctx, b, plan, merge)
}

// merges reports whether the engine itself stores only what has changed. It
// cannot if there is something to embed.
func (j *Job[R]) merges(plan []planned) bool {
	return j.Collection.Can().Merge && !slices.ContainsFunc(plan, func(p planned) bool { return p.embed })
}

// plan checks the records of a batch, all but the vectors that are yet to be
// made, and keeps the last of each ID.
func (j *Job[R]) plan(b *batch[R]) []planned {
	fields := len(j.Collection.Schema().Fields)
	plan := make([]planned, 0, len(b.items))
	last := make(map[string]int, len(b.items))
	values := make([]any, len(b.items)*fields)
	for i := range b.items {
		it := &b.items[i]
		row := values[:fields:fields]
		values = values[fields:]
		p := planned{index: it.index}
		// A value of the caller's may have code that writes it as JSON, which may panic.
		err := fault.Guard("the code of a value", func() (err error) {
			p.Record, p.embed, err = j.Check(&it.record, row)
			return err
		})
		if err != nil {
			b.fail(it.id, it.index, err)
			continue
		}
		if at, again := last[p.ID]; again {
			b.counts.Updated++
			before := plan[at]
			p.before = &before
			plan[at].ID = "" // no record has this ID
		}
		last[p.ID] = len(plan)
		plan = append(plan, p)
	}
	if len(last) < len(plan) {
		plan = slices.DeleteFunc(plan, func(p planned) bool { return p.ID == "" })
	}
	return plan
}

// compare finds out which records are stored already, and leaves out those that
// are stored as they are.
func (j *Job[R]) compare(ctx context.Context, b *batch[R], plan []planned) ([]planned, error) {
	ids := make([]string, len(plan))
	for i := range plan {
		ids[i] = plan[i].ID
	}
	found, err := j.get(ctx, ids, false)
	if err != nil || len(found) == 0 {
		return plan, err
	}
	// Vectors are large, so only those are read that decide.
	var undecided []string
	for i := range plan {
		p := &plan[i]
		is, ok := found[p.ID]
		p.stored = ok
		if sameText := ok && is.Text == p.Text; sameText && (p.Named != nil || p.embed != engine.SameFields(is.Fields, p.Fields)) {
			undecided = append(undecided, p.ID)
		}
	}
	vectors, err := j.get(ctx, undecided, true)
	if err != nil {
		return nil, err
	}
	changed := plan[:0]
	var kept []string
	for _, p := range plan {
		is, ok := found[p.ID]
		read, decides := vectors[p.ID]
		if decides { // it may be another one than before
			is = read
		}
		same := ok && is.Text == p.Text && engine.SameFields(is.Fields, p.Fields)
		if same && p.Named != nil {
			if j.Complete != nil { // what is made of the same record is the same
				for i := range p.Named {
					if p.Named[i].IsZero() && i < len(is.Named) {
						p.Named[i] = is.Named[i]
					}
				}
			}
			same = decides && engine.SameNamed(is.Named, p.Named) && (j.Lacks == nil || !j.Lacks(&p.Record))
		}
		switch {
		case !p.embed:
			same = same && decides && is.Vector.Equal(p.Vector)
		case decides && is.Text == p.Text:
			p.Vector, p.embed = is.Vector, false
		}
		if same {
			b.counts.Unchanged++
			kept = append(kept, p.ID)
		} else {
			changed = append(changed, p)
		}
	}
	if j.Kept != nil && kept != nil {
		j.Kept(ctx, kept)
	}
	return changed, nil
}

func (j *Job[R]) get(ctx context.Context, ids []string, vectors bool) (map[string]engine.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := j.Collection.Get(ctx, ids, vectors)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	found := make(map[string]engine.Record, len(records))
	for _, r := range records {
		found[r.ID] = r
	}
	return found, nil
}

// embed makes the vectors that are missing. A record whose text the embedder
// refuses fails.
func (j *Job[R]) embed(ctx context.Context, b *batch[R], plan []planned) ([]planned, error) {
	var places []int
	var texts []string
	for i := range plan {
		if plan[i].embed {
			places, texts = append(places, i), append(texts, plan[i].Text)
		}
	}
	if len(texts) == 0 {
		return plan, j.complete(ctx, plan)
	}
	j.noteEmbedded(len(texts))
	vectors, failed, err := j.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	for _, f := range failed {
		p := &plan[places[f.Index]]
		j.refuse(b, p, f.Err)
		p.ID = "" // no record has this ID
	}
	for i, at := range places {
		plan[at].Vector, plan[at].embed = vectors[i], false
	}
	plan = slices.DeleteFunc(plan, func(p planned) bool { return p.ID == "" })
	return plan, j.complete(ctx, plan)
}

// complete makes the named vectors that are missing.
func (j *Job[R]) complete(ctx context.Context, plan []planned) error {
	if j.Complete == nil || len(plan) == 0 {
		return nil
	}
	records := make([]*engine.Record, len(plan))
	for i := range plan {
		records[i] = &plan[i].Record
	}
	return j.Complete(ctx, records)
}

// refuse notes that the embedder or the engine has refused a record. The record of
// the batch that it was to replace is then stored in its place.
func (j *Job[R]) refuse(b *batch[R], p *planned, err error) {
	b.fail(p.ID, p.index, err)
	if j.Refused != nil {
		j.Refused(p.Record)
	}
	if p.before != nil {
		b.counts.Updated--
		b.again = append(b.again, *p.before)
	}
}

// put stores records and counts them. Those that the engine refuses are found by
// halving, where it does not name them.
func (j *Job[R]) put(ctx context.Context, b *batch[R], plan []planned, merge bool) error {
	if len(plan) == 0 {
		return nil
	}
	records := make([]engine.Record, len(plan))
	for i := range plan {
		records[i] = plan[i].Record
	}
	var err error
	if merge {
		var inserted, updated int
		if inserted, updated, err = j.Collection.Merge(ctx, records); err == nil {
			b.counts.Inserted += int64(inserted)
			b.counts.Updated += int64(updated)
			b.counts.Unchanged += int64(len(plan) - inserted - updated)
			return nil
		}
	} else if err = j.Collection.Upsert(ctx, records); err == nil {
		b.counts.stored(plan)
		return nil
	}
	refused, named := errors.AsType[*engine.RefusedError](err)
	switch {
	case named:
	case !errors.Is(err, engine.ErrRefused):
		return err
	case len(plan) == 1:
		refused = &engine.RefusedError{Records: []engine.Refusal{{Err: err}}}
	default:
		half := len(plan) / 2
		if err := j.put(ctx, b, plan[:half], merge); err != nil {
			return err
		}
		return j.put(ctx, b, plan[half:], merge)
	}
	left, at := make([]planned, 0, len(plan)), 0
	for _, r := range refused.Records {
		left = append(left, plan[at:r.Index]...)
		at = r.Index + 1
		j.refuse(b, &plan[r.Index], r.Err)
	}
	left = append(left, plan[at:]...)
	if refused.Stored == len(left) {
		b.counts.stored(left)
		return nil
	}
	return j.put(ctx, b, left, merge)
}

// stored counts records that were stored.
func (r *Report) stored(plan []planned) {
	for i := range plan {
		if plan[i].stored {
			r.Updated++
		} else {
			r.Inserted++
		}
	}
}
