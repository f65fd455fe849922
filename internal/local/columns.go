package local

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// The indexed fields of a collection are in memory, too, from the fourth filter on, or
// from when filters have taken SQLite about as long as it takes to read them. Package
// columns answers a filter from there; for what it does not have SQLite is asked, and its
// answer is kept until the next change. Which rows have changed is noted when a commit is applied, be it of this
// process or another, and their values are read when a filter asks for them: so what is
// here is what SQLite has, by whichever way it came there.
//
// Who reads has the collection's mu for reading, and nothing is noted as changed
// meanwhile. What he reads from SQLite may be of a later commit of another process than
// the memory is at: then that commit is noted afterwards, and its rows are read again,
// and his call begins anew (see reads). A call that is pinned to a state leaves alone
// what is later.
type fieldColumns struct {
	// loading is held while columns are filled or changed, and by a transaction that asks
	// them, since it has not the collection's mu.
	loading *semaphore.Weighted

	mu      sync.Mutex
	live    columns.Set // nil if nobody has asked for it
	words   int         // how long sets must be
	all     map[string]*fieldColumn
	answers answers
	room    sync.Pool
}

// fieldColumn is one field, or path into a JSON field.
type fieldColumn struct {
	kind   columnKind
	column columns.Builder // nil until it is loaded
	stale  []int32         // rows that have changed since
	at     int64           // the last commit that may be in it
	spent  time.Duration   // what SQLite took for filters over the field so far
}

func newFieldColumns() *fieldColumns {
	return &fieldColumns{loading: semaphore.NewWeighted(1)}
}

// columnOf returns the column that can answer a condition, nil if there is none. The
// caller has t.mu.
func (t *fieldColumns) columnOf(s *engine.Schema, f filter.Filter) *fieldColumn {
	if k, ok := t.all[f.Field()]; ok {
		if k == nil || !columns.Answers(k.kind.field.Type, f) {
			return nil
		}
		return k
	}
	if t.all == nil {
		t.all = map[string]*fieldColumn{}
	}
	kind, ok := kindOf(s, f.Field())
	if !ok {
		if slices.ContainsFunc(s.Fields, func(s engine.Field) bool { return s.Name == f.Field() }) {
			t.all[f.Field()] = nil // and not any path that somebody asks for
		}
		return nil
	}
	t.all[f.Field()] = &fieldColumn{kind: kind}
	return t.columnOf(s, f)
}

// changed notes rows that were changed, those that are there and those that are not. The
// caller has the collection's mu for writing.
func (t *fieldColumns) changed(rows []int32, there func(row int32) bool) {
	if len(rows) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers = answers{}
	if t.live != nil {
		for _, row := range rows {
			if there(row) {
				t.live.Add(row)
			} else {
				t.live.Remove(row)
			}
		}
		t.words = max(t.words, len(t.live))
	}
	for _, k := range t.all {
		if k == nil || k.column == nil {
			continue
		}
		k.stale = append(k.stale, rows...)
		if most := 64*t.words/reloadShare + keptStale; len(k.stale) > most {
			slices.Sort(k.stale)
			if k.stale = slices.Compact(k.stale); len(k.stale) > most/2 {
				k.column, k.stale = nil, nil // to be loaded when it is asked for
			}
		}
	}
}

// A column is loaded again if one in reloadShare of its rows has changed, and some more.
const (
	reloadShare = 4
	keptStale   = 1024
)

// reset forgets everything, because the rows are other ones.
func (t *fieldColumns) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers, t.live, t.words, t.all = answers{}, nil, 0, nil
}

// bytes returns how much memory the columns take.
func (t *fieldColumns) bytes() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.all {
		if k != nil && k.column != nil {
			n += k.column.Bytes()
		}
	}
	return n + t.answers.bytes
}

