package pgvector

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// onReconnect calls a function, once, when a client connects again.
type onReconnect struct{ f atomic.Pointer[func()] }

func (o *onReconnect) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	if f := o.f.Swap(nil); f != nil {
		(*f)()
	}
	return ctx
}

func (o *onReconnect) TraceConnectEnd(context.Context, pgx.TraceConnectEndData) {}

func (o *onReconnect) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (o *onReconnect) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func bucketRecord(id string, n int64) engine.Record {
	return engine.Record{ID: id, Vector: engine.Vector{F32: []float32{1, 2}}, Fields: []any{n}}
}

// bucketOf returns what a record holds, -1 if there is none.
func bucketOf(t testing.TB, c engine.Collection, id string) int64 {
	t.Helper()
	got, err := c.Get(context.Background(), []string{id}, false)
	require.NoError(t, err)
	if len(got) == 0 {
		return -1
	}
	return got[0].Fields[0].(int64)
}

// TestCommitLost cuts the connection of a client everywhere in what each verb says
// and hears. Before the client connects again another one looks: if it sees that
// the verb was done it changes the record once more, which is acknowledged and has
// to stay. Every verb succeeds, and every count is the right one.
func TestCommitLost(t *testing.T) {
	target := testenv.Postgres(t)
	beside := openDatabase(t, wire.Options{URL: target})
	other := create(t, beside, engine.Schema{Name: "cuts", Dim: 2, Fields: wiretest.Buckets})

	const absent, before, after, others = -1, 10, 20, 30
	for _, verb := range []struct {
		name          string
		before, after int64 // what the record holds
		run           func(t *testing.T, e *database, c *collection)
	}{
		{"Upsert", before, after, func(t *testing.T, _ *database, c *collection) {
			require.NoError(t, c.Upsert(t.Context(), []engine.Record{bucketRecord("x", after)}))
		}},
		{"Insert", absent, after, func(t *testing.T, _ *database, c *collection) {
			require.NoError(t, c.Insert(t.Context(), []engine.Record{bucketRecord("x", after)}))
		}},
		{"Merge", before, after, func(t *testing.T, _ *database, c *collection) {
			inserted, updated, err := c.Merge(t.Context(), []engine.Record{bucketRecord("same", 1), bucketRecord("x", after)})
			require.NoError(t, err)
			require.Equal(t, [2]int{0, 1}, [2]int{inserted, updated})
		}},
		{"Delete", before, absent, func(t *testing.T, _ *database, c *collection) {
			n, err := c.Delete(t.Context(), []string{"x", "none"})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}},
		{"DeleteWhere", before, absent, func(t *testing.T, _ *database, c *collection) {
			n, err := c.DeleteWhere(t.Context(), filter.Eq("bucket", int64(before)))
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}},
		{"Tx", before, after, func(t *testing.T, e *database, c *collection) {
			require.NoError(t, e.Tx(t.Context(), func(ctx context.Context) error {
				got, err := c.Get(ctx, []string{"x"}, false)
				if err != nil {
					return err
				}
				return c.Upsert(ctx, []engine.Record{bucketRecord("x", got[0].Fields[0].(int64)+after-before)})
			}))
		}},
	} {
		t.Run(verb.name, func(t *testing.T) {
			hook := &onReconnect{}
			e, proxy := proxiedTo(t, target, wire.Options{MaxConns: 1, Tracer: hook})
			opened, err := e.Open(t.Context(), "cuts")
			require.NoError(t, err)
			c := opened.(*collection)
			set := func(n int64) {
				if n == absent {
					_, err := other.Delete(context.Background(), []string{"x"})
					require.NoError(t, err)
					return
				}
				require.NoError(t, other.Upsert(context.Background(), []engine.Record{bucketRecord("x", n)}))
			}
			require.NoError(t, other.Upsert(t.Context(), []engine.Record{bucketRecord("same", 1)}))
			set(verb.before)
			verb.run(t, e, c) // prepares what is prepared

			step := int64(3)
			if testing.Short() {
				step = 9
			}
			for _, direction := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
				done := 0
				for at, cut := int64(0), true; cut; at += step {
					set(verb.before)
					want := verb.after
					look := func() {
						if bucketOf(t, other, "x") == verb.after {
							done++
							want = others
							set(others)
						}
					}
					hook.f.Store(&look)
					proxy.CutAfter(direction, at)
					verb.run(t, e, c)
					cut = hook.f.Swap(nil) == nil
					require.Equal(t, want, bucketOf(t, other, "x"), "cut at %d, direction %d", at, direction)
				}
				proxy.CutAfter(direction, -1)
				if direction == testenv.ToClient {
					require.Positive(t, done, "no cut was after the commit")
				}
			}
		})
	}
}

