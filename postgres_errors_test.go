package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

const secret = "S3cret-Passw0rd"

func TestPostgresConnectErrors(t *testing.T) {
	target := testenv.Postgres(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := listener.Addr().String()
	require.NoError(t, listener.Close())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })

	parsed, err := url.Parse(target)
	require.NoError(t, err)
	secrets := []string{secret, url.QueryEscape(secret)}
	if real, ok := parsed.User.Password(); ok {
		secrets = append(secrets, real)
	}

	for _, test := range []struct {
		name, url, remedy string
	}{
		{"refused", with(t, target, func(u *url.URL) { u.Host, u.User = closed, url.UserPassword("app", secret) }), "start the server"},
		{"database", with(t, target, func(u *url.URL) { u.Path = "/missing" }), "CREATE DATABASE"},
		{"password", with(t, target, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }), "user and password"},
		{"user", with(t, target, func(u *url.URL) { u.User = url.UserPassword("nobody-here", secret) }), "user and password"},
		{"silent", with(t, target, func(u *url.URL) {
			u.Host, u.User, u.RawQuery = silent.Addr().String(), url.UserPassword("app", secret), "connect_timeout=1"
		}), "does not answer"},
		{"tls", with(t, withParam(t, target, "sslmode", "require"), func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) }), "sslmode"},
		{"port", "postgres://app:" + secret + "@localhost:port/db", "percent-encode"},
		{"parameter", "postgres://app:" + secret + "@localhost/db?pool_max_conns=" + secret, "percent-encode"},
		{"slash", "postgres://app:" + secret + "/x@localhost/db", "percent-encode"},
		{"percent", "postgres://app:" + secret + "%@localhost/db", "percent-encode"},
		{"keys", "host=127.0.0.1 port=x password=" + secret, "percent-encode"},
		{"query", "postgres://localhost/db?sslmode=nope&password=" + secret, "percent-encode"},
		{"search path", withParam(t, target, "search_path", "missing"), "search_path"},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, err := vecwire.Open(t.Context(), test.url)
			require.Nil(t, db)
			connect, ok := errors.AsType[*vecwire.ConnectError](err)
			require.True(t, ok, "%T %v", err, err)
			require.Contains(t, connect.Remedy, test.remedy, "%v", err)
			for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v %#v", err, connect)} {
				for _, hidden := range secrets {
					require.NotContains(t, text, hidden)
				}
			}
		})
	}
}

// TestPostgresMissingExtension is about a user who may not make the extension.
func TestPostgresMissingExtension(t *testing.T) {
	target := testenv.Postgres(t)
	role := fmt.Sprintf("weak%d", time.Now().UnixNano())
	run(t, target, `CREATE ROLE `+role+` LOGIN PASSWORD '`+secret+`'`, `GRANT ALL ON SCHEMA public TO `+role)
	t.Cleanup(func() { run(t, target, `DROP OWNED BY `+role, `DROP ROLE `+role) })
	db := openURL(t, with(t, target, func(u *url.URL) { u.User = url.UserPassword(role, secret) }))

	list, err := db.Collections(t.Context())
	require.NoError(t, err, "looking needs no extension")
	require.Empty(t, list)
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "c", Dim: 3})
	connect, ok := errors.AsType[*vecwire.ConnectError](err)
	require.True(t, ok, "%v", err)
	require.Contains(t, connect.Remedy, "CREATE EXTENSION vector")

	run(t, target, `CREATE EXTENSION vector`)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "c", Dim: 3})
	require.NoError(t, err, "it is found without opening the database again")
	require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: "1", Vector: []float32{1, 2, 3}}))

	// A user who may make no temporary tables stores large batches all the same.
	run(t, target, `REVOKE TEMP ON DATABASE `+pgx.Identifier{database(t, target)}.Sanitize()+` FROM PUBLIC`)
	many := make([]vecwire.Record, 12_000)
	for i := range many {
		many[i] = vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, 2, float32(i)}}
	}
	require.NoError(t, c.Upsert(t.Context(), many...))
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, len(many), n)
}

func TestPostgresTableInTheWay(t *testing.T) {
	target := testenv.Postgres(t)
	run(t, target, `CREATE TABLE mine (x int)`)
	db := openURL(t, target)
	_, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "mine", Dim: 3})
	require.ErrorIs(t, err, vecwire.ErrExists)
	require.ErrorContains(t, err, "not a collection")
	for _, name := range []string{"vector", "halfvec", "select", "user", "xmin", "pg_class"} {
		c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: name, Dim: 2, Fields: []vecwire.Field{
			{Name: "xmin"}, {Name: "ctid"}, {Name: "Select"}, {Name: "tableoid", Type: vecwire.Int, Index: true},
		}})
		require.NoError(t, err, name)
		r := vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"xmin": "a", "ctid": "b", "Select": "c", "tableoid": int64(1)}}
		require.NoError(t, c.Upsert(t.Context(), r))
		got, err := c.Get(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, []vecwire.Record{r}, got)
	}
}

