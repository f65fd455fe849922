package enginetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

const workers = 8

// inParallel runs f in several goroutines and reports their errors.
func inParallel(t testing.TB, f func(worker int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[w] = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			errs[w] = f(w)
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// concurrency: a collection may be used by many at once.
func (s *suite) concurrency(t *testing.T) {
	run(t, "different records", s.differentRecords)
	run(t, "the same records", s.sameRecords)
	run(t, "a batch is seen whole", s.wholeBatches)
	run(t, "one creates", s.oneCreates)
	run(t, "drop while others work", s.dropWhileWorking)
}

func (s *suite) differentRecords(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4, Fields: allTypes()})
	models := make([]*model, workers)
	inParallel(t, func(w int) error {
		g := newGenerator(uint64(131+w), c.Schema())
		m := newModel(c.Schema())
		models[w] = m
		for round := range s.sample(4) {
			var batch []vecwire.Record
			for i := range 8 {
				batch = append(batch, g.record(fmt.Sprintf("%d-%d", w, (round*5+i)%20)))
			}
			if err := c.Upsert(ctx, batch...); err != nil {
				return err
			}
			m.upsert(batch...)
			gone := batch[g.IntN(8)].ID
			if n, err := c.Delete(ctx, gone); err != nil || n != 1 {
				return fmt.Errorf("delete %s: %d, %w", gone, n, err)
			}
			delete(m.records, gone)
			if got, err := c.Get(ctx, idsOf(batch)...); err != nil || len(got) != 7 {
				return fmt.Errorf("own records: %d of 7, %w", len(got), err)
			}
			hits, err := c.Search(ctx, vecwire.Query{Vector: g.vector(), K: 1000, Filter: filter.Prefix("id", fmt.Sprintf("%d-", w)), Exact: true})
			if err != nil || len(hits) != len(m.records) {
				return fmt.Errorf("search own records: %d of %d, %w", len(hits), len(m.records), err)
			}
		}
		return nil
	})
	all := newModel(c.Schema())
	for _, m := range models {
		all.upsert(m.all()...)
	}
	all.expectAll(t, c)
	all.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 2, 3, 4}, K: 1000, Vectors: true})
}

// versioned returns a record all of whose parts come from one number.
func versioned(id string, version int) vecwire.Record {
	return vecwire.Record{
		ID: id, Vector: []float32{float32(version), 1}, Text: fmt.Sprint(version), Fields: vecwire.Fields{"v": version, "s": fmt.Sprint(version)},
	}
}

var versionFields = []vecwire.Field{{Name: "v", Type: vecwire.Int, Index: true}, {Name: "s"}}

// sameRecords has workers write the same records, half of them in the opposite
// order, and delete some. What is there in the end is whole.
func (s *suite) sameRecords(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: versionFields})
	inParallel(t, func(w int) error {
		for round := range s.sample(6) {
			var batch []vecwire.Record
			for i := range 6 {
				batch = append(batch, versioned(fmt.Sprint(i), 1+w*100+round))
			}
			if w%2 == 1 {
				slices.Reverse(batch)
			}
			if err := c.Upsert(ctx, batch...); err != nil {
				return err
			}
			if w == 0 {
				if _, err := c.Delete(ctx, "0", "3"); err != nil {
					return err
				}
			}
			if w == 1 {
				if _, err := c.DeleteWhere(ctx, filter.Lt("v", 100)); err != nil {
					return err
				}
			}
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, Vectors: true, Exact: true})
			if err != nil {
				return err
			}
			seen := map[string]bool{}
			for _, h := range hits {
				if seen[h.ID] {
					return fmt.Errorf("%q was found twice", h.ID)
				}
				seen[h.ID] = true
				if err := whole(h.Record); err != nil {
					return err
				}
			}
		}
		return nil
	})
	records := collect(t, c, vecwire.Scan{Vectors: true})
	for _, r := range records {
		require.NoError(t, whole(r))
	}
	m := newModel(c.Schema(), records...)
	m.expectAll(t, c)
	m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 1}, Vectors: true})
}

// whole reports a record whose parts are not of one version.
func whole(r vecwire.Record) error {
	version, _ := r.Fields["v"].(int64)
	if d := difference(versionedAs(r.ID, version), r); d != "" {
		return fmt.Errorf("record %q is of several versions: %s", r.ID, d)
	}
	return nil
}

