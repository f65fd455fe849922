package iris

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// An upsert's statement holds so many rows, fewer where they have many columns
// or dimensions. Longer statements cost the server more time a row.
const (
	maxRows       = 50
	maxParameters = 200
	maxBytes      = 256 << 10
)

// sizes returns the numbers of rows of the statements that upserts are made of,
// the largest first.
func (t *table) sizes() []int {
	rows := min(maxRows, maxParameters/len(t.columns()), maxBytes/(12*t.schema.Dim))
	out := []int{1}
	for _, n := range []int{5, 10, 25, maxRows} {
		if n <= rows {
			out = append(out, n)
		}
	}
	slices.Reverse(out)
	return out
}

// upsert is the statement that stores n rows.
func (t *table) upsert(n int) string {
	var b strings.Builder
	b.WriteString("INSERT OR UPDATE " + t.name + " (" + strings.Join(t.columns(), ", ") + ") ")
	for i, at := 0, 1; i < n; i++ {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		at = t.row(&b, at)
	}
	return b.String()
}

// Upsert implements engine.Collection. The server has no transactions to rely
// on, so each statement is stored for itself. What can be refused beforehand is;
// if the engine refuses a record all the same, it is reported alone and the
// others are stored.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	var failed engine.RefusedError
	for i := range records {
		if err := c.checkRecord(&records[i]); err != nil {
			failed.Records = append(failed.Records, engine.Refusal{Index: i, Err: err})
		}
	}
	if len(failed.Records) > 0 {
		return &failed
	}
	if len(records) == 0 {
		return c.gone()
	}
	refusals, stored, err := c.storeAll(ctx, records)
	if err != nil {
		if stored > 0 {
			err = fmt.Errorf("%d of %d records are stored: %w", stored, len(records), err)
		}
		return err
	}
	if len(refusals) > 0 {
		return &engine.RefusedError{Records: refusals, Stored: stored}
	}
	return nil
}

// storeAll stores records in statements of the fixed sizes. It returns those that
// the engine refused, and how many are stored.
func (c *collection) storeAll(ctx context.Context, records []engine.Record) (refusals []engine.Refusal, stored int, err error) {
	sizes := c.sizes()
	for at := 0; at < len(records); {
		n := sizes[slices.IndexFunc(sizes, func(n int) bool { return n <= len(records)-at })]
		if c.state.single.Load() {
			n = 1
		}
		found, done, err := c.store(ctx, records[at:at+n])
		stored += done
		if err != nil {
			return refusals, stored, err
		}
		for _, r := range found {
			refusals = append(refusals, engine.Refusal{Index: at + r.Index, Err: r.Err})
		}
		at += n
	}
	return refusals, stored, nil
}

// tries is how often a record is written that is not there afterwards. One that
// others delete each time is reported as not stored, which it then is not.
const tries = 5

// store writes records in one statement and sees that they are there. If the
// engine refuses the statement, each half is tried for itself.
func (c *collection) store(ctx context.Context, records []engine.Record) (refusals []engine.Refusal, stored int, err error) {
	args := make([][]byte, 0, len(records)*len(c.columns()))
	keys := make([][]byte, len(records))
	for i := range records {
		args = c.arguments(args, &records[i])
		keys[i] = guard(records[i].ID)
	}
	sql := c.upsert(len(records))
	err = c.write(ctx, func(ctx context.Context, conn *session) error {
		for range tries { // what is missing may be another's doing, who deletes
			if err = conn.write(ctx, sql, args...); err != nil {
				return err
			}
			if err = conn.verify(ctx, c.name, c.key(), keys, c.idArgument); !errors.Is(err, errNotStored) {
				return err
			}
		}
		return err
	})
	notTaken := isSQLCode(err, -1, -12, -25)
	_, tx := c.runner(ctx).(*tx)
	switch {
	case err == nil:
		return nil, len(records), nil
	case tx:
		return nil, 0, err // the transaction has failed
	case !refused(err) && !errors.Is(err, errNotStored) && !notTaken:
		return nil, 0, err
	case len(records) > 1 && notTaken:
		c.state.single.Store(true)
		return c.storeAll(ctx, records)
	case len(records) > 1:
		half := len(records) / 2
		refusals, stored, err = c.storeAll(ctx, records[:half])
		if err != nil {
			return refusals, stored, err
		}
		more, done, err := c.storeAll(ctx, records[half:])
		for _, r := range more {
			refusals = append(refusals, engine.Refusal{Index: half + r.Index, Err: r.Err})
		}
		return refusals, stored + done, err
	case notTaken:
		return nil, 0, err
	}
	return []engine.Refusal{{Err: err}}, 0, nil
}

// errNotStored says that the server reported a write as done that was not.
var errNotStored = errors.New("the server said that it stored a record and did not")

// verify sees that rows with these keys are there.
func (c *session) verify(ctx context.Context, table, column string, keys [][]byte, place func(int) string) error {
	return lists(keys, func(list [][]byte) error {
		distinct := 1
		for i := 1; i < len(list) && string(list[i]) != string(list[i-1]); i++ {
			distinct++
		}
		n, err := c.count(ctx, "SELECT COUNT(*) AS n FROM "+table+" WHERE "+within(column, len(list), place), list...)
		if err == nil && n < distinct {
			err = fmt.Errorf("%w: %d of %d rows are there", errNotStored, n, distinct)
		}
		return err
	})
}

// Delete implements engine.Collection. The server does not say how many rows it
// deleted, so they are counted before.
func (c *collection) Delete(ctx context.Context, ids []string) (int, error) {
	args := c.idArgs(ids)
	if len(args) == 0 {
		return 0, c.gone()
	}
	total := 0
	err := lists(args, func(list [][]byte) error {
		n, err := c.remove(ctx, " WHERE "+within(c.key(), len(list), c.idArgument), list)
		total += n
		return err
	})
	return total, err
}

// DeleteWhere implements engine.Collection.
func (c *collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	condition, args := c.where(f)
	return c.remove(ctx, wire.Where(condition), args)
}

func (c *collection) remove(ctx context.Context, where string, args [][]byte) (n int, err error) {
	counted := false
	err = c.write(ctx, func(ctx context.Context, conn *session) error {
		found, err := conn.count(ctx, "SELECT COUNT(*) AS n FROM "+c.name+where, args...)
		if err != nil {
			return err
		}
		if !counted { // a second try may find that the first one deleted
			n, counted = found, true
		}
		if found == 0 {
			return nil
		}
		return conn.write(ctx, "DELETE FROM "+c.name+where, args...)
	})
	return n, err
}
