package iris

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
)

// fakeServer speaks the protocol as iris-pgwire does and holds one table of IDs.
// Its answers are wrong in the ways that the tests give it.
type fakeServer struct {
	mu     sync.Mutex
	rows   map[string]bool
	writes []string // statements that would have changed rows

	swallow func(sql string) bool                      // writes that fail and are reported as done
	keep    func(n int, id string) bool                // which rows of the n-th write are kept
	refuse  func(id string) int                        // the SQLCODE that a row is refused with, 0 for none
	answer  func(sql string) []pgproto3.BackendMessage // instead of the right answer, nil for that one
	raw     func(sql string) []byte                    // bytes to send before hanging up
}

func startFake(t testing.TB, f *fakeServer) string {
	t.Helper()
	f.rows = map[string]bool{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	return "iris://user:secret@" + l.Addr().String() + "/USER?sslmode=disable"
}

func (f *fakeServer) serve(conn net.Conn) {
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "16.0 (InterSystems IRIS)"})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	var sql string
	var args []string
	for b.Flush() == nil {
		msg, err := b.Receive()
		if err != nil {
			return
		}
		switch msg := msg.(type) {
		case *pgproto3.Parse:
			sql = msg.Query
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Bind:
			args = nil
			for _, p := range msg.Parameters {
				args = append(args, string(p))
			}
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Query:
			sql, args = msg.String, nil
			f.execute(b, sql, args)
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Execute:
			if f.raw != nil {
				if bytes := f.raw(sql); bytes != nil {
					_ = b.Flush()
					_, _ = conn.Write(bytes)
					return
				}
			}
			f.execute(b, sql, args)
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Terminate:
			return
		}
	}
}

func fakeRow(values ...string) *pgproto3.DataRow {
	row := &pgproto3.DataRow{}
	for _, v := range values {
		row.Values = append(row.Values, []byte(v))
	}
	return row
}

func fakeError(code int) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: "ERROR", Code: "42000",
		Message: fmt.Sprintf("<SQL ERROR>; Details: [SQLCODE: <%d>:<what it means>]\r\n[Location: <ServerLoop>]", code),
	}
}

func (f *fakeServer) execute(b *pgproto3.Backend, sql string, args []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer != nil {
		if messages := f.answer(sql); messages != nil {
			for _, m := range messages {
				b.Send(m)
			}
			return
		}
	}
	bare := strings.TrimPrefix(sql, "/*w*/ ")
	switch {
	case strings.HasPrefix(bare, "SELECT COUNT(*)"):
		n := map[string]bool{}
		for _, a := range args {
			if f.rows[a] {
				n[a] = true
			}
		}
		b.Send(fakeRow(fmt.Sprint(len(n))))
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	case strings.HasPrefix(bare, "SELECT"):
		b.Send(fakeRow("~1@%SYS.Python"))
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	case strings.Contains(bare, nowhere):
		if f.swallow != nil && f.swallow(sql) {
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("INSERT 0 1")})
		} else {
			b.Send(fakeError(-30))
		}
	default:
		for i := 0; i < len(args) && f.refuse != nil; i += 3 {
			if code := f.refuse(args[i]); code != 0 {
				b.Send(fakeError(code))
				return
			}
		}
		f.writes = append(f.writes, sql)
		for i := 0; i < len(args); i += 3 { // id, vector, text
			if f.keep == nil || f.keep(len(f.writes), args[i]) {
				f.rows[args[i]] = true
			}
		}
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("UNKNOWN 0")})
	}
}

func openFake(t testing.TB, f *fakeServer, o wire.Options) (*database, *collection) {
	t.Helper()
	o.URL = startFake(t, f)
	e, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	db := e.(*database)
	return db, db.open(newTable(engine.Schema{Name: "docs", Dim: 2}), db.state("vw_docs"))
}

func fakeRecords(n int) (records []engine.Record) {
	for i := range n {
		records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, 2}}})
	}
	return records
}

