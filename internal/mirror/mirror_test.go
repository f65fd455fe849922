package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/mirror"
)

var errAway = errors.New("the server is away")

func away(string) error { return errAway }

func TestSearchAsksTheDatabaseForPayloadOnly(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Upsert(t.Context(), records(5)))
	m := d.mirror(t)
	d.same(t, m)
	require.Zero(t, d.called("Get"))
	hits := search(t, m, engine.Search{Payload: true, K: 2})
	require.Equal(t, "text of 004", hits[0].Text)
	require.Equal(t, []any{int64(4)}, hits[0].Fields)
	require.Equal(t, 1, d.called("Get"))
	require.Equal(t, []string{"001"}, hitIDs(search(t, m, engine.Search{Filter: filter.Eq("n", 1)})))
}

// TestAway takes the database away under a mirror, and gives it back.
func TestAway(t *testing.T) {
	ctx := t.Context()
	d := open(t)
	require.NoError(t, d.Upsert(ctx, records(3)))
	m := d.mirror(t)
	loaded := m.Stats()
	require.Equal(t, 3, loaded.Records)

	d.fail(away, nil)
	_, err := m.Refresh(ctx)
	require.ErrorIs(t, err, errAway)
	require.Equal(t, []string{"002", "001", "000"}, hitIDs(search(t, m, engine.Search{})))
	_, err = m.Search(ctx, []engine.Search{{Vector: engine.Vector{F32: []float32{1, 0}}, K: 1, Payload: true}})
	require.ErrorIs(t, err, errAway, "there is no other place to read the texts from")
	stats := m.Stats()
	require.ErrorIs(t, stats.Err, errAway)
	require.Equal(t, loaded.Refreshed, stats.Refreshed, "a refresh that failed does not count")

	require.ErrorIs(t, m.Upsert(ctx, []engine.Record{record("000", 9)}), errAway)
	require.Equal(t, []string{"002", "001", "000"}, hitIDs(search(t, m, engine.Search{})), "a write that failed changes nothing")
	require.Equal(t, 1, m.Stats().Unsure)

	d.fail(nil, nil)
	require.NoError(t, d.Upsert(ctx, []engine.Record{record("003", 3)}))
	changed, err := m.Refresh(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	stats = m.Stats()
	require.NoError(t, stats.Err)
	require.Zero(t, stats.Unsure)
	require.False(t, stats.Refreshed.Before(loaded.Refreshed))
	d.same(t, m)
}

// TestLostAnswers has each verb store what it is given and then fail, as if the
// connection had died before its answer.
func TestLostAnswers(t *testing.T) {
	for name, write := range map[string]func(context.Context, *database, *mirror.Mirror) error{
		"Upsert": func(ctx context.Context, _ *database, m *mirror.Mirror) error {
			return m.Upsert(ctx, []engine.Record{record("000", 9), record("new", 8)})
		},
		"Insert": func(ctx context.Context, _ *database, m *mirror.Mirror) error {
			return m.Insert(ctx, []engine.Record{record("new", 8)})
		},
		"Delete": func(ctx context.Context, _ *database, m *mirror.Mirror) error {
			_, err := m.Delete(ctx, []string{"001", "none"})
			return err
		},
		"DeleteWhere": func(ctx context.Context, _ *database, m *mirror.Mirror) error {
			_, err := m.DeleteWhere(ctx, filter.Gt("n", 0))
			return err
		},
		"DeleteWhere of all": func(ctx context.Context, _ *database, m *mirror.Mirror) error {
			_, err := m.DeleteWhere(ctx, filter.Filter{})
			return err
		},
		"Atomically": func(ctx context.Context, d *database, m *mirror.Mirror) error {
			lost := func(ctx context.Context, f func(context.Context) error) error {
				return errors.Join(d.engine.Tx(ctx, f), errAway)
			}
			return m.Atomically(ctx, lost, func(ctx context.Context, c engine.Collection) error {
				if err := c.Upsert(ctx, []engine.Record{record("new", 8)}); err != nil {
					return err
				}
				_, err := c.Delete(ctx, []string{"000"})
				return err
			})
		},
	} {
		for _, readable := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/readable %t", name, readable), func(t *testing.T) {
				d := open(t)
				require.NoError(t, d.Upsert(t.Context(), records(3)))
				m := d.mirror(t)
				lost := func(verb string) error {
					switch verb {
					case "Get":
						if !readable {
							return errAway
						}
						return nil
					case "Scan", "Count":
						return nil
					}
					if name == "Atomically" {
						return nil
					}
					return errAway
				}
				d.fail(nil, lost)
				require.ErrorIs(t, write(t.Context(), d, m), errAway)
				d.fail(nil, nil)
				if readable {
					require.Zero(t, m.Stats().Unsure, "the mirror has found out what became of the write")
					d.same(t, m)
				} else {
					require.NotZero(t, m.Stats().Unsure)
				}
				_, err := m.Refresh(t.Context())
				require.NoError(t, err)
				require.Zero(t, m.Stats().Unsure)
				d.same(t, m)
			})
		}
	}
}

