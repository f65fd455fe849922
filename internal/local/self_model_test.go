package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/lru"
)

// selfModel is a collection of which an index is being built by itself, and what it
// should hold. If it has a bound, the model has what was evicted, too.
type selfModel struct {
	t      *testing.T
	s      *store
	d      *lru.Database
	c      engine.Collection
	rng    *rand.Rand
	at     time.Time // of the calls
	m      model
	fields int
	bound  int
}

const (
	selfN = iota // the places of fields
	selfSource
	selfUntil
)

func (x *selfModel) ctx() context.Context { return expiry.At(x.t.Context(), x.at) }

func (x *selfModel) open() {
	c, err := x.d.Open(x.ctx(), "docs")
	require.NoError(x.t, err)
	x.c, x.fields = expiry.New(c), len(c.Schema().Fields)
}

func (x *selfModel) record(id string) engine.Record {
	fields := make([]any, x.fields)
	fields[selfN], fields[selfSource] = x.rng.Int64N(100), fmt.Sprint("source ", x.rng.IntN(200))
	if x.rng.IntN(8) == 0 {
		fields[selfUntil] = x.at.Add(time.Duration(x.rng.IntN(40)+1) * time.Second)
	}
	return engine.Record{ID: id, Vector: indexVector(x.rng), Fields: fields, Text: "text of " + id}
}

// pass lets time pass, and forgets in the model what has expired.
func (x *selfModel) pass() {
	x.at = x.at.Add(time.Second / 4)
	x.drop(func(r engine.Record) bool {
		until, ok := r.Fields[selfUntil].(time.Time)
		return ok && !until.After(x.at)
	})
}

func (x *selfModel) drop(which func(engine.Record) bool) (n int) {
	for id, r := range x.m {
		if which(r) {
			delete(x.m, id)
			n++
		}
	}
	return n
}

// same compares how many records a verb has touched with the model, where that is known.
func (x *selfModel) same(want, got int, err error) {
	x.t.Helper()
	require.NoError(x.t, err)
	if x.bound == 0 {
		require.Equal(x.t, want, got)
	} else {
		require.LessOrEqual(x.t, got, want)
	}
}

// store stores records, some of whose IDs are there.
func (x *selfModel) store(ctx context.Context, m model, source string, n int) error {
	var records []engine.Record
	seen := map[string]bool{}
	for range n {
		id := fmt.Sprint(x.rng.IntN(2 * indexRows))
		if seen[id] {
			continue
		}
		seen[id] = true
		r := x.record(id)
		if source != "" {
			r.Fields[selfSource] = source
		}
		records = append(records, r)
		m[id] = r
	}
	return x.c.Upsert(ctx, records)
}

var errUndone = errors.New("undone")

// step does one thing that a program can do.
func (x *selfModel) step(alter bool) {
	t, ctx := x.t, x.ctx()
	n := x.rng.IntN(16)
	switch {
	case n == 0:
		id := fmt.Sprint(x.rng.IntN(2 * indexRows))
		got, err := x.c.Delete(ctx, []string{id})
		x.same(x.drop(func(r engine.Record) bool { return r.ID == id }), got, err)
	case n == 1: // what the sweeper does
		inner, err := x.s.Open(ctx, "docs")
		require.NoError(t, err)
		_, err = inner.DeleteWhere(ctx, expiry.Dead(ctx, inner.Schema()))
		require.NoError(t, err)
	case n == 2: // what ReplaceSource does
		source := fmt.Sprint("source ", x.rng.IntN(200))
		want := x.drop(func(r engine.Record) bool { return r.Fields[selfSource] == source })
		var got int
		require.NoError(t, x.d.Tx(ctx, func(ctx context.Context) (err error) {
			if got, err = x.c.DeleteWhere(ctx, filter.Eq("source", source)); err != nil {
				return err
			}
			return x.store(ctx, x.m, source, 20)
		}))
		x.same(want, got, nil)
	case n == 3: // a transaction that is undone
		require.ErrorIs(t, x.d.Tx(ctx, func(ctx context.Context) error {
			if _, err := x.c.DeleteWhere(ctx, filter.Ge("n", int64(90))); err != nil {
				return err
			}
			if err := x.store(ctx, model{}, "", 20); err != nil {
				return err
			}
			return errUndone
		}), errUndone)
	case n == 4 || n == 5:
		source, to := fmt.Sprint("source ", x.rng.IntN(200)), x.rng.Int64N(100)
		want := 0
		for id, r := range x.m {
			if r.Fields[selfSource] == source {
				r.Fields = append([]any(nil), r.Fields...)
				r.Fields[selfN] = to
				x.m[id] = r
				want++
			}
		}
		got, err := x.c.UpdateWhere(ctx, filter.Eq("source", source), []engine.FieldValue{{Place: selfN, Value: to}})
		x.same(want, got, err)
	case alter:
		x.alter()
	default:
		require.NoError(t, x.store(ctx, x.m, "", 1+x.rng.IntN(10)))
	}
}

