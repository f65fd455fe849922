package vecwire_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresCutReports cuts the connections of the verbs that report what they
// did. Each call succeeds, and its report is what it would have been.
func TestPostgresCutReports(t *testing.T) {
	target := testenv.Postgres(t)
	u, err := url.Parse(target)
	require.NoError(t, err)
	proxy := testenv.Proxy(t, u.Host)
	db, err := vecwire.Config{Server: vecwire.ServerConfig{MaxConns: 2}}.Open(t.Context(), proxy.URL(t, target))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	ctx := t.Context()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "cut", Dim: 2, Fields: []vecwire.Field{{Name: vecwire.SourceField, Type: vecwire.String}, {Name: "n", Type: vecwire.Int}}})
	require.NoError(t, err)
	records := func(from, to, n int) (out []vecwire.Record) {
		for i := from; i < to; i++ {
			out = append(out, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i)}, Fields: vecwire.Fields{"n": n, vecwire.SourceField: "s"}})
		}
		return out
	}
	counts := func(r vecwire.IngestReport) [5]int64 {
		return [5]int64{r.Inserted, r.Updated, r.Unchanged, r.Failed, r.Deleted}
	}
	step := int64(60)
	if testing.Short() {
		step = 250
	}
	for _, direction := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
		for at := int64(0); at < 1_500; at += step {
			where := fmt.Sprintf("cut at %d, direction %d", at, direction)
			_, err := c.DeleteWhere(ctx, filter.Filter{})
			require.NoError(t, err)
			require.NoError(t, c.Upsert(ctx, slices.Concat(records(0, 3, 1), records(3, 6, 2))...))

			proxy.CutAfter(direction, at)
			r, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for _, r := range records(3, 9, 1) {
					if !yield(r, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			require.NoError(t, err, where)
			require.Equal(t, [5]int64{3, 3, 0, 0, 0}, counts(r), where)

			proxy.CutAfter(direction, at)
			r, err = c.ReplaceSource(ctx, "s", slices.Concat(records(0, 2, 1), records(2, 4, 7), records(20, 21, 1))...)
			require.NoError(t, err, where)
			require.Equal(t, [5]int64{1, 2, 2, 0, 5}, counts(r), where)
			proxy.CutAfter(direction, -1)
			n, err := c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, 5, n, where)
		}
	}
}
