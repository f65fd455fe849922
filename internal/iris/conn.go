package iris

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// traits is how one connection's server has to be talked to. A client cannot
// see the server's version or mode, so each is found out by trying.
type traits struct {
	comment string // what a write begins with, so that its errors are reported
	refusal error  // why nothing may be written, nil if writes report their errors
	escape  bool   // a text with "@%" has to be escaped by the statement that reads it
}

// session is a connection to the server.
type session struct {
	traits
	conn    *pgx.Conn
	timeout time.Duration
}

// traitsKey is where a connection keeps its traits.
const traitsKey = "vecwire.iris"

// conn returns a connection of the pool with its traits.
func (e *database) conn(ctx context.Context, conn *pgx.Conn) (*session, error) {
	c := &session{conn: conn, timeout: e.timeout}
	data := conn.PgConn().CustomData()
	if traits, ok := data[traitsKey].(traits); ok {
		c.traits = traits
		return c, nil
	}
	if !wire.IsIRIS(conn) {
		return nil, &engine.ConnectError{
			Target: e.Target, Err: errors.New("the server is not iris-pgwire"),
			Remedy: "open PostgreSQL with a URL that begins with postgres://",
		}
	}
	if err := c.prove(ctx); err != nil {
		return nil, err
	}
	data[traitsKey] = c.traits
	return c, nil
}

// nowhere is a table that never exists.
const nowhere = "vecwire_no_such_table"

// prove tries what the traits say.
func (c *session) prove(ctx context.Context) (err error) {
	for _, c.comment = range []string{"/*w*/ ", ""} {
		if c.refusal, err = c.canary(ctx); c.refusal == nil || err != nil {
			break
		}
	}
	if err != nil {
		return err
	}
	shown, err := c.text(ctx, "SELECT '~1@%SYS.Python'")
	c.escape = err == nil && shown == nil
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return nil
	}
	return err
}

// canary writes to a table that does not exist, in every way there is. Each has
// to fail, for that reason; some servers say that it was done.
func (c *session) canary(ctx context.Context) (refusal, err error) {
	for _, sql := range []string{
		"INSERT OR UPDATE " + nowhere + " (id) SELECT SUBSTRING($1,2)",
		"INSERT INTO " + nowhere + " (id) VALUES (SUBSTRING($1,2))",
		"UPDATE " + nowhere + " SET id = SUBSTRING($1,2)",
		"DELETE FROM " + nowhere + " WHERE id = SUBSTRING($1,2)",
	} {
		err := c.write(ctx, sql, guard("canary"))
		switch code := sqlcode(err); {
		case code == -30:
		case code != 0:
			return fmt.Errorf("%w: writing through a server that refuses a write for no known reason: %w", engine.ErrUnsupported, err), nil
		case err != nil:
			return nil, err
		default:
			return fmt.Errorf("%w: writing through a server that does not report when a write fails: "+
				"run iris-pgwire with PGWIRE_BACKEND_TYPE=dbapi, or another version", engine.ErrUnsupported), nil
		}
	}
	return nil, nil
}

// query runs a statement that returns rows of so many columns, and gives each to
// f, as text that is valid until f returns.
//
// It leaves out the message that asks what the rows look like: the server would
// run the statement for it and throw its rows away. The columns are known, and
// what the server says about them is often wrong.
func (c *session) query(parent context.Context, sql string, columns int, args [][]byte, f func(row [][]byte) error) (err error) {
	ctx, cancel := c.deadline(parent)
	defer cancel()
	defer c.trace(ctx, sql, args)(&err)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.conn.PgConn().Frontend().SendParse(&pgproto3.Parse{Query: sql})
	rows := c.conn.PgConn().ExecStatement(ctx, &pgconn.StatementDescription{Fields: make([]pgconn.FieldDescription, max(1, columns))}, args, nil, nil)
	for rows.NextRow() && err == nil {
		if got := len(rows.Values()); got != columns {
			err = fmt.Errorf("the server returned %d columns for %d", got, columns)
		} else {
			err = f(rows.Values())
		}
	}
	if _, failed := rows.Close(); failed != nil {
		err = c.late(parent, failed)
	}
	return err
}

// late says so of an error that comes from our own deadline.
func (c *session) late(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("the server did not answer for %v: %w", c.timeout, err)
	}
	return err
}

// deadline bounds a statement whose caller has set no deadline.
func (c *session) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

func (c *session) trace(ctx context.Context, sql string, args [][]byte) func(*error) {
	tracer := c.conn.Config().Tracer
	if tracer == nil {
		return func(*error) {}
	}
	data := pgx.TraceQueryStartData{SQL: sql, Args: make([]any, len(args))}
	for i, a := range args {
		data.Args[i] = string(a)
	}
	ctx = tracer.TraceQueryStart(ctx, c.conn, data)
	return func(err *error) { tracer.TraceQueryEnd(ctx, c.conn, pgx.TraceQueryEndData{Err: *err}) }
}

// write runs an INSERT, UPDATE or DELETE in the form that reports errors. To
// delete nothing is an error for one of the servers, and for us none.
func (c *session) write(ctx context.Context, sql string, args ...[]byte) error {
	err := c.query(ctx, c.comment+sql, 0, args, nil)
	if isSQLCode(err, 100) {
		return nil
	}
	return err
}

// run runs a statement that is made of names and numbers alone.
func (c *session) run(parent context.Context, sql string) error {
	ctx, cancel := c.deadline(parent)
	defer cancel()
	_, err := c.conn.Exec(ctx, sql)
	return c.late(parent, err)
}

// text runs a query for one value, nil for NULL.
func (c *session) text(ctx context.Context, sql string, args ...[]byte) (value *string, err error) {
	rows := 0
	err = c.query(ctx, sql, 1, args, func(row [][]byte) error {
		rows++
		if row[0] != nil {
			s := string(row[0])
			value = &s
		}
		return nil
	})
	if err == nil && rows != 1 {
		err = fmt.Errorf("the server returned %d rows for 1", rows)
	}
	return value, err
}

// guard makes of a text an argument that the server leaves alone: one that no
// number, time or vector begins like. SUBSTRING($n,2) takes the guard off.
func guard(text string) []byte {
	return append(append(make([]byte, 0, len(text)+1), '~'), text...)
}

// shown is a column of text as a statement reads it. The prefix tells an empty
// text from NULL. Servers inside IRIS take a text with "@%SYS.Python" for NULL
// too, so there a "~" goes between the "@" and the "%".
func (c *session) shown(column string) string {
	if c.escape {
		return "'~' || REPLACE(REPLACE(" + column + ",'~','~~'),'@%','@~%')"
	}
	return "'~' || " + column
}

// readText reads what shown shows, nil for NULL.
func (c *session) readText(raw []byte) (*string, error) {
	if raw == nil {
		return nil, nil
	}
	if len(raw) == 0 || raw[0] != '~' {
		return nil, fmt.Errorf("the server returned %.40q, which does not begin with ~", raw)
	}
	text := string(raw[1:])
	if !c.escape || !strings.Contains(text, "~") {
		return &text, nil
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '~' {
			if i++; i == len(text) || text[i] != '~' && text[i] != '%' {
				return nil, fmt.Errorf("the server returned %.40q, which is not escaped", raw)
			}
		}
		out = append(out, text[i])
	}
	text = string(out)
	return &text, nil
}
