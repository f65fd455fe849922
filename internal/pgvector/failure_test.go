package pgvector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// durable makes a test's server keep what it acknowledged through a crash.
var durable = testenv.Settings{"synchronous_commit": "on"}

// proxied opens a database through a proxy.
func proxied(t testing.TB, o wire.Options) (*database, *testenv.TCPProxy) {
	t.Helper()
	return proxiedTo(t, testenv.Postgres(t), o)
}

// proxiedTo opens a database that is there through a proxy.
func proxiedTo(t testing.TB, target string, o wire.Options) (*database, *testenv.TCPProxy) {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	proxy := testenv.Proxy(t, u.Host)
	o.URL = proxy.URL(t, target)
	return openDatabase(t, o), proxy
}

// TestFailureRestart stops or kills the server under a load of writes and
// queries and starts it again. Every call must succeed, since all can be retried.
func TestFailureRestart(t *testing.T) {
	for _, how := range []string{"stop", "kill"} {
		t.Run(how, func(t *testing.T) {
			server := testenv.StartPostgres(t, durable)
			e := openDatabase(t, wire.Options{URL: server.CreateDatabase(t), MaxConns: 6})
			c := create(t, e, engine.Schema{Name: "load", Dim: 8, Fields: wiretest.Buckets})
			const writers, batches, size = 3, 60, 20
			var written atomic.Int64
			var searched atomic.Int64
			stopped := make(chan struct{})
			var load errgroup.Group
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for w := range writers {
				load.Go(func() error {
					for b := range batches {
						if b == batches/2 { // the second half begins when the server has gone
							<-stopped
						}
						store := c.Upsert
						if b%2 == 1 {
							store = c.Insert
						}
						if err := store(ctx, wiretest.Records(fmt.Sprintf("w%d-%d-", w, b), size, 8, codec.FLOAT)); err != nil {
							return fmt.Errorf("writer %d, batch %d: %w", w, b, err)
						}
						written.Add(size)
					}
					return nil
				})
			}
			queries, stopQueries := context.WithCancel(ctx)
			defer stopQueries()
			for range 2 {
				load.Go(func() error {
					for queries.Err() == nil {
						s := engine.Search{Vector: engine.Vector{F32: []float32{1, 2, 3, 4, 5, 6, 7, 8}}, K: 3, Payload: true}
						if _, err := c.Search(ctx, []engine.Search{s}); err != nil {
							return fmt.Errorf("query: %w", err)
						}
						searched.Add(1)
					}
					return nil
				})
			}
			require.Eventually(t, func() bool { return written.Load() > writers*batches*size/4 }, time.Minute, time.Millisecond)
			if how == "kill" {
				server.Kill(t)
			} else {
				server.Stop(t)
			}
			close(stopped)
			before := searched.Load()
			server.Start(t)
			require.Eventually(t, func() bool { return written.Load() == writers*batches*size && searched.Load() > before }, time.Minute, time.Millisecond)
			stopQueries()
			require.NoError(t, load.Wait())
			require.Equal(t, writers*batches*size, len(wiretest.IDs(t, c)))
		})
	}
}

// TestFailureStopped has the server stay away.
func TestFailureStopped(t *testing.T) {
	server := testenv.StartPostgres(t, durable)
	e := openDatabase(t, wire.Options{URL: server.CreateDatabase(t)})
	c := create(t, e, engine.Schema{Name: "away", Dim: 2})
	server.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := c.Upsert(ctx, []engine.Record{{ID: "1", Vector: engine.Vector{F32: []float32{1, 2}}}})
	connect, ok := errors.AsType[*engine.ConnectError](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, connect.Remedy)
}

// TestFailureCut cuts connections in the middle of a COPY.
func TestFailureCut(t *testing.T) {
	e, proxy := proxied(t, wire.Options{MaxConns: 2})
	c := create(t, e, engine.Schema{Name: "cut", Dim: 32, Fields: wiretest.Buckets})
	const n = 8_000 // about 1.4 MB
	for i, at := range []int64{0, 100, 1_000, 70_000, 700_000, 1_200_000} {
		records := wiretest.Records(fmt.Sprintf("u%d-", i), n, 32, codec.FLOAT)
		proxy.CutAfter(testenv.ToServer, at)
		require.NoError(t, c.Upsert(t.Context(), records), "cut at %d", at)
		records = wiretest.Records(fmt.Sprintf("i%d-", i), n, 32, codec.FLOAT)
		proxy.CutAfter(testenv.ToServer, at)
		require.NoError(t, c.Insert(t.Context(), records), "cut at %d", at)
		got, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 2*n*(i+1), got)
	}
}

