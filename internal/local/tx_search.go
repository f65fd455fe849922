package local

import (
	"context"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// Search implements engine.Collection.
func (c *txCollection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results := make([]engine.Result, len(searches))
	err := c.do(ctx, func(t *txn) error {
		for _, g := range byFilter(searches) {
			if err := c.searchIn(ctx, t, searches, results, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// searchIn searches the rows that the transaction has not touched in the
// collection's index, those that it stored in an index of their own, and takes
// the best of both.
func (c *txCollection) searchIn(ctx context.Context, t *txn, searches []engine.Search, results []engine.Result, g filtered) error {
	ch := t.change(c.collection)
	passing, err := c.rowsIn(ctx, t, g.filter)
	if err != nil {
		return err
	}
	allowed := ann.NewBitmap(passing)
	stored, err := c.newIndex()
	if err != nil {
		return err
	}
	var rows []int32 // of the collection, by row of the index of those stored
	for row, v := range ch.vectors {
		if allowed.Has(row) {
			if err := stored.set(int32(len(rows)), v); err != nil {
				return err
			}
			rows = append(rows, row)
			allowed.Clear(row)
		}
	}
	for _, row := range ch.freed {
		allowed.Clear(row)
	}
	id := func(row int32) string { return ch.idOf(row) }
	plan := engine.Plan{
		Path: "filtered scan", Records: allowed.Count() + len(rows), Why: "a transaction compares what it sees one by one",
	}
	for numbers := range slices.Chunk(g.numbers, mostTogether) {
		some := make([]engine.Search, len(numbers))
		for i, n := range numbers {
			some[i] = searches[n]
		}
		found, err := c.scanIndex(ctx, some, allowed, id)
		if err != nil {
			return err
		}
		more, err := scanMany(ctx, stored, some, nil, func(row int32) string { return id(rows[row]) })
		if err != nil {
			return err
		}
		for i, n := range numbers {
			for _, f := range more[i] {
				found[i] = append(found[i], ann.Candidate{Row: rows[f.Row], Score: f.Score})
			}
			s := &some[i]
			hits, err := c.hits(ctx, c.readIn(t), best(found[i], s.K, id), id, parts{s.Payload, s.Vectors})
			if err != nil {
				return err
			}
			results[n] = engine.Result{Hits: hits, Exact: true, Plan: plan}
		}
	}
	return nil
}

// scanIndex is scanMany of the collection's index.
func (c *txCollection) scanIndex(ctx context.Context, searches []engine.Search, allowed *ann.Bitmap, id func(row int32) string) (found [][]ann.Candidate, err error) {
	for try := 0; ; try++ {
		c.mu.RLock() // a reader may load the collection again
		err = c.index.guard(func() (err error) {
			found, err = scanMany(ctx, c.index, searches, allowed, id)
			return err
		})
		c.mu.RUnlock()
		if !errors.Is(err, ann.ErrDamaged) {
			return found, err
		}
		_, healed := c.heal(ctx)
		if behind := c.isBehind(); try == luck || behind || healed != nil { // or else when the transaction is tried again
			return nil, errors.Join(err, healed)
		}
	}
}

// scanMany is scan for several searches.
func scanMany(ctx context.Context, in index, searches []engine.Search, allowed *ann.Bitmap, id func(row int32) string) ([][]ann.Candidate, error) {
	if !slices.ContainsFunc(searches, func(s engine.Search) bool { return s.After != nil }) {
		return in.searchMany(ctx, searches, allowed)
	}
	found := make([][]ann.Candidate, len(searches))
	for i := range searches {
		var err error
		if found[i], err = scan(ctx, in, nil, &searches[i], allowed, id); err != nil {
			return nil, err
		}
	}
	return found, nil
}