func versionedAs(id string, version int64) vecwire.Record {
	r := versioned(id, int(version))
	r.Fields["v"] = version
	return r
}

// wholeBatches has one writer replace all records of a collection at once, over
// and over, while others read.
func (s *suite) wholeBatches(t *testing.T) {
	if !s.caps.Snapshots {
		t.Skip("the target does not promise it")
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: versionFields})
	batch := func(version int) (records []vecwire.Record) {
		for i := range 10 {
			records = append(records, versioned(fmt.Sprint(i), version))
		}
		return records
	}
	require.NoError(t, c.Upsert(ctx, batch(1)...))
	var version atomic.Int64
	version.Store(1)
	rounds := s.sample(8)
	inParallel(t, func(w int) error {
		for round := range rounds {
			if w == 0 {
				if err := c.Upsert(ctx, batch(2+round)...); err != nil {
					return err
				}
				version.Store(int64(2 + round))
				continue
			}
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, K: 100, Exact: true})
			if err != nil {
				return err
			}
			got, err := c.Get(ctx, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
			if err != nil {
				return err
			}
			var found []vecwire.Record
			for _, h := range hits {
				found = append(found, h.Record)
			}
			for verb, records := range map[string][]vecwire.Record{"Search": found, "Get": got} {
				if len(records) != 10 {
					return fmt.Errorf("%s: %d of 10 records", verb, len(records))
				}
				for _, r := range records {
					if r.Text != records[0].Text {
						return fmt.Errorf("%s: record %s is of version %s, record %s of version %s", verb, records[0].ID, records[0].Text, r.ID, r.Text)
					}
				}
			}
			now := version.Load()
			n, err := c.Count(ctx, filter.Eq("v", now))
			if err != nil || (n != 0 && n != 10) {
				return fmt.Errorf("count says that %d of 10 records are of version %d, %w", n, now, err)
			}
		}
		return nil
	})
}

func (s *suite) oneCreates(t *testing.T) {
	name := s.name()
	var made atomic.Int32
	inParallel(t, func(int) error {
		_, err := s.db.CreateCollection(t.Context(), vecwire.Schema{Name: name, Dim: 2, Fields: versionFields})
		switch {
		case err == nil:
			made.Add(1)
		case !errors.Is(err, vecwire.ErrExists):
			return err
		}
		return nil
	})
	require.EqualValues(t, 1, made.Load(), "how many made it")
	c, err := s.db.OpenCollection(t.Context(), name)
	require.NoError(t, err)
	newModel(c.Schema()).expectAll(t, c)
	require.NoError(t, s.db.DropCollection(t.Context(), name))
}

// dropWhileWorking drops a collection that others use: each call succeeds or
// says that there is no such collection.
func (s *suite) dropWhileWorking(t *testing.T) {
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: versionFields})
	whileWorking(t, c, func() error { return s.db.DropCollection(t.Context(), c.Schema().Name) }, vecwire.ErrNotFound)
}

// whileWorking runs end while others use a collection. Each of their calls succeeds
// or fails with the error that is wanted, and those that begin after end has
// returned fail.
func whileWorking(t testing.TB, c *vecwire.Collection, end func() error, want error) {
	t.Helper()
	started := make(chan struct{}, workers)
	var ended atomic.Bool
	inParallel(t, func(w int) error {
		if w > 0 {
			return untilError(t.Context(), c, func() { started <- struct{}{} }, want, &ended)
		}
		defer ended.Store(true)
		for range workers - 1 {
			<-started
		}
		return end()
	})
}

// untilError calls one verb after the other until one fails, which has to be with
// the error that is wanted, and after ended each does. It calls started after the
// first round.
func untilError(ctx context.Context, c *vecwire.Collection, started func(), want error, ended *atomic.Bool) error {
	started = sync.OnceFunc(started)
	defer started()
	for {
		for verb, call := range verbs(c) {
			late := ended.Load()
			err := call(ctx)
			if errors.Is(err, want) {
				return nil
			}
			if err != nil || late {
				return fmt.Errorf("%s: got %w, want %w", verb, cmp.Or(err, errNone), want)
			}
		}
		started()
	}
}

var errNone = errors.New("no error")