func TestPostgresTx(t *testing.T) {
	db := openURL(t, testenv.Postgres(t))
	ctx := t.Context()
	a, err := db.CreateCollection(ctx, vecwire.Schema{Name: "a", Dim: 2})
	require.NoError(t, err)
	b, err := db.CreateCollection(ctx, vecwire.Schema{Name: "b", Dim: 2})
	require.NoError(t, err)
	v := []float32{1, 2}
	count := func(ctx context.Context, c *vecwire.Collection) int {
		t.Helper()
		n, err := c.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		return n
	}

	var kept context.Context
	require.NoError(t, db.Tx(ctx, func(ctx context.Context) error {
		kept = ctx
		require.NoError(t, a.Upsert(ctx, vecwire.Record{ID: "1", Vector: v}))
		require.NoError(t, b.Insert(ctx, vecwire.Record{ID: "1", Vector: v}))
		for range 2 { // two large batches in one transaction
			many := make([]vecwire.Record, 5_001)
			for i := range many {
				many[i] = vecwire.Record{ID: fmt.Sprint("m", i), Vector: v}
			}
			require.NoError(t, b.Upsert(ctx, many...))
		}
		require.Equal(t, 1, count(ctx, a), "seen from inside")
		require.Equal(t, 0, count(t.Context(), a), "not from outside")
		hits, err := a.SearchMany(ctx, []vecwire.Query{{Vector: v}, {Vector: v, Exact: true}})
		require.NoError(t, err)
		require.Len(t, hits[1].Hits, 1)
		n, err := b.DeleteWhere(ctx, filter.Prefix("id", "m"))
		require.NoError(t, err)
		require.Equal(t, 5_001, n)
		return nil
	}))
	require.ErrorIs(t, db.Tx(ctx, func(ctx context.Context) error {
		return a.BuildIndex(ctx, vecwire.IndexOptions{})
	}), vecwire.ErrUnsupported)
	require.Equal(t, []int{1, 1}, []int{count(t.Context(), a), count(t.Context(), b)})
	require.Error(t, a.Upsert(kept, vecwire.Record{ID: "2", Vector: v}), "the transaction has ended")

	own := errors.New("own")
	require.ErrorIs(t, db.Tx(ctx, func(ctx context.Context) error {
		require.NoError(t, a.Upsert(ctx, vecwire.Record{ID: "3", Vector: v}))
		return own
	}), own)
	require.ErrorIs(t, db.Tx(ctx, func(ctx context.Context) error {
		require.NoError(t, a.Upsert(ctx, vecwire.Record{ID: "4", Vector: v}))
		require.ErrorIs(t, a.Insert(ctx, vecwire.Record{ID: "1", Vector: v}), vecwire.ErrExists)
		require.Error(t, a.Upsert(ctx, vecwire.Record{ID: "5", Vector: v}), "the transaction has failed")
		return nil // a failure that f hides is not hidden
	}), vecwire.ErrExists)
	require.Panics(t, func() {
		_ = db.Tx(ctx, func(ctx context.Context) error {
			_ = a.Upsert(ctx, vecwire.Record{ID: "6", Vector: v})
			panic("a bug in the caller")
		})
	})
	require.Equal(t, 1, count(t.Context(), a))
}

// tracer counts what is sent.
type tracer struct{ queries, copies atomic.Int64 }

func (c *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.queries.Add(1)
	return ctx
}
func (c *tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	c.copies.Add(1)
	return ctx
}
func (c *tracer) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

func TestPostgresConfig(t *testing.T) {
	var traced tracer
	target := testenv.Postgres(t)
	db, err := vecwire.Config{Server: vecwire.ServerConfig{
		MaxConns: 3, MinConns: 2, MaxConnLifetime: time.Minute, ConnectTimeout: time.Minute, StatementTimeout: 3 * time.Second, Tracer: &traced,
	}}.Open(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "c", Dim: 2})
	require.NoError(t, err)
	require.NoError(t, c.Insert(t.Context(), vecwire.Record{ID: "1", Vector: []float32{1, 2}}))
	require.Positive(t, traced.queries.Load())
	require.EqualValues(t, 1, traced.copies.Load())

	// A lock that somebody holds makes the statement wait longer than it may.
	conn, err := pgx.Connect(t.Context(), target)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE c`)
	require.NoError(t, err)
	_, err = c.Count(t.Context(), filter.Filter{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
}
