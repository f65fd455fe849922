package vecwire_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// worldModel is a database as it should be: the simplest thing that could be right.
type worldModel struct {
	t             *testing.T
	rng           *rand.Rand
	url           string
	cfg           vecwire.Config
	db            *vecwire.DB
	all           map[string]*modelled // by the names of collections
	next          int
	inTx          bool
	again, closed int // how often a transaction began anew, and a handle was closed
}

// modelled is a collection as it should be, and handles to it.
type modelled struct {
	handles []*vecwire.Collection
	schema  vecwire.Schema
	records map[string]vecwire.Record
}

// TestEmbeddedModel does random things to several collections of one store, through handles
// of which some are closed and some have seen other schemas, while a small Config.Memory lets
// collections go, and compares all that is read with maps.
func TestEmbeddedModel(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if testenv.All() {
		seeds = 60
	}
	for seed := range seeds {
		for _, in := range []string{"mem", "file"} {
			t.Run(fmt.Sprint(in, " ", seed), func(t *testing.T) {
				w := &worldModel{t: t, rng: rand.New(rand.NewPCG(seed, 7)), url: "mem:", all: map[string]*modelled{}}
				if in == "file" {
					w.url = "file:" + filepath.Join(t.TempDir(), "store.db") + "?sync=normal"
				}
				w.cfg.Memory = []int64{0, 1, 50 << 10}[w.rng.IntN(3)]
				w.open()
				for range 120 {
					w.step()
				}
				for name := range w.all {
					w.compareAll(t.Context(), name)
				}
				w.check(w.db)
				require.NoError(t, w.db.Close())
			})
		}
	}
}

func (w *worldModel) open() {
	db, err := w.cfg.Open(w.t.Context(), w.url)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { db.Close() })
	w.db = db
}

// again is an error after which a transaction begins anew.
type again struct{ error }

// ok fails the test if a verb has failed, but for a transaction that begins anew since
// it needs what is not in memory.
func (w *worldModel) ok(err error) {
	w.t.Helper()
	if w.inTx && err != nil && w.cfg.Memory+int64(w.closed) > 0 {
		w.again++
		panic(again{err})
	}
	require.NoError(w.t, err)
}

// step does one thing and compares one collection.
func (w *worldModel) step() {
	t, ctx := w.t, w.t.Context()
	names := slices.Sorted(maps.Keys(w.all))
	if len(names) == 0 || w.rng.IntN(20) == 0 && len(names) < 6 {
		w.create()
		return
	}
	name := names[w.rng.IntN(len(names))]
	switch w.rng.IntN(24) {
	case 0:
		if w.rng.IntN(4) == 0 {
			require.NoError(t, w.db.DropCollection(ctx, name))
			_, err := w.handle(name).Count(ctx, filter.Filter{})
			require.ErrorIs(t, err, vecwire.ErrNotFound)
			delete(w.all, name)
			return
		}
	case 1, 2:
		name = w.alter(name)
	case 3, 4:
		w.close(name)
	case 5:
		w.index(name)
	case 6, 7, 8:
		w.tx(names)
	case 9:
		w.backup(names)
	case 10:
		w.check(w.db)
	case 11:
		if w.url == "mem:" {
			break
		}
		require.NoError(t, w.db.Close())
		w.open()
		for _, name := range names {
			c, err := w.db.OpenCollection(ctx, name)
			require.NoError(t, err)
			w.all[name].handles = []*vecwire.Collection{c}
		}
	case 12:
		require.NoError(t, w.db.Compact(ctx))
	case 13:
		m := w.all[name]
		for i := range 1100 { // codes are made
			r := w.record(m, fmt.Sprint("bulk", i))
			m.records[r.ID] = r
		}
		report, err := w.handle(name).Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
			for id, r := range m.records {
				if strings.HasPrefix(id, "bulk") && !yield(r, nil) {
					return
				}
			}
		}, vecwire.IngestOptions{BatchRecords: 200})
		require.NoError(t, err)
		require.NoError(t, report.Err())
	default:
		w.write(ctx, name)
	}
	w.compare(ctx, name)
	if w.rng.IntN(8) == 0 {
		w.compareAll(ctx, name)
	}
}

