package wire

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// irisCollection is an open collection.
type irisCollection struct {
	*irisTable
	db     *iris
	runner irisRunner // the pool, or a transaction
	state  *irisState
}

func (e *iris) open(t *irisTable, state *irisState) *irisCollection {
	return &irisCollection{irisTable: t, db: e, runner: e, state: state}
}

// Schema implements engine.Collection.
func (c *irisCollection) Schema() engine.Schema { return c.schema }

func (c *irisCollection) gone() error {
	if c.state.dropped.Load() {
		return engine.ErrNotFound
	}
	return nil
}

func (c *irisCollection) read(ctx context.Context, op func(context.Context, *irisConn) error) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.explain(c.runner.read(ctx, op))
}

func (c *irisCollection) write(ctx context.Context, op func(context.Context, *irisConn) error) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.explain(c.runner.write(ctx, op))
}

// explain names what does not fit where the engine only gives a number.
func (c *irisCollection) explain(err error) error {
	if isSQLCode(err, -259) {
		return fmt.Errorf("%w: %w", &codec.ElementError{Want: otherElement(c.schema.Element), Got: c.schema.Element}, err)
	}
	return err
}

// irisLists are the lengths of the IN lists that statements have. The server
// keeps every text of a statement, and gets slower with their number: a list is
// filled up by repeating its last argument.
var irisLists = []int{1, 10, 100}

// lists cuts arguments into lists of these lengths.
func lists(args [][]byte, f func(list [][]byte) error) error {
	for len(args) > 0 {
		n := irisLists[len(irisLists)-1]
		for _, length := range irisLists {
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
func (t *irisTable) key() string {
	if t.idInt {
		return t.id
	}
	return t.exactly(t.id, filter.String)
}

// idArgs returns IDs as arguments, without those that no key can have.
func (t *irisTable) idArgs(ids []string) [][]byte {
	args := make([][]byte, 0, len(ids))
	for _, id := range ids {
		if !t.idInt || checkIntegerID(id) == nil {
			args = append(args, guard(id))
		}
	}
	return args
}

// Get implements engine.Collection.
func (c *irisCollection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
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

// Scan implements engine.Collection. The order is that of the IDs' bytes, also
// where IRIS would order numbers first, because the prefix makes none of them one.
func (c *irisCollection) Scan(ctx context.Context, s engine.Scan) (out []engine.Record, err error) {
	condition, args := c.where(s.Filter)
	if s.After != "" {
		n := len(args) + 1
		after := "'~' || " + c.id + " > $" + strconv.Itoa(n)
		if c.idInt {
			if err := checkIntegerID(s.After); err != nil {
				return nil, err
			}
			after = c.id + " > " + c.idArgument(n)
		}
		condition, args = and(condition, after), append(args, guard(s.After))
	}
	order := "'~' || " + c.id
	if c.idInt {
		order = c.id
	}
	err = c.records(ctx, s.Vectors, &out, args, func(columns string) string {
		return "SELECT TOP " + strconv.Itoa(s.Limit) + " " + columns + " FROM " + c.name + whereClause(condition) + " ORDER BY " + order
	})
	return out, err
}

// records appends what a statement finds, which is made for its columns.
func (c *irisCollection) records(ctx context.Context, vectors bool, out *[]engine.Record, args [][]byte, sql func(columns string) string) error {
	before := len(*out)
	return c.read(ctx, func(ctx context.Context, conn *irisConn) error {
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
func (c *irisCollection) Count(ctx context.Context, f filter.Filter) (n int, err error) {
	condition, args := c.where(f)
	err = c.read(ctx, func(ctx context.Context, conn *irisConn) (err error) {
		n, err = conn.count(ctx, "SELECT COUNT(*) AS n FROM "+c.name+whereClause(condition), args...)
		return err
	})
	return n, err
}

func (c *irisConn) count(ctx context.Context, sql string, args ...[]byte) (int, error) {
	text, err := c.text(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	if text == nil {
		return 0, fmt.Errorf("the server returned NULL for a count")
	}
	return strconv.Atoi(*text)
}
