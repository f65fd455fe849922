package local

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// queryer is a pool for those outside a transaction, or the transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// parts says what of a record is to be read.
type parts struct{ payload, vectors bool }

// selectFrom returns the SELECT and FROM of a query for records. The columns are
// the ID, the fields and text if asked for, the vector if asked for, and what else
// is asked for.
func (c *collection) selectFrom(p parts, also ...string) string {
	columns := append(append([]string{"r.id"}, c.columns(p)...), also...)
	query := fmt.Sprintf("SELECT %s FROM %s r", strings.Join(columns, ", "), rowsTable(c.schema.Name))
	if p.payload || p.vectors {
		query += fmt.Sprintf(" JOIN %s d USING (%s)", dataTable(c.schema.Name), rowColumn)
	}
	return query
}

// columns returns the columns of the parts.
func (c *collection) columns(p parts) (columns []string) {
	if p.payload {
		for _, f := range c.schema.Fields {
			columns = append(columns, "r."+quote(f.Name))
		}
		columns = append(columns, "d.text")
	}
	if p.vectors {
		columns = append(columns, "d.vector")
	}
	return columns
}

// records reads the rows of such a query and passes each on, after what else was
// asked for has been read into also.
func (c *collection) records(rows *sql.Rows, p parts, each func(r engine.Record), also ...any) error {
	defer rows.Close()
	var id string
	var text sql.NullString
	var blob sql.RawBytes
	values := make([]any, len(c.schema.Fields))
	to := []any{&id}
	if p.payload {
		for i := range values {
			to = append(to, &values[i])
		}
		to = append(to, &text)
	}
	if p.vectors {
		to = append(to, &blob)
	}
	to = append(to, also...)
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return explain(err)
		}
		r := engine.Record{ID: id, Text: text.String}
		if p.payload {
			r.Fields = make([]any, len(values))
			for i, v := range values {
				var err error
				if r.Fields[i], err = c.field(id, i, v); err != nil {
					return err
				}
			}
		}
		if p.vectors {
			var err error
			if r.Vector, err = c.decodeVector(engine.Vector{}, id, blob); err != nil {
				return err
			}
		}
		each(r)
	}
	return explain(rows.Err())
}

// field returns the value of a record's field as SQLite stored it.
func (c *collection) field(id string, i int, stored any) (any, error) {
	f := c.schema.Fields[i]
	v, ok := value(f.Type, stored)
	if !ok {
		return nil, fmt.Errorf("%w: field %q of record %q in %q holds a %T", errDamaged, f.Name, id, c.schema.Name, stored)
	}
	return v, nil
}

// atMost is how many rows are read at a time by their numbers.
const atMost = 64

// rowQueries holds the queries for a few records by number.
type rowQueries struct {
	mu   sync.Mutex
	text map[rowsKey]string
}

type rowsKey struct {
	parts
	count int
}

// selectRows returns a query for so many records by their row numbers. The columns
// are the place among the numbers, and the parts. The numbers are looped over,
// which is faster than IN: that sorts them first.
func (c *collection) selectRows(p parts, count int) string {
	q := &c.rowQueries
	q.mu.Lock()
	defer q.mu.Unlock()
	key := rowsKey{p, count}
	text, ok := q.text[key]
	if !ok {
		text = c.writeSelectRows(p, count)
		q.text[key] = text
	}
	return text
}

func (c *collection) writeSelectRows(p parts, count int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT %s FROM (VALUES ", strings.Join(append([]string{"v.column1"}, c.columns(p)...), ", "))
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%d, ?)", i)
	}
	fmt.Fprintf(&b, ") v CROSS JOIN %s d ON d.%s = v.column2", dataTable(c.schema.Name), rowColumn)
	if p.payload && len(c.schema.Fields) > 0 {
		fmt.Fprintf(&b, " CROSS JOIN %s r ON r.%s = v.column2", rowsTable(c.schema.Name), rowColumn)
	}
	return b.String()
}

