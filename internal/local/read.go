package local

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"

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
// the row, the ID, the fields and text if asked for, the vector if asked for, and
// what else is asked for.
func (c *collection) selectFrom(p parts, also ...string) string {
	var b strings.Builder
	b.WriteString("SELECT r." + rowColumn + ", r.id")
	if p.payload {
		for _, f := range c.schema.Fields {
			b.WriteString(", r." + quote(f.Name))
		}
		b.WriteString(", d.text")
	}
	if p.vectors {
		b.WriteString(", d.vector")
	}
	for _, column := range also {
		b.WriteString(", " + column)
	}
	fmt.Fprintf(&b, " FROM %s r", rowsTable(c.schema.Name))
	if p.payload || p.vectors {
		fmt.Fprintf(&b, " JOIN %s d USING (%s)", dataTable(c.schema.Name), rowColumn)
	}
	return b.String()
}

// selectRows returns a query for that many records by their row numbers. The
// numbers are looped over, which is faster than IN: that sorts them first.
func (c *collection) selectRows(p parts, count int) string {
	from := strings.Replace(c.selectFrom(p), " FROM ", fmt.Sprintf(" FROM (VALUES (?)%s) v CROSS JOIN ", strings.Repeat(", (?)", count-1)), 1)
	return fmt.Sprintf("%s WHERE r.%s = v.column1", from, rowColumn)
}

// records reads the rows of such a query and passes each on, after what else was
// asked for has been read into also.
func (c *collection) records(rows *sql.Rows, p parts, each func(row int32, r engine.Record), also ...any) error {
	defer rows.Close()
	var row int32
	var id string
	var text sql.NullString
	var blob sql.RawBytes
	values := make([]any, len(c.schema.Fields))
	to := []any{&row, &id}
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
			for i, f := range c.schema.Fields {
				var ok bool
				if r.Fields[i], ok = value(f.Type, values[i]); !ok {
					return fmt.Errorf("%w: field %q of record %q in %q holds a %T", errDamaged, f.Name, id, c.schema.Name, values[i])
				}
			}
		}
		if p.vectors {
			var err error
			if r.Vector, err = c.decodeVector(engine.Vector{}, id, blob); err != nil {
				return err
			}
		}
		each(row, r)
	}
	return explain(rows.Err())
}

// readStatements holds the prepared statements that read a few rows by number.
type readStatements struct {
	collection *collection
	mu         sync.Mutex
	prepared   map[readKey]*sql.Stmt
}

type readKey struct {
	parts
	count int
}

// atMost is how many rows one prepared statement reads.
const atMost = 64

func (s *readStatements) get(key readKey) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.prepared[key]; ok {
		return st, nil
	}
	c := s.collection
	st, err := c.store.read.Prepare(c.selectRows(key.parts, key.count))
	if err != nil {
		return nil, explain(err)
	}
	if s.prepared == nil {
		s.prepared = map[readKey]*sql.Stmt{}
	}
	s.prepared[key] = st
	return st, nil
}

func (s *readStatements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.prepared {
		st.Close()
	}
	s.prepared = nil
}

// asker runs the query for the parts of some records, at most atMost.
type asker func(ctx context.Context, p parts, numbers []int32) (*sql.Rows, error)

// ask is the asker outside a transaction. So few rows are read faster than the
// driver sets up a cancellation.
func (c *collection) ask(ctx context.Context, p parts, numbers []int32) (*sql.Rows, error) {
	st, err := c.read.get(readKey{p, len(numbers)})
	if err != nil {
		return nil, err
	}
	return st.QueryContext(context.WithoutCancel(ctx), anys(numbers)...)
}

// byRow reads records by their row numbers, in any order. Outside a transaction
// the caller holds c.mu for reading.
func (c *collection) byRow(ctx context.Context, ask asker, numbers []int32, p parts, each func(row int32, r engine.Record)) error {
	for chunk := range slices.Chunk(numbers, atMost) {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := ask(ctx, p, chunk)
		if err != nil {
			return explain(err)
		}
		if err := c.records(rows, p, each); err != nil {
			return err
		}
	}
	return nil
}

func anys(numbers []int32) []any {
	args := make([]any, len(numbers))
	for i, n := range numbers {
		args[i] = n
	}
	return args
}

// view takes the lock that keeps the memory and SQLite's rows as one.
func (c *collection) view(ctx context.Context) (end func(), err error) {
	endReading, err := c.store.reading(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	if c.gone {
		c.mu.RUnlock()
		endReading()
		return nil, engine.ErrNotFound
	}
	return func() {
		c.mu.RUnlock()
		endReading()
	}, nil
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	end, err := c.view(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var numbers []int32
	for _, id := range ids {
		if row, ok := c.rows[id]; ok {
			numbers = append(numbers, row)
		}
	}
	records := make([]engine.Record, 0, len(numbers))
	err = c.byRow(ctx, c.ask, numbers, parts{payload: true, vectors: vectors}, func(_ int32, r engine.Record) {
		records = append(records, r)
	})
	return records, err
}

// Count implements engine.Collection.
func (c *collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	end, err := c.view(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if err := ctx.Err(); err != nil || f.IsZero() {
		return len(c.rows), err
	}
	return c.count(ctx, c.store.read, f)
}

func (c *collection) count(ctx context.Context, q queryer, f filter.Filter) (n int, err error) {
	where, args := compile(f)
	err = q.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s r WHERE %s", rowsTable(c.schema.Name), where), args...).Scan(&n)
	return n, explain(err)
}

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	end, err := c.view(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.scan(ctx, c.store.read, s)
}

func (c *collection) scan(ctx context.Context, q queryer, s engine.Scan) ([]engine.Record, error) {
	where, args := compile(s.Filter)
	p := parts{payload: true, vectors: s.Vectors}
	query := fmt.Sprintf("%s WHERE r.id > ? AND (%s) ORDER BY r.id LIMIT ?", c.selectFrom(p), where)
	rows, err := q.QueryContext(ctx, query, slices.Concat([]any{s.After}, args, []any{s.Limit})...)
	if err != nil {
		return nil, explain(err)
	}
	var records []engine.Record
	err = c.records(rows, p, func(_ int32, r engine.Record) { records = append(records, r) })
	return records, err
}
