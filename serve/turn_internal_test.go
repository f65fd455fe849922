package serve

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTurnsGoByTime(t *testing.T) {
	var all turns
	var waiting []*turn
	for _, since := range rand.New(rand.NewPCG(1, 1)).Perm(500) {
		x := &turn{since: time.Duration(since / 2), begin: make(chan struct{}, 1)}
		all.push(x)
		waiting = append(waiting, x)
	}
	slices.SortStableFunc(waiting, func(a, b *turn) int { return int(a.since - b.since) })
	for i, first := range waiting {
		all.next()
		require.True(t, all.passing)
		at := slices.IndexFunc(waiting, func(x *turn) bool { return len(x.begin) > 0 })
		require.GreaterOrEqual(t, at, 0)
		require.Equal(t, first.since, waiting[at].since, "the turn %d", i)
		<-waiting[at].begin
	}
	all.next()
	require.False(t, all.passing)
}

// Every request has its turn, however many come at a time and whatever they wait for.
func TestTurnsEnd(t *testing.T) {
	var all turns
	var running sync.WaitGroup
	for i := range 64 {
		running.Go(func() {
			mine := turn{begin: make(chan struct{}, 1)}
			for n := range 300 {
				mine.since = time.Duration(i ^ n)
				all.take(&mine)
			}
		})
	}
	running.Wait()
	require.Empty(t, all.waiting)
	require.False(t, all.passing)
}

// A request waits since its connection was answered: the server of Server tells.
func TestConnectionKnowsItsLastAnswer(t *testing.T) {
	var seen []int64
	s := &server{metrics: newMetrics(nil), ids: newRequestIDs(), guard: newGuard(Options{}), o: Options{Limits: Limits{}.withDefaults(), Logger: slog.New(slog.DiscardHandler)}}
	route := &route{open: true, serve: func(c *call) error {
		seen = append(seen, c.connection.answered.Load())
		return c.json(http.StatusOK, []byte("{}"))
	}}
	s.metrics.routes[route] = &routeMetrics{}
	served := httptest.NewUnstartedServer(nil)
	served.Config = Server(&endpoint{s, route})
	served.Start()
	defer served.Close()
	for range 3 {
		answer, err := served.Client().Get(served.URL)
		require.NoError(t, err)
		_, err = io.ReadAll(answer.Body) // else the connection would not be used again
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
	require.Len(t, seen, 3)
	require.Zero(t, seen[0])
	require.Positive(t, seen[1])
	require.Greater(t, seen[2], seen[1])
}
