package pgvector

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestCitusScan reads a collection page by page whose records come and go: no page lacks
// one, whatever the sample of IDs says.
func TestCitusScan(t *testing.T) {
	ctx := t.Context()
	var sent statements
	e := openDatabase(t, wire.Options{URL: testenv.Citus(t), Tracer: &sent})
	c := create(t, e, engine.Schema{Name: "spread", Dim: 2, Fields: wiretest.Buckets, Distributed: engine.ByID})
	records := wiretest.Records("r", 9000, 2, codec.FLOAT)
	require.NoError(t, c.Insert(ctx, records))
	said := ""
	all := func(between func(page int)) (ids []string) {
		t.Helper()
		plan := engine.Scan{Limit: c.schema.Page()}
		for n := 0; ; n++ {
			var page []engine.Record
			said += strings.Join(sent.during(t, func() (err error) { page, err = c.Scan(ctx, plan); return err }), ";") + "\n"
			for _, r := range page {
				ids = append(ids, r.ID)
			}
			if len(page) < plan.Limit {
				return ids
			}
			plan.After = page[len(page)-1].ID
			between(n)
		}
	}
	idsOf := func(records []engine.Record) (ids []string) {
		for _, r := range records {
			ids = append(ids, r.ID)
		}
		return ids
	}
	require.Equal(t, idsOf(records), all(func(int) {}))
	require.Equal(t, 1, strings.Count(said, "hashtext"), "one sample for all pages")
	require.Greater(t, strings.Count(said, " <= "), 4)

	// All but 2,000 of the last records go while the second page has been read.
	got := all(func(page int) {
		if page == 1 {
			_, err := c.Delete(ctx, idsOf(records[2048:7000]))
			require.NoError(t, err)
		}
	})
	want := append(idsOf(records[:2048]), idsOf(records[7000:])...)
	require.Equal(t, want, got)

	// And they come back.
	got = all(func(page int) {
		if page == 1 {
			require.NoError(t, c.Insert(ctx, records[2048:7000]))
		}
	})
	require.Equal(t, idsOf(records), got)
}