// rowReader reads parts of records by their row numbers. Those of the one at each
// place among the numbers go into the record that to returns, which has its ID
// already.
type rowReader func(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error

// byRow is a rowReader over connections that it is lent.
func (c *collection) byRow(ctx context.Context, on borrower, numbers []int32, p parts, to func(place int) *engine.Record) error {
	for first := 0; first < len(numbers); first += atMost {
		if err := ctx.Err(); err != nil {
			return err
		}
		some, found := numbers[first:min(first+atMost, len(numbers))], 0
		var fields []any
		if p.payload {
			fields = make([]any, len(some)*len(c.schema.Fields))
		}
		err := on(ctx, func(conn *conn) error {
			return conn.ask(c.selectRows(p, len(some)), some, func(stored []driver.Value) error {
				found++
				n := len(c.schema.Fields)
				r := to(first + int(stored[0].(int64)))
				if p.payload {
					r.Fields, fields = fields[:n:n], fields[n:]
				}
				return c.fill(r, p, stored[1:])
			})
		})
		if err == nil && found < len(some) {
			err = fmt.Errorf("%w: of %d records in %q there are %d", errDamaged, len(some), c.schema.Name, found)
		}
		if err != nil {
			return explain(err)
		}
	}
	return nil
}

// fill puts the parts of a record as SQLite stored them into r.
func (c *collection) fill(r *engine.Record, p parts, stored []driver.Value) (err error) {
	if p.payload {
		for i := range r.Fields {
			if r.Fields[i], err = c.field(r.ID, i, stored[i]); err != nil {
				return err
			}
		}
		r.Text, _ = stored[len(r.Fields)].(string) // or NULL
		stored = stored[len(r.Fields)+1:]
	}
	if p.vectors {
		blob, _ := stored[0].([]byte)
		r.Vector, err = c.decodeVector(engine.Vector{}, r.ID, blob)
	}
	return err
}

// view takes the lock that keeps the memory and SQLite's rows as one, until
// endView.
//
// With other processes, only the memory is what it is until endView, and rows may
// change: what reads both is run by reads.
func (c *collection) view(ctx context.Context, verb string) error {
	for {
		if err := c.store.follow(ctx); err != nil {
			return err
		}
		if err := c.store.reading(ctx, c.call(verb)); err != nil {
			return err
		}
		c.mu.RLock()
		if err := c.usable(); err != nil {
			c.endView()
			return err
		}
		if !c.behind && c.store.upToDate() {
			c.tick()
			return nil
		}
		c.endView()
		if err := c.reloadIfBehind(ctx); err != nil {
			return err
		}
	}
}

// usable returns an error if the collection is gone. The caller has c.mu.
func (c *collection) usable() error {
	if c.gone {
		return c.lost()
	}
	return nil
}

func (c *collection) endView() {
	c.mu.RUnlock()
	c.store.endReading()
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) (records []engine.Record, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.Get(ctx, ids, vectors)
	}
	err = c.reads(ctx, "Get", func(ctx context.Context) error {
		records, err = c.get(ctx, c.read, ids, vectors, c.ids.row)
		return err
	})
	if err != nil {
		return nil, err // and not what was read before another process came in between
	}
	return records, nil
}

func (c *collection) get(ctx context.Context, read rowReader, ids []string, vectors bool, rowOf func(id string) (int32, bool)) ([]engine.Record, error) {
	var numbers []int32
	records := make([]engine.Record, 0, len(ids))
	for _, id := range ids {
		if row, ok := rowOf(id); ok {
			numbers = append(numbers, row)
			records = append(records, engine.Record{ID: id})
		}
	}
	err := read(ctx, numbers, parts{payload: true, vectors: vectors}, func(place int) *engine.Record { return &records[place] })
	return records, err
}

// Count implements engine.Collection.
func (c *collection) Count(ctx context.Context, f filter.Filter) (n int, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.Count(ctx, f)
	}
	err = c.reads(ctx, "Count", func(ctx context.Context) error {
		if n, err = c.ids.len(), ctx.Err(); err != nil || f.IsZero() {
			return err
		}
		rows, done, err := c.rowsThat(ctx, f)
		if err != nil {
			return err
		}
		n = rows.Count()
		done()
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Size implements engine.Collection.
func (c *collection) Size(ctx context.Context) (int, error) { return c.Count(ctx, filter.Filter{}) }

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) (records []engine.Record, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.Scan(ctx, s)
	}
	err = c.reads(ctx, "All", func(ctx context.Context) error {
		found, done, err := c.pageOfColumns(ctx, s)
		if records = found; done || err != nil {
			return err
		}
		begun := time.Now()
		records, err = c.scan(ctx, c.store.read, s, c.heldView())
		c.spend(s.Filter, s.Order.Field, time.Since(begun))
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

func (c *collection) scan(ctx context.Context, q queryer, s engine.Scan, held heldView) ([]engine.Record, error) {
	if s.Order.Missing {
		s.Filter = filter.And(s.Filter, filter.IsNull(s.Order.Field))
	}
	where, args := c.compile(s.Filter)
	p := parts{payload: true, vectors: s.Vectors && !c.store.held()}
	query := fmt.Sprintf("%s WHERE r.id > ? AND (%s) ORDER BY r.id LIMIT ?", c.selectFrom(p), where)
	args = slices.Concat([]any{s.After}, args, []any{s.Limit})
	if !s.Order.ByID() {
		var err error
		if query, args, err = c.ordered(ctx, q, s, p); err != nil {
			return nil, err
		}
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	var records []engine.Record
	err = c.records(rows, p, func(r engine.Record) { records = append(records, r) })
	if err == nil && s.Vectors && !p.vectors {
		err = held.fill(c, records)
	}
	return records, err
}