// TestFailureAnswerLost cuts connections at every place of what the
// server answers to an Insert, also where it has committed and the client does
// not know: neither may the records be missing, nor may they stand in their own way.
func TestFailureAnswerLost(t *testing.T) {
	e, proxy := proxied(t, wire.Options{MaxConns: 1})
	c := create(t, e, engine.Schema{Name: "lost", Dim: 2, Fields: wiretest.Buckets})
	total, step := 0, int64(7)
	for at := int64(0); at < 420; at += step {
		records := wiretest.Records(fmt.Sprintf("r%d-", at), 3, 2, codec.FLOAT)
		proxy.CutAfter(testenv.ToClient, at)
		require.NoError(t, c.Insert(t.Context(), records), "cut at %d", at)
		total += len(records)
		n, err := c.Delete(t.Context(), []string{records[0].ID})
		require.NoError(t, err)
		if n == 1 { // 0 if the answer to the first try of the Delete was lost
			require.NoError(t, c.Upsert(t.Context(), records[:1]))
		} else {
			require.NoError(t, c.Insert(t.Context(), records[:1]))
		}
	}
	require.Equal(t, total, len(wiretest.IDs(t, c)))
}

func TestFailurePoolExhausted(t *testing.T) {
	e := openDatabase(t, wire.Options{MaxConns: 1})
	c := create(t, e, engine.Schema{Name: "busy", Dim: 2})
	require.NoError(t, e.Tx(t.Context(), func(context.Context) error {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Count(ctx, filter.Filter{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "all 1 connections")
		err = c.Upsert(ctx, []engine.Record{{ID: "1", Vector: engine.Vector{F32: []float32{1, 2}}}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return nil
	}))
	_, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
}

// TestFailureContention has many write the same records in different
// orders, in transactions that others must wait for.
func TestFailureContention(t *testing.T) {
	e := openDatabase(t, wire.Options{MaxConns: 8})
	c := create(t, e, engine.Schema{Name: "contended", Dim: 2, Fields: wiretest.Buckets})
	records := wiretest.Records("r", 200, 2, codec.FLOAT)
	require.NoError(t, c.Insert(t.Context(), records))
	group, ctx := errgroup.WithContext(t.Context())
	for w := range 8 {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(uint64(w), 0))
			for range 30 {
				mine := append([]engine.Record(nil), records...)
				random.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				if w%4 == 0 { // deletes lock in the order in which they find rows
					if _, err := c.Delete(ctx, []string{mine[0].ID, mine[1].ID, mine[2].ID}); err != nil {
						return err
					}
				}
				if err := c.Upsert(ctx, mine[:150]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.NoError(t, c.Upsert(t.Context(), records))
	require.Equal(t, len(records), len(wiretest.IDs(t, c)))
}

// TestSharing has searches and writes at the same time on a small pool:
// neither may wait for the other to end.
func TestSharing(t *testing.T) {
	e := openDatabase(t, wire.Options{MaxConns: 2})
	c := create(t, e, engine.Schema{Name: "shared", Dim: 2, Fields: wiretest.Buckets})
	require.NoError(t, c.Insert(t.Context(), wiretest.Records("r", 100, 2, codec.FLOAT)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	search := engine.Search{Vector: engine.Vector{F32: []float32{1, 2}}, K: 3}
	var load errgroup.Group
	for i := range 20 {
		load.Go(func() error {
			for n := 0; ctx.Err() == nil; n++ {
				if i%2 == 0 {
					if _, err := c.Search(ctx, []engine.Search{search, search, search, search}); err != nil && ctx.Err() == nil {
						return err
					}
				} else if err := c.Upsert(ctx, wiretest.Records(fmt.Sprintf("x%d-", i), 50, 2, codec.FLOAT)); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	for range 30 {
		_, err := c.Search(t.Context(), []engine.Search{search, search, search})
		require.NoError(t, err)
		require.NoError(t, c.Upsert(t.Context(), wiretest.Records("y", 10, 2, codec.FLOAT)))
	}
	cancel()
	require.NoError(t, load.Wait())
}

// TestRetry runs operations that fail in every way.
func TestRetry(t *testing.T) {
	s := &wire.Server{Dialect: &dialect{}}
	s.Log = slog.New(slog.DiscardHandler)
	for _, test := range []struct {
		name  string
		err   error
		again bool
	}{
		{"deadlock", &pgconn.PgError{Code: "40P01"}, true},
		{"serialization", &pgconn.PgError{Code: "40001"}, true},
		{"shutdown", &pgconn.PgError{Code: "57P01"}, true},
		{"plan", &pgconn.PgError{Code: "0A000", Routine: "RevalidateCachedQuery"}, true},
		{"lost", wire.LostError{Err: errors.New("broken pipe")}, true},
		{"unique", &pgconn.PgError{Code: "23505"}, false},
		{"check", &pgconn.PgError{Code: "23514"}, false},
		{"not null", &pgconn.PgError{Code: "23502"}, false},
		{"unsupported", &pgconn.PgError{Code: "0A000"}, false},
		{"lost with an answer", wire.LostError{Err: &pgconn.PgError{Code: "23505"}}, false},
		{"own", errors.New("own"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			err := s.Retry(t.Context(), 0, func() error {
				if calls++; calls < 3 {
					return fmt.Errorf("wrapped: %w", test.err)
				}
				return nil
			})
			if test.again {
				require.NoError(t, err)
				require.Equal(t, 3, calls)
			} else {
				require.ErrorIs(t, err, test.err)
				require.Equal(t, 1, calls)
			}
		})
	}
}
