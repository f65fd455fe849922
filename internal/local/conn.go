package local

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"modernc.org/sqlite"
)

// connector opens connections of the type conn.
type connector struct {
	driver *sqlite.Driver // with our own functions
	uri    string
}

// openPool returns a pool of such connections. The URI has the driver's parameters.
func openPool(uri string) (*sql.DB, error) {
	d, err := newDriver()
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{d, uri}), nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	base, err := c.driver.Open(c.uri)
	if err != nil {
		return nil, err
	}
	return &conn{sqliteConn: base.(sqliteConn), prepared: map[string]driver.Stmt{}}, nil
}

// conn is a connection that can be asked for rows by their numbers without
// database/sql in between, which takes as long for a few small rows as SQLite does.
// It keeps the statements that it was asked with.
type conn struct {
	sqliteConn
	prepared map[string]driver.Stmt
	args     []driver.NamedValue
	values   []driver.Value
}

// sqliteConn is all that the driver's connection offers to database/sql.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// borrower lends f a connection.
type borrower func(ctx context.Context, f func(*conn) error) error

// borrow is the borrower outside a transaction.
func (s *store) borrow(ctx context.Context, f func(*conn) error) error {
	if p := s.pinned(ctx); p != nil {
		return raw(p.conn, f)
	}
	c, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return raw(c, f)
}

// borrow is the borrower inside a transaction.
func (t *txn) borrow(_ context.Context, f func(*conn) error) error { return raw(t.conn, f) }

func raw(c *sql.Conn, f func(*conn) error) error {
	return c.Raw(func(driverConn any) error { return f(driverConn.(*conn)) })
}

// mostPrepared is how many statements a connection keeps before it begins anew:
// collections come and go, and nobody asks for their rows again.
const mostPrepared = 256

// ask passes on the values of each row that a query returns for these numbers.
// They are valid until each returns.
func (c *conn) ask(query string, numbers []int32, each func(values []driver.Value) error) error {
	c.args = c.args[:0]
	for i, n := range numbers {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: int64(n)})
	}
	return c.rows(query, each)
}

// rows is ask for what is in c.args.
func (c *conn) rows(query string, each func(values []driver.Value) error) (err error) {
	st, err := c.statement(query)
	if err != nil {
		return err
	}
	// So few rows are read faster than the driver sets up a cancellation.
	rows, err := st.QueryContext(context.Background(), c.args)
	if err != nil {
		return err
	}
	defer func() {
		clear(c.values)
		err = errors.Join(err, rows.Close())
	}()
	c.values = append(c.values[:0], make([]driver.Value, len(rows.Columns()))...)
	for {
		if err := rows.Next(c.values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := each(c.values); err != nil {
			return err
		}
	}
}

// run runs a statement that the connection keeps.
func (c *conn) run(query string, args ...any) (driver.Result, error) {
	st, err := c.statement(query)
	if err != nil {
		return nil, err
	}
	c.args = c.args[:0]
	for i, v := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return st.(driver.StmtExecContext).ExecContext(context.Background(), c.args)
}

func (c *conn) statement(query string) (driver.StmtQueryContext, error) {
	st, ok := c.prepared[query]
	if !ok {
		if len(c.prepared) >= mostPrepared {
			if err := c.forget(); err != nil {
				return nil, err
			}
		}
		var err error
		if st, err = c.PrepareContext(context.Background(), query); err != nil {
			return nil, err
		}
		c.prepared[query] = st
	}
	return st.(driver.StmtQueryContext), nil
}

// forget closes the statements.
func (c *conn) forget() error {
	var errs []error
	for _, st := range c.prepared {
		errs = append(errs, st.Close())
	}
	clear(c.prepared)
	return errors.Join(errs...)
}

// Close implements driver.Conn.
func (c *conn) Close() error { return errors.Join(c.forget(), c.sqliteConn.Close()) }
