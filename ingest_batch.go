package vecwire

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/engine"
)

// planned is a checked record on its way into the engine.
type planned struct {
	engine.Record
	index  int64
	embed  bool // its vector is made of its text
	stored bool // its ID is there already
}

// process takes a batch from the input to the engine.
func (j *ingest) process(ctx context.Context, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := j.db.enter(); err != nil {
		return err
	}
	defer j.db.leave()
	var counts IngestReport
	plan := j.plan(b, &counts)
	merger := j.merger(plan)
	if merger == nil {
		var err error
		if plan, err = j.compare(ctx, plan, &counts); err != nil {
			return err
		}
		if plan, err = j.embedPlanned(ctx, b, plan); err != nil {
			return err
		}
	}
	if j.o.Ordered {
		select {
		case <-b.turn:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil { // so that nothing is stored after a batch that failed
			return err
		}
	}
	failed, err := j.put(ctx, plan, merger, &counts)
	if err != nil {
		return err
	}
	b.failed = append(b.failed, failed...)
	return j.note(b, counts)
}

// merger returns the engine's own way to store only what has changed, nil if it
// has none or if there is something to embed.
func (j *ingest) merger(plan []planned) engine.Merger {
	for i := range plan {
		if plan[i].embed {
			return nil
		}
	}
	if n, is := j.engine.(*namespace); is {
		if _, ok := n.Collection.(engine.Merger); !ok {
			return nil
		}
	}
	m, _ := j.engine.(engine.Merger)
	return m
}

// plan checks the records of a batch, all but the vectors that are yet to be
// made, and keeps the last of each ID.
func (j *ingest) plan(b *batch, counts *IngestReport) []planned {
	plan := make([]planned, 0, len(b.items))
	last := make(map[string]int, len(b.items))
	values := make([]any, len(b.items)*len(j.schema.Fields))
	for _, it := range b.items {
		row := values[:len(j.schema.Fields):len(j.schema.Fields)]
		values = values[len(row):]
		p := planned{index: it.index}
		var err error
		if p.Record, err = j.planPayload(it.Record, row, j.maxID); err == nil {
			if p.embed = j.embedder != nil && it.Text != "" && it.Vector == nil && it.Vector64 == nil; !p.embed {
				p.Vector, err = j.recordVector(it.Record)
			}
		}
		if err != nil {
			b.fail(it.ID, it.index, err)
			continue
		}
		if at, again := last[p.ID]; again {
			counts.Updated++
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

func (b *batch) fail(id string, index int64, err error) {
	b.failed = append(b.failed, RecordError{ID: id, Index: int(index), Err: err})
}

// compare finds out which records are stored already, and leaves out those that
// are stored as they are.
func (j *ingest) compare(ctx context.Context, plan []planned, counts *IngestReport) ([]planned, error) {
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
		if sameText := ok && is.Text == p.Text; sameText && p.embed != sameFields(is.Fields, p.Fields) {
			undecided = append(undecided, p.ID)
		}
	}
	vectors, err := j.get(ctx, undecided, true)
	if err != nil {
		return nil, err
	}
	changed := plan[:0]
	for _, p := range plan {
		is, ok := found[p.ID]
		same := ok && is.Text == p.Text && sameFields(is.Fields, p.Fields)
		if v, ok := vectors[p.ID]; ok {
			if p.embed {
				p.Vector, p.embed = v.Vector, false
			} else {
				same = slices.Equal(v.Vector.F32, p.Vector.F32) && slices.Equal(v.Vector.F64, p.Vector.F64)
			}
		}
		if same {
			counts.Unchanged++
		} else {
			changed = append(changed, p)
		}
	}
	return changed, nil
}

func (j *ingest) get(ctx context.Context, ids []string, vectors bool) (map[string]engine.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := j.engine.Get(ctx, ids, vectors)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	found := make(map[string]engine.Record, len(records))
	for _, r := range records {
		found[r.ID] = r
	}
	return found, nil
}

// sameFields reports whether two records have the same values.
func sameFields(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool {
		switch x := x.(type) {
		case []byte:
			y, ok := y.([]byte)
			return ok && bytes.Equal(x, y)
		case time.Time:
			y, ok := y.(time.Time)
			return ok && x.Equal(y)
		}
		if _, ok := y.([]byte); ok {
			return false // and not comparable
		}
		return x == y
	})
}

// embedPlanned makes the vectors that are missing. A text that the embedder
// refuses for good fails, and the others are embedded.
func (j *ingest) embedPlanned(ctx context.Context, b *batch, plan []planned) ([]planned, error) {
	for {
		var places []int
		var texts []string
		for i := range plan {
			if plan[i].embed {
				places, texts = append(places, i), append(texts, plan[i].Text)
			}
		}
		if len(texts) == 0 {
			return plan, nil
		}
		j.noteEmbedded(len(texts))
		vectors, err := embedTexts(ctx, j.embedder, texts, embed.Document)
		if err != nil {
			text, ok := errors.AsType[*embed.TextError](err)
			if _, transient := embed.Retryable(err); !ok || transient || ctx.Err() != nil || text.Index < 0 || text.Index >= len(places) {
				return nil, err
			}
			at := places[text.Index]
			b.fail(plan[at].ID, plan[at].index, err)
			plan = slices.Delete(plan, at, at+1)
			continue
		}
		refused := map[int]bool{}
		for i, at := range places {
			p := &plan[at]
			p.embed = false
			if p.Vector, err = j.vector(vectors[i], nil); err != nil {
				b.fail(p.ID, p.index, err)
				refused[at] = true
			}
		}
		if len(refused) == 0 {
			return plan, nil
		}
		left := plan[:0:0]
		for i, p := range plan {
			if !refused[i] {
				left = append(left, p)
			}
		}
		return left, nil
	}
}

// put stores records and counts them. Those that the engine refuses, which it
// returns, are found by halving, where it does not name them.
func (j *ingest) put(ctx context.Context, plan []planned, merger engine.Merger, counts *IngestReport) (failed []RecordError, err error) {
	if len(plan) == 0 {
		return nil, nil
	}
	records := make([]engine.Record, len(plan))
	for i := range plan {
		records[i] = plan[i].Record
	}
	stored := func(plan []planned) {
		for i := range plan {
			if plan[i].stored {
				counts.Updated++
			} else {
				counts.Inserted++
			}
		}
	}
	if merger != nil {
		var inserted, updated int
		if inserted, updated, err = merger.Merge(ctx, records); err == nil {
			counts.Inserted += int64(inserted)
			counts.Updated += int64(updated)
			counts.Unchanged += int64(len(plan) - inserted - updated)
			return nil, nil
		}
	} else if err = j.engine.Upsert(ctx, records); err == nil {
		stored(plan)
		return nil, nil
	}
	refused, named := errors.AsType[*engine.RefusedError](err)
	switch {
	case named:
	case !errors.Is(err, engine.ErrRefused):
		return nil, err
	case len(plan) == 1:
		refused = &engine.RefusedError{Records: []engine.Refusal{{Err: err}}}
	default:
		half := len(plan) / 2
		if failed, err = j.put(ctx, plan[:half], merger, counts); err != nil {
			return nil, err
		}
		more, err := j.put(ctx, plan[half:], merger, counts)
		return append(failed, more...), err
	}
	left, at := make([]planned, 0, len(plan)), 0
	for _, r := range refused.Records {
		left = append(left, plan[at:r.Index]...)
		at = r.Index + 1
		failed = append(failed, RecordError{ID: plan[r.Index].ID, Index: int(plan[r.Index].index), Err: r.Err})
	}
	left = append(left, plan[at:]...)
	if refused.Stored == len(left) {
		stored(left)
		return failed, nil
	}
	more, err := j.put(ctx, left, merger, counts)
	return append(failed, more...), err
}