// alter adds a field: the index is begun anew.
func (x *selfModel) alter() {
	require.NoError(x.t, x.d.Alter(x.ctx(), engine.Alter{
		Name: "docs",
		Plan: func(is engine.Schema) (engine.Alteration, error) {
			a := engine.Alteration{Schema: is}
			for i := range is.Fields {
				a.From = append(a.From, i)
			}
			a.Schema.Fields = slices.Concat(is.Fields, []engine.Field{{Name: fmt.Sprint("more", len(is.Fields)), Type: filter.Int}})
			a.From = append(a.From, -1)
			return a, nil
		},
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	}))
	was := x.fields
	x.open()
	require.Equal(x.t, was+1, x.fields)
	for id, r := range x.m {
		r.Fields = append(r.Fields[:was:was], nil)
		x.m[id] = r
	}
}

// compare compares all records with the model.
func (x *selfModel) compare() {
	t, ctx := x.t, x.ctx()
	records := all(t, ctx, x.c)
	if x.bound == 0 {
		require.Len(t, records, len(x.m))
	} else {
		require.LessOrEqual(t, len(records), x.bound)
	}
	for _, r := range records {
		require.Equal(t, x.m[r.ID], r)
	}
}

// All that changes records while an index is built by itself is in it, as in the model:
// bounded collections, expiry, replaced sources, transactions, updates and alterations.
func TestEveryVerbWhileAnIndexAppears(t *testing.T) {
	for _, bound := range []int{0, 5 * indexRows / 4} {
		t.Run(fmt.Sprint("bound ", bound), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			s, log := selfStore(t, path)
			x := &selfModel{t: t, s: s, d: lru.Over(s), rng: rand.New(rand.NewPCG(uint64(bound), 1)), at: time.UnixMicro(1e15).UTC(), m: model{}, bound: bound}
			schema := indexSchema
			schema.MaxRecords = bound
			schema.Fields = []engine.Field{
				{Name: "n", Type: filter.Int}, {Name: "source", Type: filter.String, Index: true},
				{Name: "until", Type: filter.Time, Expires: true},
			}
			_, err := x.d.Create(x.ctx(), schema)
			require.NoError(t, err)
			x.open()
			var records []engine.Record
			for i := range indexRows * 9 / 8 {
				r := x.record(fmt.Sprint(i))
				records, x.m[r.ID] = append(records, r), r
			}
			require.NoError(t, x.c.Upsert(x.ctx(), records))
			steps := 0
			for alters := 0; len(indexes(t, x.c)) == 0; steps++ {
				x.pass()
				alter := alters < 2 && steps%40 == 39
				if alter {
					alters++
				}
				x.step(alter)
			}
			t.Log(steps, "steps")
			x.compare()
			inner := open(t, s, "docs")
			idle(t, inner)
			settled(t, inner)
			require.Contains(t, log(), wasBuilt)
			requireMemoryIsRows(t, inner)
			require.Greater(t, graphRecall(t, inner), 0.8)
			require.NoError(t, s.Close())

			x.s, _ = selfStore(t, path)
			x.d = lru.Over(x.s)
			x.open()
			x.compare()
			inner = open(t, x.s, "docs")
			require.Len(t, indexes(t, inner), 1)
			requireMemoryIsRows(t, inner)
		})
	}
}
