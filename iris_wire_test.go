package vecwire_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// wiretap stands before a server and notes every statement that clients send.
type wiretap struct {
	mu       sync.Mutex
	simple   map[string]bool // statements of the simple protocol
	extended map[string]bool // and of the extended one
	odd      []string        // anything that could not be read
}

// tap returns a server's URL through a wiretap.
func tap(t testing.TB, target string) (string, *wiretap) {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wiretap{simple: map[string]bool{}, extended: map[string]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.carry(client, server) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	u.Host = listener.Addr().String()
	return u.String(), w
}

func (w *wiretap) carry(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	var halves sync.WaitGroup
	read, write := io.Pipe()
	halves.Go(func() {
		defer read.Close()
		w.listen(pgproto3.NewBackend(read, io.Discard))
	})
	halves.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_, _ = io.Copy(server, io.TeeReader(client, write))
	_ = write.Close()
	_ = server.Close()
	halves.Wait()
}

func (w *wiretap) listen(b *pgproto3.Backend) {
	note := func(f func()) {
		w.mu.Lock()
		defer w.mu.Unlock()
		f()
	}
	fail := func(err error) {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			note(func() { w.odd = append(w.odd, err.Error()) })
		}
	}
	for begun := false; !begun; {
		msg, err := b.ReceiveStartupMessage()
		if err != nil {
			fail(err)
			return
		}
		_, begun = msg.(*pgproto3.StartupMessage)
		if _, cancels := msg.(*pgproto3.CancelRequest); cancels {
			return
		}
	}
	for {
		msg, err := b.Receive()
		if err != nil {
			fail(err)
			return
		}
		switch msg := msg.(type) {
		case *pgproto3.Query:
			note(func() { w.simple[msg.String] = true })
		case *pgproto3.Parse:
			note(func() { w.extended[msg.Query] = true })
		case *pgproto3.Bind, *pgproto3.Execute, *pgproto3.Sync, *pgproto3.Describe, *pgproto3.Terminate:
		default:
			note(func() { w.odd = append(w.odd, "an unexpected message") })
		}
	}
}

var (
	// irisSimple is all that may be sent in the simple protocol: names and numbers.
	irisSimple = regexp.MustCompile(`^(SELECT 1|` +
		`CREATE TABLE (IF NOT EXISTS vecwire_(collections|proof)|vwx?_[a-z0-9_]+) \([a-z0-9_]+ VARCHAR\(\d+\)[A-Za-z0-9_,%() ]*\)|` +
		`DROP TABLE IF EXISTS vwx?_[a-z0-9_]+|` +
		`CREATE INDEX vwx?_[a-z0-9_]+ ON vwx?_[a-z0-9_]+ \([a-z0-9_]+\)( AS HNSW(\(Distance='(Cosine|DotProduct)'(, M=\d+, efConstruction=\d+)?\))?)?|` +
		`DROP INDEX vwx?_[a-z0-9_]+ ON vwx?_[a-z0-9_]+|BEGIN|COMMIT|ROLLBACK|DROP TABLE IF EXISTS vecwire_proof)$`)
	// irisLiterals are the only literals that statements have.
	irisLiterals = regexp.MustCompile(`'(~|~~|@%|@~%|\||~!|!|~1@%SYS\.Python)'`)
	irisText     = regexp.MustCompile(`^[A-Za-z0-9_$.,%()*/<>=|\[+ ]*$`)
)

// expect checks that no statement holds anything but names, numbers and the
// package's own literals.
func (w *wiretap) expect(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(t, w.odd)
	require.NotEmpty(t, w.simple)
	for sql := range w.simple {
		require.Regexp(t, irisSimple, sql, "in the simple protocol")
	}
	require.NotEmpty(t, w.extended)
	for sql := range w.extended {
		require.Regexp(t, irisText, irisLiterals.ReplaceAllString(sql, ""), "%.300s", sql)
	}
}

// injections are texts that end a literal, a statement or an argument for
// something between the client and a table.
var injections = []string{
	"x ; DELETE FROM victim ; y", "'; DELETE FROM victim; --", "x'; DROP TABLE victim; --", "1,2,3]') DELETE FROM victim -- ]", "[1,2,3]; DELETE FROM victim -- ]",
	"[1,2,3', FLOAT)) AS s FROM victim -- ]", "1,2,3", "[1,2,3]", "$1", "$2 $1", "?", "? ? ?", "a?b", "'::int", "x'::int", "version()", "SELECT version()",
	"current_database()", "set_config('a','b',false)", "current_setting('x')", "pg_catalog.pg_type", "RETURNING id", "ON CONFLICT DO NOTHING", "INFORMATION_SCHEMA.TABLES",
	"/*w*/", "--", "/* ", "*/", "007", "1e5", "1E5", "1_000", " 12 ", "+5", "-0", "٣", "1e999", "0x10", "NaN", "Infinity", "true", "NULL", "null",
	"2024-01-15T10:00:00Z", "2024-01-15 10:00:00+02:00", "2024-01-15", "1000000000000000", "12345678901234567890", "5@%SYS.Python", "@%", "~", "~~", "@~%", "~@%~", "|", "~|!",
	"%", "_", "!", "!%", "\\", "a\\'b", "{fn NOW()}", "{1,2}", "&sql(x)", "##class(%SYS)", "^global", "\n", "\r\n;\r\n", "\t", "\"", "``", "COMMIT", "BEGIN", ";", ";;", "a  b   c",
}

