package reembed

import (
	"context"
	"iter"

	"github.com/vecwire/vecwire/internal/engine"
)

// pair is the two records of one ID, nil where a collection has none.
type pair struct{ old, next *engine.Record }

// same reports whether the second collection has the record as it is.
func (p pair) same() bool {
	return p.old != nil && p.next != nil && p.old.Text == p.next.Text && engine.SameFields(p.old.Fields, p.next.Fields)
}

// pairs merges two collections of the same fields, in the order of the IDs. Records
// may be written to the second collection while they are yielded: it is read no
// further than the first.
func pairs(ctx context.Context, old, next engine.Collection) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		plan := engine.Scan{Limit: engine.PageRecords}
		pull, stop := iter.Pull2(engine.Stream(ctx, plan, next.Scan))
		defer stop()
		is, err, left := pull()
		surplus := func(before func(id string) bool) bool {
			for ; left && err == nil && before(is.ID); is, err, left = pull() {
				r := is
				if !yield(pair{next: &r}, nil) {
					return false
				}
			}
			if err != nil {
				yield(pair{}, err)
				return false
			}
			return true
		}
		for want, wantErr := range engine.Stream(ctx, plan, old.Scan) {
			if wantErr != nil {
				yield(pair{}, wantErr)
				return
			}
			if !surplus(func(id string) bool { return id < want.ID }) {
				return
			}
			p := pair{old: &want}
			if left && is.ID == want.ID {
				r := is
				p.next = &r
				is, err, left = pull()
			}
			if !yield(p, nil) {
				return
			}
		}
		surplus(func(string) bool { return true })
	}
}
