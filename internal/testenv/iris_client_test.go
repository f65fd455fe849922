package testenv

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// irisClient looks at a server the way the IRIS engine will: pgx in exec mode,
// results as text.
type irisClient struct {
	t      testing.TB
	server *IRISServer
	conn   *pgx.Conn
	tables int
}

func connectIRIS(t testing.TB, s *IRISServer) *irisClient {
	t.Helper()
	return &irisClient{t: t, server: s, conn: dialIRIS(t, s)}
}

func dialIRIS(t testing.TB, s *IRISServer) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(s.PostgresURL())
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// table creates a table under a new name, which takes the place of "%s" in the
// statements of a fact, and returns the name.
func (c *irisClient) table(columns string) string {
	c.t.Helper()
	c.tables++
	name := fmt.Sprintf("vwfact%s%d", randomHex(2), c.tables)
	require.Equal(c.t, "ok", c.exec("CREATE TABLE "+name+" ("+columns+")"))
	if c.server.Real {
		c.t.Cleanup(func() { _, _ = c.conn.Exec(context.Background(), "DROP TABLE IF EXISTS "+name) })
	}
	return name
}

// exec runs a statement and says how it ended.
func (c *irisClient) exec(sql string, args ...any) string {
	if len(args) > 0 {
		args = append([]any{pgx.QueryExecModeExec}, args...)
	}
	ctx, cancel := c.deadline()
	defer cancel()
	_, err := c.conn.Exec(ctx, sql, args...)
	return outcome(err)
}

// deadline bounds one statement: some statements are never answered.
func (c *irisClient) deadline() (context.Context, context.CancelFunc) {
	if c.conn.IsClosed() {
		c.conn = dialIRIS(c.t, c.server)
	}
	return context.WithTimeout(c.t.Context(), 10*time.Second)
}

// simple runs a statement over the simple protocol and says how it ended.
func (c *irisClient) simple(sql string) string {
	ctx, cancel := c.deadline()
	defer cancel()
	_, err := c.conn.Exec(ctx, sql)
	return outcome(err)
}

// query returns the result as text: columns separated by "|", rows by " ".
func (c *irisClient) query(sql string, args ...any) string {
	ctx, cancel := c.deadline()
	defer cancel()
	out, err := rowsAsText(ctx, c.conn, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return outcome(err)
	}
	return out
}

// querySimple is query over the simple protocol.
func (c *irisClient) querySimple(sql string) string {
	ctx, cancel := c.deadline()
	defer cancel()
	out, err := rowsAsText(ctx, c.conn, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return outcome(err)
	}
	return out
}

func rowsAsText(ctx context.Context, conn *pgx.Conn, sql string, args ...any) (string, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var cells []string
		for _, v := range rows.RawValues() {
			if v == nil {
				cells = append(cells, "NULL")
			} else {
				cells = append(cells, string(v))
			}
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, " "), rows.Err()
}

// reached returns the statements with the given text that reached the engine
// since the mark, which is the length of an earlier log.
func (c *irisClient) reached(containing string) []EngineStatement {
	return c.server.EngineLog(c.t, containing)
}

var sqlcode = regexp.MustCompile(`SQLCODE: <(-?\d+)>`)

// outcome is "ok", or the kind of error: SQLSTATE and SQLCODE, or what pgx says.
func outcome(err error) string {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &pg):
		if m := sqlcode.FindStringSubmatch(pg.Message); m != nil {
			return pg.Code + "/" + m[1]
		}
		return pg.Code + " " + oneLine(pg.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	default:
		return "pgx: " + oneLine(err.Error())
	}
}