// TestIRISInjection stores texts that could do harm, filters by them and reads
// them back, on every path, beside a table that must not be touched.
func TestIRISInjection(t *testing.T) {
	eachIRIS(t, func(t *testing.T, server *testenv.IRISServer, _ *vecwire.DB) {
		ctx, conn := t.Context(), bareIRIS(t, server)
		for _, sql := range []string{
			"DROP TABLE IF EXISTS victim", "CREATE TABLE victim (id VARCHAR(10) NOT NULL PRIMARY KEY)", "INSERT INTO victim (id) VALUES ('unharmed')",
		} {
			_, err := conn.Exec(ctx, sql)
			require.NoError(t, err)
		}
		target, tapped := tap(t, server.URL())
		db := openIRIS(t, target)
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "injected", Dim: 2, Model: injections[0], Fields: []vecwire.Field{
			{Name: "s"}, {Name: "returning_pg_version"}, {Name: "y", Type: vecwire.Bytes},
		}})
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, db.DropCollection(context.Background(), "injected"))
			_, err := conn.Exec(context.Background(), "DROP TABLE victim")
			require.NoError(t, err)
		})
		record := func(i int) vecwire.Record {
			x := injections[i]
			return vecwire.Record{ID: x, Text: x, Vector: []float32{1, float32(i)}, Fields: vecwire.Fields{"s": x, "returning_pg_version": x, "y": []byte(x)}}
		}
		var all []vecwire.Record
		for i := range injections {
			all = append(all, record(i))
		}
		same := func(want vecwire.Record, got []vecwire.Record) {
			t.Helper()
			require.Len(t, got, 1, "%q", want.ID)
			require.Equal(t, want, got[0])
		}
		require.NoError(t, c.Upsert(ctx, all...), "in batches")
		for i, x := range injections {
			if i%4 == 0 {
				require.NoError(t, c.Upsert(ctx, all[i]), "alone: %q", x)
			}
			got, err := c.Get(ctx, x)
			require.NoError(t, err)
			same(all[i], got)
		}
		got, err := c.Get(ctx, injections...)
		require.NoError(t, err)
		require.Equal(t, all, got)

		for i, x := range injections {
			f := []filter.Filter{
				filter.Eq("s", x), filter.In("returning_pg_version", x, "no such"), filter.And(filter.Ge("s", x), filter.Le("s", x)),
				filter.And(filter.Prefix("s", x), filter.Eq("id", x)), filter.And(filter.Contains("s", x), filter.Eq("y", []byte(x))), filter.Between("id", x, x),
			}[i%6]
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 2}, Filter: f, Vectors: true})
			require.NoError(t, err, "%s", f)
			require.Len(t, hits, 1, "%s", f)
			require.Equal(t, all[i], hits[0].Record)
		}
		sorted := slices.SortedFunc(slices.Values(all), func(a, b vecwire.Record) int { return strings.Compare(a.ID, b.ID) })
		for i, r := range sorted {
			if i%5 > 0 {
				continue
			}
			for next, err := range c.All(ctx, vecwire.Scan{After: r.ID, Vectors: true}) {
				require.NoError(t, err)
				require.Equal(t, sorted[i+1], next, "after %q", r.ID)
				break
			}
		}
		long := filter.In("s", append(slices.Repeat([]string{"no such"}, 60), injections...)...)
		n, err := c.Count(ctx, filter.And(long, filter.Not(filter.IsNull("s"))))
		require.NoError(t, err)
		require.Equal(t, len(injections), n)

		seen := map[string]bool{} // what other programs see
		rows, err := conn.Query(ctx, "SELECT id FROM vw_injected")
		require.NoError(t, err)
		for rows.Next() {
			seen[string(rows.RawValues()[0])] = true
		}
		require.NoError(t, rows.Err())
		require.True(t, seen["007"] && seen["1e5"] && !seen["~007"] && !seen["7"], "data at rest is clean: %v", slices.Collect(maps.Keys(seen)))

		for i, x := range injections {
			if i%2 == 0 {
				n, err := c.Delete(ctx, x)
				require.NoError(t, err)
				require.Equal(t, 1, n, "%q", x)
				continue
			}
			n, err := c.DeleteWhere(ctx, filter.Eq("s", x))
			require.NoError(t, err)
			require.Equal(t, 1, n, "%q", x)
		}
		n, err = c.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Zero(t, n)
		var victims string
		require.NoError(t, conn.QueryRow(ctx, "SELECT id FROM victim").Scan(&victims))
		require.Equal(t, "unharmed", victims)
		tapped.expect(t)
	})
}
