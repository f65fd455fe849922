package vecwire_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

func foundIDs(t testing.TB, c *vecwire.Collection, q vecwire.Query) []string {
	t.Helper()
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// soon runs f with little time, so that it does not try again for long.
func soon(t testing.TB, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	return f(ctx)
}

// TestMirrorWithoutServer takes the server away under a mirror, and gives it back.
func TestMirrorWithoutServer(t *testing.T) {
	ctx := t.Context()
	target := testenv.Postgres(t)
	u, err := url.Parse(target)
	require.NoError(t, err)
	proxy := testenv.Proxy(t, u.Host)
	db := openURL(t, proxy.URL(t, target))
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Metric: vecwire.Dot})
	require.NoError(t, err)
	record := func(id string, x float32) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{x, 1}, Text: "text of " + id}
	}
	require.NoError(t, c.Upsert(ctx, record("a", 1), record("b", 2), record("c", 3)))
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	loaded := m.Stats()
	direct, err := openURL(t, target).OpenCollection(ctx, "docs")
	require.NoError(t, err)

	proxy.Refuse()
	proxy.Cut()
	near := vecwire.Query{Vector: []float32{1, 0}, IDsOnly: true, Vectors: true}
	require.Error(t, soon(t, m.Refresh))
	require.Equal(t, []string{"c", "b", "a"}, foundIDs(t, m.Collection, near))
	require.Error(t, soon(t, func(ctx context.Context) error {
		_, err := m.Search(ctx, vecwire.Query{Vector: []float32{1, 0}})
		return err
	}), "there is nobody to read the texts from")
	stats := m.Stats()
	require.Error(t, stats.Err)
	require.Equal(t, loaded.Refreshed, stats.Refreshed)
	stale := m.Staleness()
	require.Positive(t, stale)

	require.Error(t, soon(t, func(ctx context.Context) error { return m.Upsert(ctx, record("a", 9)) }))
	require.Equal(t, []string{"c", "b", "a"}, foundIDs(t, m.Collection, near), "what failed has changed nothing")
	require.Equal(t, 1, m.Stats().Unsure)
	require.Greater(t, m.Staleness(), stale)

	require.NoError(t, direct.Upsert(ctx, record("d", 4)))
	require.NoError(t, proxy.Accept())
	require.NoError(t, m.Refresh(ctx))
	stats = m.Stats()
	require.NoError(t, stats.Err)
	require.Zero(t, stats.Unsure)
	require.True(t, stats.Refreshed.After(loaded.Refreshed))
	require.Equal(t, []string{"d", "c", "b", "a"}, foundIDs(t, m.Collection, near))

	// The server stores, and its answer is lost: nobody knows.
	for i := range 10 {
		proxy.CutAfter(testenv.ToClient, int64(i*7))
		proxy.Refuse()
		_ = soon(t, func(ctx context.Context) error {
			return m.Upsert(ctx, record("a", float32(10+i)), record(fmt.Sprint("e", i), float32(-i)))
		})
		require.NoError(t, proxy.Accept())
		proxy.CutAfter(testenv.ToClient, -1)
		require.NoError(t, m.Refresh(ctx))
		require.Equal(t, foundIDs(t, direct, near), foundIDs(t, m.Collection, near))
	}
}

// TestMirrorRefreshCutOff cuts refreshes off after more and more bytes.
func TestMirrorRefreshCutOff(t *testing.T) {
	ctx := t.Context()
	target := testenv.Postgres(t)
	u, err := url.Parse(target)
	require.NoError(t, err)
	proxy := testenv.Proxy(t, u.Host)
	db := openURL(t, proxy.URL(t, target))
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 8})
	require.NoError(t, err)
	_, err = c.Ingest(ctx, generated(2_000, 8), vecwire.IngestOptions{})
	require.NoError(t, err)
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	direct, err := openURL(t, target).OpenCollection(ctx, "docs")
	require.NoError(t, err)
	near := vecwire.Query{Vector: []float32{1, 2, 3, 4, 5, 6, 7, 8}, K: 2_000, IDsOnly: true}
	failed := 0
	for i := range 5 {
		_, err = direct.DeleteWhere(ctx, filter.Prefix("id", fmt.Sprint(1+i%9, i)))
		require.NoError(t, err)
		proxy.CutAfter(testenv.ToClient, int64(i*30_000))
		proxy.Refuse()
		if err := soon(t, m.Refresh); err != nil {
			failed++
			require.Error(t, m.Stats().Err)
		}
		require.NotEmpty(t, foundIDs(t, m.Collection, near))
		proxy.CutAfter(testenv.ToClient, -1)
		require.NoError(t, proxy.Accept())
	}
	require.Positive(t, failed)
	require.NoError(t, m.Refresh(ctx))
	require.ElementsMatch(t, foundIDs(t, direct, near), foundIDs(t, m.Collection, near))
}