// TestFakeSwallows has a server that says of every write that it was done.
func TestFakeSwallows(t *testing.T) {
	f := &fakeServer{swallow: func(string) bool { return true }}
	_, c := openFake(t, f, wire.Options{})
	for what, write := range map[string]func() error{
		"Upsert": func() error { return c.Upsert(t.Context(), fakeRecords(3)) },
		"Delete": func() error { _, err := c.Delete(t.Context(), []string{"1"}); return err },
		"DeleteWhere": func() error {
			_, err := c.DeleteWhere(t.Context(), filter.Filter{})
			return err
		},
		"Create": func() error {
			_, err := c.db.Create(t.Context(), engine.Schema{Name: "x", Dim: 2})
			return err
		},
		"Drop": func() error { return c.db.Drop(t.Context(), "docs") },
	} {
		err := write()
		require.ErrorIs(t, err, engine.ErrUnsupported, what)
		require.ErrorContains(t, err, "does not report when a write fails", what)
	}
	require.Empty(t, f.writes, "nothing was sent")
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err, "reading goes on")
	require.Zero(t, n)
}

// TestFakeForms has servers that report errors in one form of a write only.
func TestFakeForms(t *testing.T) {
	for comment, swallows := range map[string]func(string) bool{
		"/*w*/ ": func(sql string) bool { return !strings.HasPrefix(sql, "/*w*/") },
		"":       func(sql string) bool { return strings.HasPrefix(sql, "/*w*/") },
	} {
		f := &fakeServer{swallow: swallows}
		_, c := openFake(t, f, wire.Options{})
		require.NoError(t, c.Upsert(t.Context(), fakeRecords(3)))
		require.NotEmpty(t, f.writes)
		for _, sql := range f.writes {
			require.True(t, strings.HasPrefix(sql, comment+"INSERT"), "%.40s", sql)
		}
	}
	partly := &fakeServer{swallow: func(sql string) bool { return strings.Contains(sql, "DELETE") }}
	_, c := openFake(t, partly, wire.Options{})
	require.ErrorIs(t, c.Upsert(t.Context(), fakeRecords(1)), engine.ErrUnsupported, "each kind of write has to report its errors")
}

// TestFakeDrops has a server that reports errors, and yet does not store all
// that it says it has stored.
func TestFakeDrops(t *testing.T) {
	t.Run("half of a batch, once", func(t *testing.T) {
		f := &fakeServer{keep: func(n int, id string) bool { return n > 1 || id < "~4" }}
		_, c := openFake(t, f, wire.Options{})
		require.NoError(t, c.Upsert(t.Context(), fakeRecords(10)), "what was missing was stored again")
		require.Len(t, f.rows, 10)
	})
	t.Run("some records, always", func(t *testing.T) {
		f := &fakeServer{keep: func(_ int, id string) bool { return id != "~3" && id != "~8" }}
		_, c := openFake(t, f, wire.Options{})
		err := c.Upsert(t.Context(), fakeRecords(12))
		refused, ok := errors.AsType[*engine.RefusedError](err)
		require.True(t, ok, "%v", err)
		var which []int
		for _, r := range refused.Records {
			which = append(which, r.Index)
			require.ErrorIs(t, r.Err, errNotStored)
		}
		require.Equal(t, []int{3, 8}, which)
		require.Equal(t, 10, refused.Stored)
		require.Len(t, f.rows, 10)
	})
}

// TestFakeRefusals has an engine that refuses some records, and statements
// with them.
func TestFakeRefusals(t *testing.T) {
	for _, code := range []int{-104, -108, -259} {
		f := &fakeServer{refuse: func(id string) int { return map[string]int{"~2": code, "~11": code}[id] }}
		_, c := openFake(t, f, wire.Options{})
		err := c.Upsert(t.Context(), fakeRecords(40))
		refused, ok := errors.AsType[*engine.RefusedError](err)
		require.True(t, ok, "%v", err)
		require.Len(t, refused.Records, 2)
		for i, want := range []int{2, 11} {
			require.Equal(t, want, refused.Records[i].Index)
			require.Equal(t, code, sqlcode(refused.Records[i].Err))
		}
		require.Equal(t, 38, refused.Stored)
		require.Len(t, f.rows, 38)
		_, isElement := errors.AsType[*codec.ElementError](refused.Records[0].Err)
		require.Equal(t, code == -259, isElement)
	}
	t.Run("UNION ALL", func(t *testing.T) {
		f := &fakeServer{}
		f.answer = func(sql string) []pgproto3.BackendMessage {
			if strings.Contains(sql, "UNION ALL") {
				return []pgproto3.BackendMessage{fakeError(-1)}
			}
			return nil
		}
		_, c := openFake(t, f, wire.Options{})
		require.NoError(t, c.Upsert(t.Context(), fakeRecords(12)), "one row at a time")
		require.Len(t, f.rows, 12)
	})
	t.Run("trouble of the server's", func(t *testing.T) {
		f := &fakeServer{refuse: func(id string) int { return map[string]int{"~11": -461}[id] }}
		_, c := openFake(t, f, wire.Options{})
		err := c.Upsert(t.Context(), fakeRecords(60))
		_, ok := errors.AsType[*engine.RefusedError](err)
		require.False(t, ok, "is no record's fault")
		require.Equal(t, -461, sqlcode(err))
	})
}

