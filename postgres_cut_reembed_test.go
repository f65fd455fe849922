package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
)

// onAgain is a log handler that calls f when an operation is about to be run again, once
// its connection was lost.
type onAgain struct {
	slog.Handler
	f func()
}

func (h *onAgain) Enabled(context.Context, slog.Level) bool { return true }

func (h *onAgain) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "again") && !strings.Contains(r.Message, "succeeded") {
		h.f()
	}
	return nil
}

// another is a second client that writes to a collection which a first one reembeds,
// and the model of what it was told is stored.
type another struct {
	t     *testing.T
	db    *vecwire.DB
	texts map[string]int // the number of each record's text
	next  int
}

// write changes a record, adds one and deletes one, of whichever collection has the name.
func (a *another) write() {
	a.next++
	id := func(n int) string { return fmt.Sprint(n % 12) }
	for tries := 0; ; tries++ {
		c, err := a.db.OpenCollection(a.t.Context(), "moving")
		require.NoError(a.t, err)
		model, err := strconv.Atoi(strings.TrimPrefix(c.Schema().Model, "model "))
		require.NoError(a.t, err)
		var records []vecwire.Record
		for _, i := range []int{a.next, a.next + 1} {
			records = append(records, movingRecord(model, id(i), 100+a.next))
		}
		err = c.Upsert(a.t.Context(), records...)
		if errors.Is(err, vecwire.ErrNotFound) && tries < 10 { // it was replaced before it was written to
			continue
		}
		require.NoError(a.t, err)
		for _, r := range records {
			a.texts[r.ID] = 100 + a.next
		}
		gone := id(a.next + 5)
		n, err := c.Delete(a.t.Context(), gone)
		if errors.Is(err, vecwire.ErrNotFound) {
			return
		}
		require.NoError(a.t, err)
		_, was := a.texts[gone]
		require.Equal(a.t, was, n == 1, "what is deleted was there")
		delete(a.texts, gone)
		return
	}
}

func movingRecord(model int, id string, number int) vecwire.Record {
	return vecwire.Record{ID: id, Text: fmt.Sprint("text ", number), Vector: numbered{model: model}.vector(number), Fields: vecwire.Fields{"n": number}}
}

// beside is an embedder beside which another client writes, at its first calls.
type beside struct {
	numbered
	write func()
}

func (b beside) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	b.write()
	return b.numbered.Embed(ctx, texts, use)
}

// TestPostgresCutReembed cuts the connections of a Reembed at places over all that is
// said, in both directions. It succeeds each time. Alone, it reports what it would have
// reported; beside a second client, that client's writes stay, those between a cut and
// the next try included.
func TestPostgresCutReembed(t *testing.T) {
	t.Parallel()
	target := testenv.Postgres(t)
	u, err := url.Parse(target)
	require.NoError(t, err)
	proxy := testenv.Proxy(t, u.Host)
	hook := &onAgain{Handler: slog.DiscardHandler}
	db, err := vecwire.Config{Logger: slog.New(hook), Server: vecwire.ServerConfig{MaxConns: 2}}.Open(t.Context(), proxy.URL(t, target))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	other := openURL(t, target)
	ctx := t.Context()

	begin := func() *another {
		if err := other.DropCollection(ctx, "moving"); !errors.Is(err, vecwire.ErrNotFound) {
			require.NoError(t, err)
		}
		c, err := other.CreateCollection(ctx, vecwire.Schema{
			Name: "moving", Dim: 2, Metric: vecwire.Dot, Model: "model 0", Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}},
		})
		require.NoError(t, err)
		a := &another{t: t, db: other, texts: map[string]int{}}
		for i := range 9 {
			require.NoError(t, c.Upsert(ctx, movingRecord(0, fmt.Sprint(i), i)))
			a.texts[fmt.Sprint(i)] = i
		}
		require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{M: 5}))
		return a
	}
	expect := func(a *another, where string) {
		t.Helper()
		all, err := other.Collections(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1, "%s: nothing is left beside it", where)
		c, err := other.OpenCollection(ctx, "moving")
		require.NoError(t, err)
		require.Equal(t, "model 1", c.Schema().Model, where)
		n := 0
		for r, err := range c.All(ctx, vecwire.Scan{Vectors: true}) {
			require.NoError(t, err)
			number, ok := a.texts[r.ID]
			require.True(t, ok, "%s: %q was deleted", where, r.ID)
			want := movingRecord(1, r.ID, number)
			want.Fields["n"] = int64(number)
			require.Equal(t, want, r, where)
			n++
		}
		require.Len(t, a.texts, n, where)
		indexes, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, indexes, 1, where)
		require.True(t, indexes[0].Valid && indexes[0].M == 5, "%s: %+v", where, indexes)
	}
	counts := func(r vecwire.IngestReport) [6]int64 {
		return [6]int64{r.Inserted, r.Updated, r.Unchanged, r.Failed, r.Deleted, r.Embedded}
	}

	hook.f = func() { t.Error("nothing was cut yet") }
	a := begin()
	_, alone, err := db.Reembed(ctx, "moving", numbered{1, io.Discard}, vecwire.ReembedOptions{})
	require.NoError(t, err)
	expect(a, "alone")
	step := int64(173)
	if testing.Short() {
		step = 1999
	}
	for _, direction := range []testenv.Direction{testenv.ToServer, testenv.ToClient} {
		cuts, after := 0, 0
		for at, cut := int64(0), true; cut; at += step {
			where := fmt.Sprintf("cut at %d, direction %d", at, direction)
			a := begin()
			cut = false
			hook.f = func() { cut = true }
			proxy.CutAfter(direction, at)
			_, report, err := db.Reembed(ctx, "moving", numbered{1, io.Discard}, vecwire.ReembedOptions{})
			proxy.CutAfter(direction, -1)
			require.NoError(t, err, where)
			require.Equal(t, counts(alone), counts(report), where)
			expect(a, where)

			a = begin()
			written := false
			hook.f = func() {
				if written {
					return
				}
				written, cut = true, true
				c, err := other.OpenCollection(ctx, "moving")
				require.NoError(t, err)
				if c.Schema().Model == "model 1" {
					after++
				}
				a.write()
			}
			calls := 0
			e := beside{numbered{1, io.Discard}, func() {
				if calls++; calls <= 2 {
					a.write()
				}
			}}
			proxy.CutAfter(direction, at)
			_, _, err = db.Reembed(ctx, "moving", e, vecwire.ReembedOptions{})
			proxy.CutAfter(direction, -1)
			require.NoError(t, err, where)
			expect(a, where)
			if cut {
				cuts++
			}
		}
		t.Logf("direction %d: %d places, %d after the collection was replaced", direction, cuts, after)
		require.Positive(t, cuts)
	}
}