// rowsThat returns the rows for which a filter is true, which nobody may change, until
// done. The caller has the collection's mu for reading, through reads.
func (c *collection) rowsThat(ctx context.Context, f filter.Filter) (rows columns.Set, done func(), err error) {
	e, err := c.evaluation(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	return rowsOf(e, f)
}

// rowsOf is rowsThat by what is ready for the filter.
func rowsOf(e *evaluation, f filter.Filter) (rows columns.Set, done func(), err error) {
	rows, shared, err := e.Rows(f)
	if err != nil || shared {
		return rows, func() {}, err
	}
	return rows, func() { e.Back(rows) }, nil
}

// give takes a set back.
func (t *fieldColumns) give(s columns.Set) { t.room.Put(&s) }

// evaluation makes the columns ready that a filter needs, and those of fields.
func (c *collection) evaluation(ctx context.Context, f filter.Filter, fields ...string) (*evaluation, error) {
	t := c.fields
	for {
		var missing []*fieldColumn
		e := &evaluation{ctx: ctx, of: c, at: c.store.seq.Load()}
		e.From = e
		t.mu.Lock()
		if t.live == nil {
			t.see(int(c.end), c.ids.used)
		}
		need := func(f filter.Filter) {
			if f.Field() == "id" {
				if ids := (idColumn{c.ids.row}); ids.answers(f) {
					e.has("id", ids)
				}
				return
			}
			k := t.columnOf(&c.schema, f)
			switch {
			case k == nil:
			case k.column != nil && len(k.stale) == 0:
				if c.store.pinned(ctx) == nil || k.at <= c.store.seq.Load() {
					e.has(f.Field(), k.column)
					e.at = max(e.at, k.at)
				}
			case k.column != nil || k.pays(c.ids.len()):
				missing = append(missing, k)
			}
		}
		conditions(f, need)
		for _, field := range fields {
			need(filter.IsNull(field))
		}
		e.Live, e.words = t.live, t.words
		t.mu.Unlock()
		if len(missing) == 0 {
			return e, nil
		}
		if err := t.loading.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		err := c.loadColumns(ctx, missing)
		t.loading.Release(1)
		if err != nil {
			return nil, err
		}
	}
}

// latest is the last commit of which answers may be used.
func (c *collection) latest(ctx context.Context) int64 {
	if c.store.pinned(ctx) != nil {
		return c.store.seq.Load()
	}
	return 1<<63 - 1
}

// see notes which rows there are. The caller has t.mu.
func (t *fieldColumns) see(end int, there func(row int32) bool) {
	t.live = make(columns.Set, columns.Words(end))
	for row := range int32(end) {
		if there(row) {
			t.live.Add(row)
		}
	}
	t.words = max(t.words, len(t.live))
}

// To read a column takes about loadTime for each record. Before SQLite has taken that
// much, or has answered mostUses filters, it does not pay, but for small collections,
// which take no time: there are programs that ask once.
const (
	loadTime  = 300 * time.Nanosecond
	mostUses  = 4
	freeToTry = 2 * time.Millisecond
)

// pays reports whether it is time to load a column that is not.
func (k *fieldColumn) pays(records int) bool {
	return k.spent+freeToTry >= time.Duration(records)*loadTime
}

// conditions passes on all conditions of a filter.
func conditions(f filter.Filter, each func(f filter.Filter)) {
	if f.Op() > filter.OpNot {
		each(f)
	}
	for _, arg := range f.Args() {
		conditions(arg, each)
	}
}

// others returns an answer of SQLite to a filter. If few rows are within, only those are
// looked at, unless that has been done so often that it would have been less work to
// look at all.
func (c *collection) others(ctx context.Context, f filter.Filter, within columns.Set) (columns.Set, error) {
	t := c.fields
	if set, ok := t.kept(c.latest(ctx), f); ok {
		return set, nil
	}
	if within != nil {
		n := within.Count()
		if n == 0 {
			return nil, nil
		}
		if t.restrict(f, n, c.ids.len()) {
			return c.matchingWithin(ctx, c.store.read, f, within)
		}
	}
	begun := time.Now()
	set, err := c.matching(ctx, c.store.read, f)
	if err != nil {
		return nil, err
	}
	at, err := c.stateRead(ctx)
	if err != nil {
		return nil, err
	}
	t.keep(at, f, set)
	c.spend(f, "", max(time.Since(begun), time.Duration(c.ids.len())*loadTime/mostUses))
	return set, nil
}

// stateRead returns the last commit that what was just read from the file may have.
func (c *collection) stateRead(ctx context.Context) (int64, error) {
	s := c.store
	if s.watch == nil || s.pinned(ctx) != nil || s.upToDate() {
		return s.seq.Load(), nil
	}
	return lastCommit(ctx, s.read)
}