// create makes a collection with a schema of chance.
func (w *worldModel) create() {
	w.next++
	pick := func(n int) bool { return w.rng.IntN(n) == 0 }
	s := vecwire.Schema{
		Name: fmt.Sprint("c", w.next), Dim: []int{1, 2, 7, 40, 130}[w.rng.IntN(5)],
		Metric: []vecwire.Metric{vecwire.Cosine, vecwire.Dot, vecwire.L2}[w.rng.IntN(3)],
		Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: pick(2)}, {Name: "tags", Type: vecwire.Strings, Index: pick(2)}},
	}
	if pick(2) {
		s.Element = vecwire.DOUBLE
	}
	if pick(2) {
		s.FullText = vecwire.Words
	}
	if pick(2) && s.Dim > 32 {
		s.Codes = vecwire.FourBits
	}
	if pick(2) {
		s.Vectors = []vecwire.VectorField{{Name: "title", Dim: 3, Metric: vecwire.L2}}
	}
	c, err := w.db.CreateCollection(w.t.Context(), s)
	require.NoError(w.t, err)
	w.all[s.Name] = &modelled{[]*vecwire.Collection{c}, s, map[string]vecwire.Record{}}
}

// handle returns one of a collection's handles.
func (w *worldModel) handle(name string) *vecwire.Collection {
	handles := w.all[name].handles
	return handles[w.rng.IntN(len(handles))]
}

func (w *worldModel) vector(dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(w.rng.IntN(9) - 4)
	}
	v[w.rng.IntN(dim)] += 0.5 // never zero
	return v
}

func (w *worldModel) record(m *modelled, id string) vecwire.Record {
	r := vecwire.Record{ID: id, Text: []string{"", "alpha of " + id, "beta"}[w.rng.IntN(3)]}
	v := w.vector(m.schema.Dim)
	if m.schema.Element == vecwire.DOUBLE {
		for _, x := range v {
			r.Vector64 = append(r.Vector64, float64(x)+w.rng.Float64()/1e9)
		}
	} else {
		r.Vector = v
	}
	for _, f := range m.schema.Fields {
		if w.rng.IntN(4) == 0 {
			continue
		}
		if r.Fields == nil {
			r.Fields = vecwire.Fields{}
		}
		if f.Type == vecwire.Strings {
			r.Fields[f.Name] = []string{"a", fmt.Sprint("t", w.rng.IntN(5))}
		} else {
			r.Fields[f.Name] = w.rng.Int64N(20)
		}
	}
	for _, v := range m.schema.Vectors {
		if w.rng.IntN(3) > 0 {
			if r.Vectors == nil {
				r.Vectors = map[string][]float32{}
			}
			r.Vectors[v.Name] = w.vector(v.Dim)
		}
	}
	return r
}

// intField names a field of the type Int, or "".
func (w *worldModel) intField(m *modelled) string {
	var names []string
	for _, f := range m.schema.Fields {
		if f.Type == vecwire.Int {
			names = append(names, f.Name)
		}
	}
	if names == nil {
		return ""
	}
	return names[w.rng.IntN(len(names))]
}

// condition returns a filter, and what it means.
func (w *worldModel) condition(m *modelled) (filter.Filter, func(vecwire.Record) bool) {
	n := w.intField(m)
	from := w.rng.Int64N(20)
	switch w.rng.IntN(5) {
	case 0:
		if n != "" {
			return filter.Ge(n, from), func(r vecwire.Record) bool { v, ok := r.Fields[n].(int64); return ok && v >= from }
		}
	case 1:
		if n != "" {
			return filter.Or(filter.IsNull(n), filter.Eq(n, from)), func(r vecwire.Record) bool {
				v, ok := r.Fields[n].(int64)
				return !ok || v == from
			}
		}
	case 2:
		for _, f := range m.schema.Fields {
			if f.Type == vecwire.Strings {
				tag := fmt.Sprint("t", from%5)
				return filter.ContainsAny(f.Name, tag), func(r vecwire.Record) bool {
					tags, _ := r.Fields[f.Name].([]string)
					return slices.Contains(tags, tag)
				}
			}
		}
	case 3:
		return filter.Prefix("id", "id1"), func(r vecwire.Record) bool { return strings.HasPrefix(r.ID, "id1") }
	}
	return filter.Filter{}, func(vecwire.Record) bool { return true }
}

