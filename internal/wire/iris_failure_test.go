package wire

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
)

func openIRIS(t testing.TB, o Options) *iris {
	t.Helper()
	e, err := OpenIRIS(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e.(*iris)
}

func createIRIS(t testing.TB, e *iris, s engine.Schema) *irisCollection {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Drop(context.Background(), s.Name) })
	return c.(*irisCollection)
}

var irisServers = []testenv.IRISOptions{
	{Version: testenv.IRISOldest, Mode: testenv.IRISExternal}, {Version: testenv.IRISLatest, Mode: testenv.IRISDBAPI},
}

// TestIRISFailureKilled kills the server under a load of writes and starts it
// again. What was acknowledged is there, and every call succeeds in the end.
func TestIRISFailureKilled(t *testing.T) {
	for _, kind := range irisServers {
		t.Run(kind.Version+"-"+string(kind.Mode), func(t *testing.T) {
			server := testenv.IRIS(t, kind)
			if server.Real {
				t.Skip("needs a server of its own")
			}
			e := openIRIS(t, Options{URL: server.URL()})
			c := createIRIS(t, e, engine.Schema{Name: "load", Dim: 8, Fields: bucketSchema})
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
						if err := c.Upsert(t.Context(), randomRecords(fmt.Sprintf("w%d-%d-", w, b), size, 8, codec.FLOAT)); err != nil {
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
			require.Len(t, ids(t, c), writers*batches*size)
		})
	}
}

// TestIRISFailureAway has the server stay away: errors are typed, come within
// the deadline, say what to do and keep the password.
func TestIRISFailureAway(t *testing.T) {
	server := testenv.IRIS(t, irisServers[0])
	if server.Real {
		t.Skip("needs a server of its own")
	}
	e := openIRIS(t, Options{URL: server.URL()})
	c, err := e.Create(t.Context(), engine.Schema{Name: "away", Dim: 2})
	require.NoError(t, err)
	server.Kill(t)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		err := c.Upsert(ctx, fakeRecords(3))
		connect, ok := errors.AsType[*engine.ConnectError](err)
		require.True(t, ok, "%v", err)
		require.NotEmpty(t, connect.Remedy)
		require.NotContains(t, err.Error(), "SYS@")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = OpenIRIS(ctx, Options{URL: server.URL()})
	_, ok := errors.AsType[*engine.ConnectError](err)
	require.True(t, ok, "%v", err)
}

// TestIRISFailureBusy has slow queries on all of the server's ten threads.
func TestIRISFailureBusy(t *testing.T) {
	server := testenv.IRIS(t, irisServers[0])
	if server.Real {
		t.Skip("needs the stand-in's slow query")
	}
	e := openIRIS(t, Options{URL: server.URL()})
	c := createIRIS(t, e, engine.Schema{Name: "busy", Dim: 2})
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

// TestIRISFailureCut cuts connections everywhere in what goes to the server and
// what comes back.
func TestIRISFailureCut(t *testing.T) {
	server := testenv.IRIS(t, irisServers[0])
	if server.Real {
		t.Skip("needs a server of its own")
	}
	e := openIRIS(t, Options{URL: server.URL()})
	at := e.pool.Config().ConnConfig
	proxy := testenv.Proxy(t, fmt.Sprintf("%s:%d", at.Host, at.Port))
	e = openIRIS(t, Options{URL: proxy.URL(t, server.URL()), MaxConns: 2})
	c := createIRIS(t, e, engine.Schema{Name: "cut", Dim: 8, Fields: bucketSchema})
	total := 0
	for i, bytes := range []int64{0, 20, 300, 2_000, 9_000, 30_000} {
		for _, d := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
			records := randomRecords(fmt.Sprintf("r%d-%d-", i, d), 120, 8, codec.FLOAT)
			proxy.CutAfter(d, min(bytes, 500))
			require.NoError(t, c.Upsert(t.Context(), records), "cut after %d bytes", bytes)
			total += len(records)
		}
	}
	require.Len(t, ids(t, c), total)
}
