package iris

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// collection is an open collection.
type collection struct {
	engine.Lacks // inserting only, merging, full text

	*table
	db    *database
	state *tableState
}

// runner returns what runs operations: the transaction that ctx carries, or the
// pool.
func (c *collection) runner(ctx context.Context) runner {
	if t, ok := engine.TxOf(ctx, c.db).(*tx); ok {
		return t
	}
	return c.db
}

// Can implements engine.Collection.
func (c *collection) Can() engine.Can { return c.db.Capabilities().Can }

func (e *database) open(t *table, state *tableState) *collection {
	return &collection{Lacks: engineName, table: t, db: e, state: state}
}

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema { return c.schema }

func (c *collection) gone() error {
	if c.state.dropped.Load() {
		return engine.ErrNotFound
	}
	return nil
}

func (c *collection) read(ctx context.Context, op func(context.Context, *session) error) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.explain(c.runner(ctx).read(ctx, op))
}

func (c *collection) write(ctx context.Context, op func(context.Context, *session) error) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.explain(c.runner(ctx).write(ctx, op))
}

// explain names what does not fit where the engine only gives a number.
func (c *collection) explain(err error) error {
	if isSQLCode(err, -259) {
		return fmt.Errorf("%w: %w", &codec.ElementError{Want: otherElement(c.schema.Element), Got: c.schema.Element}, err)
	}
	return err
}

// listLengths are the lengths of the IN lists that statements have. The server
// keeps every text of a statement, and gets slower with their number: a list is
// filled up by repeating its last argument.
var listLengths = []int{1, 10, 100}

// lists cuts arguments into lists of these lengths.
func lists(args [][]byte, f func(list [][]byte) error) error {
	for len(args) > 0 {
		n := listLengths[len(listLengths)-1]
		for _, length := range listLengths {
			if length >= len(args) {
				n = length
				break
			}
		}
		list := args[:min(n, len(args))]
		args = args[len(list):]
		if short := n - len(list); short > 0 {
			list = append(make([][]byte, 0, n), list...)
			for range short {
				list = append(list, list[len(list)-1])
			}
		}
		if err := f(list); err != nil {
			return err
		}
	}
	return nil
}

// within writes the condition that a column is one of n arguments, which stand in
// the form that place gives them.
func within(column string, n int, place func(int) string) string {
	var b strings.Builder
	b.WriteString(column + " IN (")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(place(i + 1))
	}
	return b.String() + ")"
}

// key is the key's column as a condition has it.
func (t *table) key() string {
	if t.idInt {
		return t.id
	}
	return t.exactly(t.id, filter.String)
}

// idArgs returns IDs as arguments, without those that no key can have.
func (t *table) idArgs(ids []string) [][]byte {
	args := make([][]byte, 0, len(ids))
	for _, id := range ids {
		if !t.idInt || checkIntegerID(id) == nil {
			args = append(args, guard(id))
		}
	}
	return args
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	args := c.idArgs(ids)
	if len(args) == 0 {
		return nil, c.gone()
	}
	var out []engine.Record
	err := lists(args, func(list [][]byte) error {
		return c.records(ctx, vectors, &out, list, func(columns string) string {
			return "SELECT " + columns + " FROM " + c.name + " WHERE " + within(c.key(), len(list), c.idArgument)
		})
	})
	return out, err
}

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) (out []engine.Record, err error) {
	if c.idInt && s.After != "" {
		if err := checkIntegerID(s.After); err != nil {
			return nil, err
		}
	}
	condition, order, args := c.ordered(s)
	err = c.records(ctx, s.Vectors, &out, args, func(columns string) string {
		return "SELECT TOP " + strconv.Itoa(s.Limit) + " " + columns + " FROM " + c.name + wire.Where(condition) + " ORDER BY " + order
	})
	return out, err
}

// records appends what a statement finds, which is made for its columns.
func (c *collection) records(ctx context.Context, vectors bool, out *[]engine.Record, args [][]byte, sql func(columns string) string) error {
	before := len(*out)
	return c.read(ctx, func(ctx context.Context, conn *session) error {
		*out = (*out)[:before]
		columns := c.payload(conn, true, vectors)
		return conn.query(ctx, sql(strings.Join(columns, ", ")), len(columns), args, func(row [][]byte) error {
			r, err := c.record(conn, row, true, vectors)
			*out = append(*out, r)
			return err
		})
	})
}

// Count implements engine.Collection.
func (c *collection) Count(ctx context.Context, f filter.Filter) (n int, err error) {
	condition, args := c.where(f)
	err = c.read(ctx, func(ctx context.Context, conn *session) (err error) {
		n, err = conn.count(ctx, "SELECT COUNT(*) AS n FROM "+c.name+wire.Where(condition), args...)
		return err
	})
	return n, err
}

func (c *session) count(ctx context.Context, sql string, args ...[]byte) (int, error) {
	text, err := c.text(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	if text == nil {
		return 0, fmt.Errorf("the server returned NULL for a count")
	}
	return strconv.Atoi(*text)
}
