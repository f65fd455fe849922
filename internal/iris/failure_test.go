package iris

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

func openServer(t testing.TB, o wire.Options) *database {
	t.Helper()
	e, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e.(*database)
}

func create(t testing.TB, e *database, s engine.Schema) *collection {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Drop(context.Background(), s.Name) })
	return c.(*collection)
}

var servers = []testenv.IRISOptions{
	{Version: testenv.IRISOldest, Mode: testenv.IRISExternal}, {Version: testenv.IRISLatest, Mode: testenv.IRISDBAPI},
}

// TestFailureKilled kills the server under a load of writes and starts it
// again. What was acknowledged is there, and every call succeeds in the end.
func TestFailureKilled(t *testing.T) {
	for _, kind := range servers {
		t.Run(kind.Version+"-"+string(kind.Mode), func(t *testing.T) {
			server := testenv.IRIS(t, kind)
			if server.Real {
				t.Skip("needs a server of its own")
			}
			e := openServer(t, wire.Options{URL: server.URL()})
			c := create(t, e, engine.Schema{Name: "load", Dim: 8, Fields: wiretest.Buckets})
			const writers, batches, size = 2, 12, 60
			var written atomic.Int64
			killed := make(chan struct{})
			var load errgroup.Group
			for w := range writers {
				load.Go(func() error {
					for b := range batches {
						if b == batches-2 { // so that some are left for the time after
							<-killed
						}
						if err := c.Upsert(t.Context(), wiretest.Records(fmt.Sprintf("w%d-%d-", w, b), size, 8, codec.FLOAT)); err != nil {
							return fmt.Errorf("writer %d, batch %d: %w", w, b, err)
						}
						written.Add(size)
					}
					return nil
				})
			}
			require.Eventually(t, func() bool { return written.Load() >= writers*size }, time.Minute, time.Millisecond)
			server.Kill(t)
			close(killed)
			server.Start(t)
			require.NoError(t, load.Wait())
			require.Len(t, wiretest.IDs(t, c), writers*batches*size)
		})
	}
}

// TestFailureAway has the server stay away: errors are typed, come as
// soon as the caller gives up, say what to do and keep the password.
func TestFailureAway(t *testing.T) {
	server := testenv.IRIS(t, servers[0])
	if server.Real {
		t.Skip("needs a server of its own")
	}
	e := openServer(t, wire.Options{URL: server.URL(), Logger: testenv.Impatient()})
	c, err := e.Create(t.Context(), engine.Schema{Name: "away", Dim: 2})
	require.NoError(t, err)
	server.Kill(t)
	for range 3 {
		err := testenv.Soon(t.Context(), func(ctx context.Context) error { return c.Upsert(ctx, fakeRecords(3)) })
		connect, ok := errors.AsType[*engine.ConnectError](err)
		require.True(t, ok, "%v", err)
		require.NotEmpty(t, connect.Remedy)
		require.NotContains(t, err.Error(), "SYS@")
	}
	err = testenv.Soon(t.Context(), func(ctx context.Context) error {
		_, err := Open(ctx, wire.Options{URL: server.URL(), Logger: testenv.Impatient()})
		return err
	})
	_, ok := errors.AsType[*engine.ConnectError](err)
	require.True(t, ok, "%v", err)
}

// TestFailureBusy has slow queries on all of the server's ten threads.
func TestFailureBusy(t *testing.T) {
	server := testenv.IRIS(t, servers[0])
	if server.Real {
		t.Skip("needs the stand-in's slow query")
	}
	e := openServer(t, wire.Options{URL: server.URL()})
	c := create(t, e, engine.Schema{Name: "busy", Dim: 2})
	require.NoError(t, c.Upsert(t.Context(), fakeRecords(3)))
	var slow errgroup.Group
	for range 10 {
		conn, err := pgx.Connect(t.Context(), server.PostgresURL())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		slow.Go(func() error {
			_, err := conn.Exec(t.Context(), "SELECT IRISFAKE_SLEEP(2) AS x")
			return err
		})
	}
	require.Eventually(t, func() bool { // until the server has no thread left
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Count(ctx, filter.Filter{})
		require.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
		return err != nil
	}, time.Minute, time.Millisecond)
	require.NoError(t, slow.Wait())
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err, "the pool has recovered")
	require.Equal(t, 3, n)
}

// TestFailureCut cuts connections everywhere in what goes to the server and
// what comes back.
func TestFailureCut(t *testing.T) {
	server := testenv.IRIS(t, servers[0])
	if server.Real {
		t.Skip("needs a server of its own")
	}
	e := openServer(t, wire.Options{URL: server.URL()})
	at := e.Pool.Config().ConnConfig
	proxy := testenv.Proxy(t, fmt.Sprintf("%s:%d", at.Host, at.Port))
	e = openServer(t, wire.Options{URL: proxy.URL(t, server.URL()), MaxConns: 2})
	c := create(t, e, engine.Schema{Name: "cut", Dim: 8, Fields: wiretest.Buckets})
	total := 0
	for i, bytes := range []int64{0, 20, 300, 2_000, 9_000, 30_000} {
		for _, d := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
			records := wiretest.Records(fmt.Sprintf("r%d-%d-", i, d), 120, 8, codec.FLOAT)
			proxy.CutAfter(d, min(bytes, 500))
			require.NoError(t, c.Upsert(t.Context(), records), "cut after %d bytes", bytes)
			total += len(records)
		}
	}
	require.Len(t, wiretest.IDs(t, c), total)
}