// write changes records.
func (w *worldModel) write(ctx context.Context, name string) {
	t, m, c := w.t, w.all[name], w.handle(name)
	id := func() string { return fmt.Sprint("id", w.rng.IntN(80)) }
	switch w.rng.IntN(6) {
	case 0:
		ids := []string{id(), "none"}
		want := 0
		if _, ok := m.records[ids[0]]; ok {
			want = 1
		}
		n, err := c.Delete(ctx, ids...)
		w.ok(err)
		require.Equal(t, want, n)
		delete(m.records, ids[0])
	case 1:
		f, passes := w.condition(m)
		if f.IsZero() {
			return
		}
		want := m.which(passes)
		n, err := c.DeleteWhere(ctx, f)
		w.ok(err)
		require.Equal(t, len(want), n)
		for _, id := range want {
			delete(m.records, id)
		}
	case 2:
		id := id()
		if _, there := m.records[id]; there || ctx == t.Context() { // an error would end a transaction
			w.update(ctx, m, c, id)
		}
	case 3:
		f, passes := w.condition(m)
		n := w.intField(m)
		if n == "" || f.IsZero() {
			return
		}
		want := m.which(passes)
		to := w.rng.Int64N(20)
		got, err := c.UpdateWhere(ctx, f, vecwire.Fields{n: to})
		w.ok(err)
		require.Equal(t, len(want), got)
		for _, id := range want {
			m.set(id, n, to)
		}
	default:
		var batch []vecwire.Record
		for range 1 + w.rng.IntN(30) {
			r := w.record(m, id())
			if !slices.ContainsFunc(batch, func(o vecwire.Record) bool { return o.ID == r.ID }) {
				batch = append(batch, r)
			}
		}
		w.ok(c.Upsert(ctx, batch...))
		for _, r := range batch {
			m.records[r.ID] = r
		}
	}
}

// update changes one record, its own vector or a named one.
func (w *worldModel) update(ctx context.Context, m *modelled, c *vecwire.Collection, id string) {
	was, there := m.records[id]
	change := vecwire.Change{ID: id}
	like := w.record(m, id)
	if w.rng.IntN(2) == 0 {
		change.Vector, change.Vector64 = like.Vector, like.Vector64
	}
	if w.rng.IntN(2) == 0 {
		for _, v := range m.schema.Vectors {
			if change.Vectors == nil {
				change.Vectors = map[string][]float32{}
			}
			change.Vectors[v.Name] = like.Vectors[v.Name]
		}
	}
	n := w.intField(m)
	if n != "" {
		change.Set = vecwire.Fields{n: w.rng.Int64N(20)}
	} else {
		change.Text = "gamma"
	}
	err := c.Update(ctx, change)
	if !there {
		require.ErrorIs(w.t, err, vecwire.ErrNotFound)
		return
	}
	w.ok(err)
	if n != "" {
		m.set(id, n, change.Set[n])
		was = m.records[id]
	}
	if change.Text != "" {
		was.Text = change.Text
	}
	if change.Vector != nil || change.Vector64 != nil {
		was.Vector, was.Vector64 = change.Vector, change.Vector64
	}
	if change.Vectors != nil {
		was.Vectors = maps.Clone(was.Vectors)
		for name, v := range change.Vectors {
			if was.Vectors == nil {
				was.Vectors = map[string][]float32{}
			}
			if was.Vectors[name] = v; v == nil {
				delete(was.Vectors, name)
			}
		}
		if len(was.Vectors) == 0 {
			was.Vectors = nil
		}
	}
	m.records[id] = was
}

