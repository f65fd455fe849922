package local

import (
	"context"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
)

// mostAsked is how many rows a transaction has SQLite look at beside the columns; with
// more, SQLite looks at all.
const mostAsked = 4096

// rowsIn returns the rows for which a filter is true as a transaction sees them: those
// that the columns know, and, of what they do not know or the transaction has changed,
// those that SQLite finds. Nothing is read into columns within a transaction.
func (c *collection) rowsIn(ctx context.Context, t *txn, f filter.Filter) (columns.Set, error) {
	known, ask, err := c.knownIn(ctx, t, f)
	if err != nil {
		return nil, err
	}
	if known == nil {
		return c.matching(ctx, t.tx, f)
	}
	known.AndNot(ask)
	if ask.Count() == 0 {
		return known, nil
	}
	more, err := c.matchingWithin(ctx, t.tx, f, ask)
	for row := range more.All() {
		known.Add(row)
	}
	return known, err
}

// knownIn returns what columns say of a filter, and the rows that SQLite is to be asked
// about; nil if it is to be asked about all.
func (c *collection) knownIn(ctx context.Context, t *txn, f filter.Filter) (known, ask columns.Set, err error) {
	k := c.fields
	if err := k.loading.Acquire(ctx, 1); err != nil {
		return nil, nil, err
	}
	defer k.loading.Release(1)
	e := &evaluation{ctx: ctx, of: c, inTx: true}
	e.From = e
	k.mu.Lock()
	e.Live, e.words = k.live, k.words
	rows := t.change(c).numbers()
	conditions(f, func(f filter.Filter) {
		if column := k.columnOf(&c.schema, f); column != nil && column.column != nil {
			e.has(f.Field(), column.column)
			rows = append(rows, column.stale...)
		}
	})
	k.mu.Unlock()
	if e.Live == nil || len(rows) > mostAsked || !e.Whole(f) {
		return nil, nil, nil
	}
	for _, row := range rows {
		ask.Add(row)
	}
	known, _, err = e.Rows(f)
	return known, ask, err
}