// TestCommitLostDefinitions is the same for the verbs that make and remove.
func TestCommitLostDefinitions(t *testing.T) {
	hook := &onReconnect{}
	e, proxy := proxiedTo(t, testenv.Postgres(t), wire.Options{MaxConns: 1, Tracer: hook})
	schema := engine.Schema{Name: "made", Dim: 2, Fields: wiretest.Buckets}
	step := int64(61)
	if testing.Short() {
		step = 301
	}
	swap := engine.Swap{Name: "made", Next: "next", Old: "old", Settle: func(ctx context.Context, old, next engine.Collection) error {
		return next.Upsert(ctx, []engine.Record{bucketRecord("settled", 1)})
	}}
	for _, direction := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
		for at, cut := int64(0), true; cut; at += step {
			cut = false
			attempt := func(what string, f func() error) {
				t.Helper()
				noted := func() {}
				hook.f.Store(&noted)
				proxy.CutAfter(direction, at)
				require.NoError(t, f(), "%s, cut at %d, direction %d", what, at, direction)
				cut = hook.f.Swap(nil) == nil || cut
				proxy.CutAfter(direction, -1)
			}
			attempt("Create", func() error { _, err := e.Create(t.Context(), schema); return err })
			_, err := e.Create(t.Context(), engine.Schema{Name: "next", Dim: 2, Fields: wiretest.Buckets})
			require.NoError(t, err)
			attempt("Swap", func() error { return e.Swap(t.Context(), swap) })
			opened, err := e.Open(t.Context(), "made")
			require.NoError(t, err)
			require.Equal(t, int64(1), bucketOf(t, opened, "settled"))
			attempt("Drop", func() error { return e.Drop(t.Context(), "made") })
			require.NoError(t, e.Drop(t.Context(), "old"))
		}
	}
}

// TestCommitUnknown has the server gone when it could be asked.
func TestCommitUnknown(t *testing.T) {
	e, proxy := proxied(t, wire.Options{MaxConns: 1})
	c := create(t, e, engine.Schema{Name: "unknown", Dim: 2, Fields: wiretest.Buckets})
	records := []engine.Record{bucketRecord("x", 1)}
	require.NoError(t, c.Upsert(t.Context(), records))
	outcomes := map[string]int{}
	for at := int64(0); at < 400; at += 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		proxy.CutAfter(testenv.ToClient, at)
		proxy.Refuse() // to connect again
		err := c.Upsert(ctx, records)
		cancel()
		require.NoError(t, proxy.Accept())
		proxy.CutAfter(testenv.ToClient, -1)
		outcomes[fmt.Sprint(err == nil, errors.Is(err, engine.ErrOutcomeUnknown))]++
		require.NoError(t, c.Upsert(t.Context(), records), "the pool has recovered")
	}
	require.Positive(t, outcomes["false true"], "%v", outcomes)
	require.Positive(t, outcomes["false false"], "before COMMIT is sent, nothing is unknown: %v", outcomes)
	require.Zero(t, outcomes["true true"])
}

// TestCommitLostIndex cuts the connections of a client that builds an index, the
// first one and such as take the place of another.
func TestCommitLostIndex(t *testing.T) {
	hook := &onReconnect{}
	e, proxy := proxiedTo(t, testenv.Postgres(t), wire.Options{MaxConns: 2, Tracer: hook})
	c := create(t, e, engine.Schema{Name: "indexed", Dim: 8, Fields: wiretest.Buckets})
	require.NoError(t, c.Insert(t.Context(), wiretest.Records("r", 2_000, 8, codec.FLOAT)))
	m, step := 4, int64(150)
	if testing.Short() {
		step = 700
	}
	for _, direction := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
		for at := int64(0); at < 3_500; at += step {
			proxy.CutAfter(direction, at)
			m = 9 - m
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: m, EfConstruction: 10}), "cut at %d, direction %d", at, direction)
			proxy.CutAfter(direction, -1)
			found, err := c.Indexes(t.Context())
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.True(t, found[0].Valid)
			require.Equal(t, m, found[0].M)
		}
	}
}

// TestTxLost has the server gone in the middle of a transaction.
func TestTxLost(t *testing.T) {
	e, proxy := proxied(t, wire.Options{MaxConns: 1})
	c := create(t, e, engine.Schema{Name: "gone", Dim: 2, Fields: wiretest.Buckets})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	runs := 0
	err := e.Tx(ctx, func(ctx context.Context) error {
		if runs++; runs == 1 {
			if err := c.Upsert(ctx, []engine.Record{bucketRecord("x", 1)}); err != nil {
				return err
			}
			proxy.Refuse()
			proxy.Cut()
		}
		return c.Upsert(ctx, []engine.Record{bucketRecord("y", 1)})
	})
	var connect *engine.ConnectError
	require.ErrorAs(t, err, &connect)
	require.NotErrorIs(t, err, engine.ErrOutcomeUnknown, "nothing was to be committed")
	require.NoError(t, proxy.Accept())
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
	own := errors.New("own")
	require.Equal(t, own, e.Tx(t.Context(), func(context.Context) error { return own }), "what f returns is passed on as it is")
}