func (m *modelled) set(id, field string, value any) {
	r := m.records[id]
	if r.Fields = maps.Clone(r.Fields); r.Fields == nil {
		r.Fields = vecwire.Fields{}
	}
	r.Fields[field] = value
	m.records[id] = r
}

// which returns the IDs of the records that pass, in order.
func (m *modelled) which(passes func(vecwire.Record) bool) (ids []string) {
	for id, r := range m.records {
		if passes(r) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (m *modelled) clone() *modelled {
	return &modelled{m.handles, m.schema, maps.Clone(m.records)}
}

var errUndo = errors.New("undo")

// tx changes several collections in one transaction, which is undone or not.
func (w *worldModel) tx(names []string) {
	before := w.all
	undo := w.rng.IntN(2) == 0
	err := w.db.Tx(w.t.Context(), func(ctx context.Context) (err error) {
		w.inTx, w.all = true, map[string]*modelled{}
		for name, m := range before {
			w.all[name] = m.clone()
		}
		defer func() {
			w.inTx = false
			if again, is := recover().(again); is {
				err = again
			}
		}()
		for range 1 + w.rng.IntN(6) {
			name := names[w.rng.IntN(len(names))]
			w.write(ctx, name)
			w.compare(ctx, name)
			if w.rng.IntN(4) == 0 {
				w.compareAll(ctx, name)
			}
		}
		if undo {
			return errUndo
		}
		return nil
	})
	if undo {
		require.ErrorIs(w.t, err, errUndo)
		w.all = before
		return
	}
	require.NoError(w.t, err)
}

// close closes a handle, which lets the memory go, and opens another, or goes on with the
// others.
func (w *worldModel) close(name string) {
	m := w.all[name]
	i := w.rng.IntN(len(m.handles))
	c := m.handles[i]
	w.closed++
	require.NoError(w.t, c.Close())
	_, err := c.Count(w.t.Context(), filter.Filter{})
	require.ErrorIs(w.t, err, vecwire.ErrClosed)
	m.handles = slices.Delete(m.handles, i, i+1)
	for len(m.handles) == 0 || w.rng.IntN(3) == 0 {
		c, err := w.db.OpenCollection(w.t.Context(), name)
		require.NoError(w.t, err)
		m.handles = append(m.handles, c)
	}
}

// index builds an index or drops it.
func (w *worldModel) index(name string) {
	ctx, c := w.t.Context(), w.handle(name)
	if len(w.all[name].schema.Vectors) > 0 && w.rng.IntN(2) == 0 {
		var err error
		c, err = c.In(w.all[name].schema.Vectors[0].Name)
		require.NoError(w.t, err)
	}
	there, err := c.Indexes(ctx)
	require.NoError(w.t, err)
	for _, index := range there {
		if index.Kind == "hnsw" {
			require.NoError(w.t, c.DropIndex(ctx, index.Name))
			return
		}
	}
	require.NoError(w.t, c.BuildIndex(ctx, vecwire.IndexOptions{M: 4, EfConstruction: 20}))
}

// alter alters a collection, and returns the name it has then.
func (w *worldModel) alter(name string) string {
	m := w.all[name]
	var a vecwire.Alter
	s := m.schema
	s.Fields, s.Vectors = slices.Clone(s.Fields), slices.Clone(s.Vectors)
	w.next++
	rename := func(r vecwire.Record) vecwire.Record { return r }
	switch w.rng.IntN(8) {
	case 0:
		f := vecwire.Field{Name: fmt.Sprint("f", w.next), Type: []vecwire.FieldType{vecwire.Int, vecwire.Strings}[w.rng.IntN(2)], Index: w.rng.IntN(2) == 0}
		a.AddFields, s.Fields = []vecwire.Field{f}, append(s.Fields, f)
	case 1:
		if len(s.Fields) == 0 {
			return name
		}
		i := w.rng.IntN(len(s.Fields))
		gone := s.Fields[i].Name
		a.DropFields, s.Fields = []string{gone}, slices.Delete(s.Fields, i, i+1)
		rename = func(r vecwire.Record) vecwire.Record {
			r.Fields = maps.Clone(r.Fields)
			if delete(r.Fields, gone); len(r.Fields) == 0 {
				r.Fields = nil
			}
			return r
		}
	case 2:
		if len(s.Fields) == 0 {
			return name
		}
		f := &s.Fields[w.rng.IntN(len(s.Fields))]
		from, to := f.Name, fmt.Sprint("r", w.next)
		f.Name, a.RenameFields = to, map[string]string{from: to}
		rename = func(r vecwire.Record) vecwire.Record {
			if v, ok := r.Fields[from]; ok {
				r.Fields = maps.Clone(r.Fields)
				delete(r.Fields, from)
				r.Fields[to] = v
			}
			return r
		}
	case 3:
		if len(s.Fields) == 0 {
			return name
		}
		f := &s.Fields[w.rng.IntN(len(s.Fields))]
		f.Index = !f.Index
		a.Indexed = map[string]bool{f.Name: f.Index}
	case 4:
		kind := vecwire.Words
		if s.FullText == kind {
			kind = vecwire.NoFullText
		}
		a.FullText, s.FullText = &kind, kind
	case 5:
		codes := vecwire.FourBits
		if s.Codes == codes {
			codes = vecwire.SevenBits
		}
		a.Codes, s.Codes = &codes, codes
	case 6:
		if len(s.Vectors) > 0 {
			gone := s.Vectors[0].Name
			a.DropVectors, s.Vectors = []string{gone}, nil
			rename = func(r vecwire.Record) vecwire.Record {
				r.Vectors = nil
				return r
			}
		} else {
			v := vecwire.VectorField{Name: fmt.Sprint("v", w.next), Dim: 3, Metric: vecwire.L2}
			a.AddVectors, s.Vectors = []vecwire.VectorField{v}, []vecwire.VectorField{v}
		}
	case 7:
		a.Rename = fmt.Sprint("c", w.next)
		s.Name = a.Rename
	}
	require.NoError(w.t, w.db.AlterCollection(w.t.Context(), name, a), "%+v", a)
	m.schema = s
	for id, r := range m.records {
		m.records[id] = rename(r)
	}
	delete(w.all, name)
	w.all[s.Name] = m
	return s.Name
}

// backup compares a copy with what is there.
func (w *worldModel) backup(names []string) {
	path := filepath.Join(w.t.TempDir(), "backup.db")
	require.NoError(w.t, w.db.Backup(w.t.Context(), path))
	db, err := vecwire.Open(w.t.Context(), path)
	require.NoError(w.t, err)
	copied := &worldModel{t: w.t, rng: w.rng, db: db, all: map[string]*modelled{}}
	for _, name := range names {
		c, err := db.OpenCollection(w.t.Context(), name)
		require.NoError(w.t, err)
		m := w.all[name].clone()
		m.handles = []*vecwire.Collection{c}
		copied.all[name] = m
		copied.compare(w.t.Context(), name)
		copied.compareAll(w.t.Context(), name)
	}
	copied.check(db)
	require.NoError(w.t, db.Close())
}

func (w *worldModel) check(db *vecwire.DB) {
	report, err := db.Check(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, report.Problems)
	require.Len(w.t, report.Collections, len(w.all))
	for _, c := range report.Collections {
		require.Equal(w.t, len(w.all[c.Name].records), c.Records)
	}
}

// compareAll reads everything.
func (w *worldModel) compareAll(ctx context.Context, name string) {
	t, m := w.t, w.all[name]
	c := w.handle(name)
	got := map[string]vecwire.Record{}
	last := ""
	for r, err := range c.All(ctx, vecwire.Scan{Vectors: true}) {
		w.ok(err)
		require.Greater(t, r.ID, last)
		last = r.ID
		got[r.ID] = r
	}
	require.Equal(t, len(m.records), len(got))
	for id, r := range m.records {
		require.Equal(t, r, got[id])
	}
}

// compare asks some questions.
func (w *worldModel) compare(ctx context.Context, name string) {
	t, m, c := w.t, w.all[name], w.handle(name)
	f, passes := w.condition(m)
	want := m.which(passes)
	n, err := c.Count(ctx, f)
	w.ok(err)
	require.Equal(t, len(want), n)

	ids := []string{"none", "id3", "id4", "bulk7"}
	records, err := c.Get(ctx, ids...)
	w.ok(err)
	var there []string
	for _, r := range records {
		there = append(there, r.ID)
		require.Equal(t, m.records[r.ID], r)
	}
	require.ElementsMatch(t, there, slices.DeleteFunc(ids, func(id string) bool { _, ok := m.records[id]; return !ok }))

	for range 1 + w.rng.IntN(3) { // half of the codes is made by several searches
		q := vecwire.Query{K: 1 + w.rng.IntN(15), Filter: f, Exact: w.rng.IntN(2) == 0, Vectors: w.rng.IntN(2) == 0, IDsOnly: w.rng.IntN(4) == 0}
		metric, dim := m.schema.Metric, m.schema.Dim
		of := func(r vecwire.Record) ([]float32, []float64) { return r.Vector, r.Vector64 }
		if len(m.schema.Vectors) > 0 && w.rng.IntN(2) == 0 {
			v := m.schema.Vectors[0]
			q.In, metric, dim = v.Name, v.Metric, v.Dim
			of = func(r vecwire.Record) ([]float32, []float64) { return r.Vectors[v.Name], nil }
		}
		q.Vector = w.vector(dim)
		w.search(ctx, c, m, q, want, metric, of)
	}
}

func (w *worldModel) search(ctx context.Context, c *vecwire.Collection, m *modelled, q vecwire.Query, among []string, metric vecwire.Metric, of func(vecwire.Record) ([]float32, []float64)) {
	t := w.t
	type scored struct {
		id    string
		score float64
	}
	var best []scored
	scores := map[string]float64{}
	for _, id := range among {
		v32, v64 := of(m.records[id])
		for _, x := range v32 {
			v64 = append(v64, float64(x))
		}
		if v64 == nil {
			continue
		}
		scores[id] = scoreOf(metric, q.Vector, v64)
		best = append(best, scored{id, scores[id]})
	}
	slices.SortFunc(best, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
	results, err := c.SearchMany(ctx, []vecwire.Query{q})
	w.ok(err)
	hits := results[0].Hits
	require.Len(t, hits, min(q.K, len(best)), "%+v", results[0].Plan)
	if q.Exact {
		require.True(t, results[0].Exact)
	}
	seen := map[string]bool{}
	for i, h := range hits {
		score, ok := scores[h.ID]
		require.True(t, ok, h.ID)
		require.False(t, seen[h.ID])
		seen[h.ID] = true
		tolerance := 1e-5 * (1 + math.Abs(score)) * 10
		require.InDelta(t, score, h.Score, tolerance)
		if results[0].Exact {
			require.InDelta(t, best[i].score, h.Score, tolerance)
		}
		record := m.records[h.ID]
		if q.IDsOnly {
			record.Text, record.Fields = "", nil
		}
		if !q.Vectors {
			record.Vector, record.Vector64, record.Vectors = nil, nil, nil
		}
		require.Equal(t, record, h.Record)
	}
}

// scoreOf is a score by its formula.
func scoreOf(metric vecwire.Metric, q []float32, v []float64) float64 {
	dot, qq, vv, d := 0.0, 0.0, 0.0, 0.0
	for i, x := range q {
		x := float64(x)
		dot, qq, vv, d = dot+x*v[i], qq+x*x, vv+v[i]*v[i], d+(x-v[i])*(x-v[i])
	}
	switch metric {
	case vecwire.Dot:
		return dot
	case vecwire.L2:
		return -math.Sqrt(d)
	}
	return dot / math.Sqrt(qq*vv)
}