// TestAtomicallyRollsBack has a transaction end without effect.
func TestAtomicallyRollsBack(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Upsert(t.Context(), records(3)))
	m := d.mirror(t)
	err := m.Atomically(t.Context(), d.engine.Tx, func(ctx context.Context, c engine.Collection) error {
		require.NoError(t, c.Upsert(ctx, []engine.Record{record("000", 9)}))
		return errAway
	})
	require.ErrorIs(t, err, errAway)
	require.Equal(t, []string{"002", "001", "000"}, hitIDs(search(t, m, engine.Search{})))
	d.same(t, m)
}

// TestRefreshCutOff cuts refreshes off after more and more calls.
func TestRefreshCutOff(t *testing.T) {
	ctx := t.Context()
	const n = 3 * engine.PageRecords
	d := open(t)
	require.NoError(t, d.Upsert(ctx, records(n)))
	m := d.mirror(t, func(o *mirror.Options) { o.MaxRecords = 2 * n })
	for cut := 0; ; cut++ {
		_, err := d.Collection.DeleteWhere(ctx, filter.Eq("n", 7*cut))
		require.NoError(t, err)
		require.NoError(t, d.Collection.Upsert(ctx, []engine.Record{record(fmt.Sprint("new ", cut), float32(-cut)), record("001", float32(cut))}))
		left := cut
		d.fail(func(string) error {
			if left--; left < 0 {
				return errAway
			}
			return nil
		}, nil)
		_, err = m.Refresh(ctx)
		d.fail(nil, nil)
		require.NotEmpty(t, search(t, m, engine.Search{K: 1}))
		if err == nil {
			require.Greater(t, cut, 3, "nothing was cut off")
			break
		}
		require.ErrorIs(t, err, errAway)
		require.ErrorIs(t, m.Stats().Err, errAway)
	}
	d.same(t, m)
}

// TestOutdatedHits has other programs change the hits of each round: in the end the
// database answers.
func TestOutdatedHits(t *testing.T) {
	ctx := t.Context()
	d := open(t)
	require.NoError(t, d.Upsert(ctx, records(9)))
	m := d.mirror(t)
	next := 8
	d.fail(func(verb string) error {
		if verb == "Get" && next > 0 { // the best hit vanishes before it is read
			_, err := d.Collection.Delete(ctx, []string{fmt.Sprintf("%03d", next)})
			next--
			return err
		}
		return nil
	}, nil)
	hits := search(t, m, engine.Search{K: 1, Payload: true})
	require.Equal(t, 1, d.called("Search"))
	require.Equal(t, fmt.Sprintf("%03d", next), hits[0].ID)
	require.Equal(t, "text of "+hits[0].ID, hits[0].Text)
	d.fail(nil, nil)
	_, err := m.Refresh(ctx)
	require.NoError(t, err)
	d.same(t, m)
}

func TestSize(t *testing.T) {
	ctx := t.Context()
	d := open(t)
	require.NoError(t, d.Upsert(ctx, records(3)))
	most := func(n int) func(*mirror.Options) { return func(o *mirror.Options) { o.MaxRecords = n } }
	scans := d.called("Scan")
	_, err := mirror.Open(ctx, d, d.options(most(2)))
	size, ok := errors.AsType[*mirror.SizeError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, mirror.SizeError{Records: 3, Max: 2}, *size)
	require.Equal(t, scans, d.called("Scan"), "it was loaded all the same")

	m := d.mirror(t, most(4))
	writes := d.called("Upsert")
	require.ErrorAs(t, m.Upsert(ctx, []engine.Record{record("3", 3), record("4", 4)}), &size)
	require.Equal(t, 5, size.Records)
	require.Equal(t, writes, d.called("Upsert"), "it was sent all the same")
	require.ErrorAs(t, m.Atomically(ctx, d.engine.Tx, func(ctx context.Context, c engine.Collection) error {
		return c.Upsert(ctx, []engine.Record{record("3", 3), record("4", 4)})
	}), &size)
	require.NoError(t, m.Upsert(ctx, []engine.Record{record("000", 3), record("4", 4)}))

	require.NoError(t, d.Upsert(ctx, records(9)))
	_, err = m.Refresh(ctx)
	require.ErrorAs(t, err, &size)
	require.ErrorAs(t, m.Stats().Err, &size)
	require.Equal(t, 4, m.Stats().Records, "a refresh that finds too many leaves the copy as it is")
}