// TestMirrorKeepsFresh waits for what a refresh in the background finds.
func TestMirrorKeepsFresh(t *testing.T) {
	ctx := t.Context()
	db := openURL(t, "mem:")
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	before := goleak.IgnoreCurrent()
	for _, refresh := range []time.Duration{0, time.Millisecond, time.Hour} {
		m, err := c.Mirror(ctx, vecwire.MirrorOptions{Refresh: refresh})
		require.NoError(t, err)
		if refresh == time.Millisecond {
			id := fmt.Sprint(refresh)
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 2}}))
			for len(foundIDs(t, m.Collection, vecwire.Query{Vector: []float32{1, 2}, IDsOnly: true})) == 0 {
				require.NoError(t, ctx.Err())
			}
		}
		require.NoError(t, m.Close())
	}
	goleak.VerifyNone(t, before)

	// The database is closed first, which is a mistake and ends the refreshes, too.
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{Refresh: time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = m.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
	require.ErrorIs(t, err, vecwire.ErrClosed)
	require.NoError(t, m.Close())
}

// TestMirrorEmbeds takes the collection's embedder along.
func TestMirrorEmbeds(t *testing.T) {
	ctx := t.Context()
	db := openURL(t, "mem:")
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Model: letters("ab").Model()})
	require.NoError(t, err)
	var e embed.Embedder = letters("ab")
	c, err = c.WithEmbedder(e)
	require.NoError(t, err)
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, m.Upsert(ctx, vecwire.Record{ID: "1", Text: "aaa"}, vecwire.Record{ID: "2", Text: "bbb"}))
	require.Equal(t, []string{"2", "1"}, foundIDs(t, m.Collection, vecwire.Query{Text: "bb"}))
}

// TestMirrorAttached mirrors tables of others, where keys are numbers, vectors are
// less precise than what is written, or missing.
func TestMirrorAttached(t *testing.T) {
	ctx := t.Context()
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`,
		`CREATE TABLE items (item_no integer PRIMARY KEY, stock smallint, emb halfvec(2))`,
		`INSERT INTO items SELECT i, i % 4, ARRAY[i % 6, 1]::halfvec FROM generate_series(1, 120) i`,
		`INSERT INTO items (item_no) VALUES (200)`)
	c, err := openURL(t, url).AttachCollection(ctx, vecwire.Attach{Table: "items", Metric: vecwire.L2})
	require.NoError(t, err)
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	require.Equal(t, 120, m.Stats().Records, "one has no vector")
	same := func() {
		t.Helper()
		for _, k := range []int{1, 7, 50, 1_000} {
			for _, f := range []filter.Filter{{}, filter.Eq("stock", 1), filter.Gt("id", "9"), filter.Not(filter.Lt("id", "50"))} {
				q := vecwire.Query{Vector: []float32{2.5, 1}, K: k, Filter: f, Vectors: true}
				theirs, err := c.Search(ctx, q)
				require.NoError(t, err)
				ours, err := m.Search(ctx, q)
				require.NoError(t, err)
				require.Equal(t, theirs, ours, "%d of %s", k, f)
			}
		}
	}
	same()
	require.NoError(t, m.Refresh(ctx))
	require.Zero(t, m.Stats().Changed)

	require.NoError(t, m.Upsert(ctx, vecwire.Record{ID: "7", Vector: []float32{2.50001, 1.00001}}, vecwire.Record{ID: "-1000", Vector: []float32{1.0 / 3, 1}}))
	require.Error(t, m.Upsert(ctx, vecwire.Record{ID: "007", Vector: []float32{1, 1}}))
	same()
	_, err = m.DeleteWhere(ctx, filter.Between("id", "5", "20"))
	require.NoError(t, err)
	same()
	require.NoError(t, m.Refresh(ctx))
	require.Zero(t, m.Stats().Changed, "the mirror has what the table has")
	run(t, url, `UPDATE items SET emb = NULL WHERE item_no = 30`, `UPDATE items SET emb = '[9,9]' WHERE item_no = 200`)
	require.NoError(t, m.Refresh(ctx))
	require.Equal(t, 2, m.Stats().Changed)
	same()

	// Where no two scores are the same, the mirror answers.
	results, err := m.SearchMany(ctx, []vecwire.Query{{Vector: []float32{9, 9}, K: 1, IDsOnly: true}})
	require.NoError(t, err)
	require.Equal(t, "mirror scan", results[0].Plan.Path)
	require.Equal(t, "200", results[0].Hits[0].ID)
}