// TestFakeGarbled has answers that end early, or are none.
func TestFakeGarbled(t *testing.T) {
	isCount := func(sql string) bool { return strings.HasPrefix(sql, "SELECT COUNT") }
	count := func(t *testing.T, f *fakeServer) error {
		t.Helper()
		_, c := openFake(t, f, wire.Options{Logger: testenv.Impatient()})
		err := testenv.Soon(t.Context(), func(ctx context.Context) error {
			_, err := c.Count(ctx, filter.Filter{})
			return err
		})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
		return err
	}
	t.Run("a message is cut", func(t *testing.T) {
		f := &fakeServer{raw: func(sql string) []byte {
			if isCount(sql) {
				return []byte{'D', 0, 0, 0, 99, 0, 1}
			}
			return nil
		}}
		_, ok := errors.AsType[*engine.ConnectError](count(t, f))
		require.True(t, ok)
	})
	t.Run("a message is nonsense", func(t *testing.T) {
		f := &fakeServer{raw: func(sql string) []byte {
			if isCount(sql) {
				return []byte{'?', 0, 0, 0, 8, 1, 2, 3, 4}
			}
			return nil
		}}
		_, ok := errors.AsType[*engine.ConnectError](count(t, f))
		require.True(t, ok)
	})
	for what, messages := range map[string][]pgproto3.BackendMessage{
		"no rows":          {&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}},
		"too many columns": {fakeRow("1", "2"), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}},
		"not a number":     {fakeRow("one"), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}},
		"NULL":             {&pgproto3.DataRow{Values: [][]byte{nil}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}},
		"nothing":          {},
		"a row and no end": {fakeRow("1")},
	} {
		t.Run(what, func(t *testing.T) {
			f := &fakeServer{}
			f.answer = func(sql string) []pgproto3.BackendMessage {
				if isCount(sql) {
					return messages
				}
				return nil
			}
			err := count(t, f)
			if len(messages) < 2 && what != "no rows" {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
		})
	}
	t.Run("no deadline of the caller's", func(t *testing.T) {
		f := &fakeServer{}
		f.answer = func(sql string) []pgproto3.BackendMessage {
			if isCount(sql) {
				return []pgproto3.BackendMessage{}
			}
			return nil
		}
		_, c := openFake(t, f, wire.Options{StatementTimeout: 100 * time.Millisecond})
		_, err := c.Count(t.Context(), filter.Filter{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "100ms")
	})
}

// TestErrors maps the engine's numbers.
func TestErrors(t *testing.T) {
	d := dialect{}
	for code, want := range map[int]error{-30: engine.ErrNotFound, -119: engine.ErrExists, -120: engine.ErrExists} {
		pg := &pgconn.PgError{Code: "08000", Message: fakeError(code).Message}
		err := d.Explain(fmt.Errorf("wrapped: %w", pg))
		require.ErrorIs(t, err, want)
		inner, ok := errors.AsType[*pgconn.PgError](err)
		require.True(t, ok, "the raw error stays reachable")
		require.Same(t, pg, inner)
		require.Equal(t, code, sqlcode(err))
	}
	require.NotEqual(t, wire.Never, d.Again(&pgconn.PgError{Message: fakeError(-110).Message}))
	require.Equal(t, wire.Never, d.Again(&pgconn.PgError{Code: "40001", Message: fakeError(-104).Message}))
	require.Zero(t, sqlcode(errors.New("SQLCODE: <-30>")), "only the server's errors have numbers")
	require.Contains(t, d.Remedy(&pgconn.PgError{Message: "Connection pool timeout after 5.0s"}), "PGWIRE_POOL_SIZE")
}