func TestDropped(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Upsert(t.Context(), records(3)))
	m := d.mirror(t)
	require.NoError(t, d.engine.Drop(t.Context(), "docs"))
	_, err := m.Refresh(t.Context())
	require.ErrorIs(t, err, engine.ErrNotFound)
	_, err = m.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 0}}, K: 1}})
	require.ErrorIs(t, err, engine.ErrNotFound)
}

func TestClose(t *testing.T) {
	ctx := t.Context()
	d := open(t)
	m := d.mirror(t)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	require.Zero(t, m.Stats().Records)
	for verb, run := range map[string]func() error{
		"Search":  func() error { _, err := m.Search(ctx, nil); return err },
		"Upsert":  func() error { return m.Upsert(ctx, records(1)) },
		"Delete":  func() error { _, err := m.Delete(ctx, nil); return err },
		"Where":   func() error { _, err := m.DeleteWhere(ctx, filter.Filter{}); return err },
		"Refresh": func() error { _, err := m.Refresh(ctx); return err },
	} {
		require.ErrorIs(t, run(), gate.ErrClosed, verb)
	}
	n, err := d.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n, "nothing was written")
}

// TestKeepsFresh has refreshes in the background find what others wrote, read
// again what a write left open, and end with the mirror or with the database.
func TestKeepsFresh(t *testing.T) {
	for _, closeDatabase := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			d := open(t)
			m, err := mirror.Open(ctx, d, d.options(func(o *mirror.Options) { o.Refresh = time.Minute }))
			require.NoError(t, err)
			require.NoError(t, d.Upsert(ctx, records(3)))
			require.Empty(t, search(t, m, engine.Search{}))
			time.Sleep(time.Minute)
			synctest.Wait()
			d.same(t, m)
			require.Less(t, m.Staleness(), time.Minute)

			d.fail(nil, func(verb string) error {
				if verb == "Upsert" {
					d.fail(func(verb string) error { d.fail(nil, nil); return errAway }, nil) // the read after it fails, too
					return errAway
				}
				return nil
			})
			require.ErrorIs(t, m.Upsert(ctx, []engine.Record{record("000", 9)}), errAway)
			synctest.Wait()
			require.Zero(t, m.Stats().Unsure, "it was not read again at once")
			d.same(t, m)

			if closeDatabase {
				require.True(t, d.gate.Close())
				time.Sleep(time.Minute)
				synctest.Wait()
				require.ErrorIs(t, m.Stats().Err, gate.ErrClosed)
			}
			require.NoError(t, m.Close())
		})
	}
}

// imprecise stores less of a vector than it is given, and orders records of equal
// score its own way, as an existing table may.
type imprecise struct{ *database }

func (d imprecise) Upsert(ctx context.Context, records []engine.Record) error {
	records = slices.Clone(records)
	for i := range records {
		v := records[i].Vector.F32
		records[i].Vector.F32 = []float32{float32(int(v[0])), v[1]}
	}
	return d.database.Upsert(ctx, records)
}

func TestAttached(t *testing.T) {
	ctx := t.Context()
	d := open(t)
	require.NoError(t, d.Upsert(ctx, records(9)))
	m, err := mirror.Open(ctx, imprecise{d}, mirror.Options{Gate: &d.gate, Log: slog.New(slog.DiscardHandler), MaxRecords: 100, Attached: true})
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, m.Upsert(ctx, []engine.Record{record("9", 9.5)}))
	require.Equal(t, 9.0, search(t, m, engine.Search{K: 1})[0].Score, "the mirror has what the table has")

	for name, test := range map[string]struct {
		search engine.Search
		asked  int
	}{
		"no ties":               {engine.Search{K: 5}, 0},
		"all":                   {engine.Search{}, 0},
		"a filter":              {engine.Search{Filter: filter.Gt("n", 3)}, 0},
		"a filter over the key": {engine.Search{Filter: filter.Or(filter.Eq("n", 1), filter.Not(filter.Eq("id", "3")))}, 1},
	} {
		before := d.called("Search")
		require.Equal(t, hitIDs(search(t, d.Collection, test.search)), hitIDs(search(t, m, test.search)), name)
		require.Equal(t, test.asked, d.called("Search")-before, name)
	}
	require.NoError(t, m.Upsert(ctx, []engine.Record{record("other", 4)}))
	for k, asked := range map[int]int{5: 0, 6: 1, 7: 1, 1000: 1} { // 004 and other tie at places 6 and 7
		before := d.called("Search")
		require.Len(t, search(t, m, engine.Search{K: k}), min(k, 11))
		require.Equal(t, asked, d.called("Search")-before, "K is %d", k)
	}
}
