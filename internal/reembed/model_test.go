package reembed_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/reembed"
)

var schema = engine.Schema{
	Name: "docs", Dim: 2, Metric: codec.L2, Model: "old",
	Fields: []engine.Field{
		{Name: "a", Type: filter.String}, {Name: "b", Type: filter.String}, {Name: "bytes", Type: filter.Bytes},
		{Name: "at", Type: filter.Time}, {Name: "n", Type: filter.Int}, {Name: "x", Type: filter.Float},
	},
}

// Fields that look alike when they are printed, and some that are the same although
// they do not look it.
var (
	noon  = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	alike = [][]any{
		{"a b", "c", []byte("ab"), noon, int64(0), 0.0},
		{"a", "b c", []byte("ab"), noon, int64(0), 0.0},
		{"a", "b c", []byte("ba"), noon, int64(0), 0.0},
		{"a", "b c", []byte("ba"), noon.In(time.FixedZone("", 3600)), int64(0), 0.0},
		{"a", "b c", []byte("ba"), noon.Add(time.Microsecond), int64(0), 0.0},
		{nil, nil, nil, nil, nil, nil},
		{"<nil>", nil, nil, nil, nil, nil},
		{"", nil, nil, nil, nil, nil},
		{nil, "", nil, nil, nil, nil},
		{nil, nil, []byte{}, nil, nil, nil},
		{nil, nil, nil, nil, int64(0), nil},
		{nil, nil, nil, nil, nil, 0.0},
	}
	texts = []string{"", "one", "two", "one two", "refused", "refused too"}
)

var errRefused = errors.New("not this text")

func refused(text string) bool { return strings.HasPrefix(text, "refused") }

// vectorOf is the vector of a text, of the new model.
func vectorOf(text string) engine.Vector {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	sum := h.Sum32()
	return engine.Vector{F32: []float32{float32(sum & 0xffff), float32(sum >> 16), 1}}
}

// world is a collection that is reembedded while it is written to, and what it is
// to hold.
type world struct {
	engine.Engine
	t        *testing.T
	ctx      context.Context // of the test; an embedder may be given one that has ended
	old      engine.Collection
	mu       sync.Mutex
	rng      *rand.Rand
	want     map[string]engine.Record
	ids      int
	writes   int         // how many more there are
	swapping atomic.Bool // writers have to wait
	calls    atomic.Int64
	cut      int64 // the call of the embedder that fails, 0 for none
}

func newWorld(t *testing.T, seed uint64, records, writes int) *world {
	e, err := local.Open(t.Context(), local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	w := &world{
		Engine: e, t: t, ctx: t.Context(), rng: rand.New(rand.NewPCG(seed, 1)), want: map[string]engine.Record{},
		ids: records + 10, writes: 1 << 30,
	}
	w.old, err = e.Create(t.Context(), schema)
	require.NoError(t, err)
	for range records {
		w.write()
	}
	w.writes = writes
	return w
}

// write changes some records. The caller is the only one, or holds w.mu.
func (w *world) write() {
	if w.writes == 0 {
		return
	}
	w.writes--
	id := fmt.Sprintf("%03d", w.rng.IntN(w.ids))
	if w.rng.IntN(4) == 0 {
		_, err := w.old.Delete(w.ctx, []string{id})
		if err != nil {
			w.t.Error(err)
		}
		delete(w.want, id)
		return
	}
	r, ok := w.want[id]
	if !ok || w.rng.IntN(2) == 0 {
		r.Text = texts[w.rng.IntN(len(texts))]
		if w.rng.IntN(2) == 0 && r.Text != "" {
			r.Text += fmt.Sprint(" ", w.rng.IntN(1000))
		}
	}
	r = engine.Record{ID: id, Text: r.Text, Vector: engine.Vector{F32: []float32{1, 2}}, Fields: alike[w.rng.IntN(len(alike))]}
	if err := w.old.Upsert(w.ctx, []engine.Record{r}); err != nil {
		w.t.Error(err)
	}
	w.want[id] = r
}

// Swap writes once more before a swap, where a pass can see it no longer.
func (w *world) Swap(ctx context.Context, s engine.Swap) error {
	w.mu.Lock()
	for range w.rng.IntN(20) {
		w.write()
	}
	w.mu.Unlock()
	settle := s.Settle
	s.Settle = func(ctx context.Context, old, next engine.Collection) error {
		w.swapping.Store(true)
		return settle(ctx, old, next)
	}
	defer w.swapping.Store(false)
	return w.Engine.Swap(ctx, s)
}

var errCut = errors.New("the service is gone")

func (w *world) embed(_ context.Context, list []string) ([]engine.Vector, []ingest.TextFailure, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	write := func() {
		if !w.swapping.Load() {
			for range w.rng.IntN(5) {
				w.write()
			}
		}
	}
	write()
	if call := w.calls.Add(1); call == w.cut {
		return nil, nil, errCut
	}
	vectors := make([]engine.Vector, len(list))
	var failed []ingest.TextFailure
	for i, text := range list {
		if refused(text) {
			failed = append(failed, ingest.TextFailure{Index: i, Err: errRefused})
		} else {
			vectors[i] = vectorOf(text)
		}
	}
	write()
	return vectors, failed, nil
}

func (w *world) options() reembed.Options {
	return reembed.Options{
		Engine: w, Log: slog.New(slog.DiscardHandler), Name: "docs", Model: "new", Dim: 3, Embed: w.embed,
		Check: func(engine.Schema) error { return nil }, Workers: 3, Batch: 8,
	}
}

// expect compares a collection with what it is to hold.
func (w *world) expect(name string, keep func(engine.Record) bool) {
	w.t.Helper()
	c, err := w.Open(w.ctx, name)
	require.NoError(w.t, err)
	is, err := c.Scan(w.ctx, engine.Scan{Limit: 1 << 20, Vectors: true})
	require.NoError(w.t, err)
	n := 0
	for _, want := range w.want {
		if keep(want) {
			n++
		}
	}
	require.Len(w.t, is, n)
	for _, r := range is {
		want, ok := w.want[r.ID]
		require.True(w.t, ok && keep(want), "%v is there", r)
		require.Equal(w.t, want.Text, r.Text, r.ID)
		require.True(w.t, engine.SameFields(want.Fields, r.Fields), "%s has %v in place of %v", r.ID, r.Fields, want.Fields)
		vector := want.Vector
		if c.Schema().Model == "new" {
			vector = vectorOf(want.Text)
		}
		require.Equal(w.t, vector, r.Vector, "%s: %q", r.ID, r.Text)
	}
}

func every(engine.Record) bool { return true }

func embeddable(r engine.Record) bool { return r.Text != "" && !refused(r.Text) }

// mend gives the records that cannot be embedded a text, or deletes them.
func (w *world) mend() {
	for id, r := range w.want {
		if embeddable(r) {
			continue
		}
		if r.Text == "" {
			_, err := w.old.Delete(w.ctx, []string{id})
			require.NoError(w.t, err)
			delete(w.want, id)
			continue
		}
		r.Text = "mended"
		require.NoError(w.t, w.old.Upsert(w.ctx, []engine.Record{r}))
		w.want[id] = r
	}
}

// Whatever is written while a collection is reembedded, and whenever that is, the
// new collection holds what a plain model says.
func TestRunIsTheModel(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed, 60, 100)
			o := w.options()
			o.SkipFailed = seed%2 == 0
			if seed%3 == 0 {
				o.Keep = "kept"
			}
			report, err := reembed.Run(t.Context(), o)
			for round := 0; !o.SkipFailed && errors.As(err, new(*reembed.FailedError)); round++ {
				require.Less(t, round, 50)
				require.Positive(t, report.Failed)
				w.expect("docs", every) // nothing was replaced
				w.mend()
				report, err = reembed.Run(t.Context(), o)
			}
			require.NoError(t, err)
			keep := embeddable
			if !o.SkipFailed {
				keep = every
				require.Zero(t, report.Failed)
			}
			w.expect("docs", keep)
			_, err = w.old.Count(t.Context(), filter.Filter{})
			require.ErrorIs(t, err, engine.ErrNotFound)
			names := []string{}
			all, err := w.List(t.Context())
			require.NoError(t, err)
			for _, s := range all {
				names = append(names, s.Name)
			}
			if o.Keep == "" {
				require.Equal(t, []string{"docs"}, names)
			} else {
				require.Equal(t, []string{"docs", "kept"}, names)
				w.expect("kept", every)
			}
		})
	}
}

// A Run that was interrupted is gone on with by the next one, whatever was written
// in between.
func TestRunGoesOn(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed, 100, 60)
			o := w.options()
			o.SkipFailed = true
			for range 5 {
				w.cut = w.calls.Load() + 1 + w.rng.Int64N(6)
				_, err := reembed.Run(t.Context(), o)
				if err == nil {
					break
				}
				require.ErrorIs(t, err, errCut)
				w.expect("docs", every)
				for range 5 {
					w.write()
				}
			}
			w.cut = 0
			_, err := reembed.Run(t.Context(), o)
			require.NoError(t, err)
			w.expect("docs", embeddable)
			calls := w.calls.Load()
			_, err = reembed.Run(t.Context(), o)
			require.NoError(t, err)
			require.Equal(t, calls, w.calls.Load(), "there was nothing to do")
		})
	}
}

// Records whose texts became such as are refused, after the second collection had
// them, leave it again, however many they are.
func TestRunDropsWhatIsRefusedNow(t *testing.T) {
	const n = 300
	w := newWorld(t, 1, 0, 0)
	put := func(text string) {
		for i := range n {
			r := engine.Record{ID: fmt.Sprint(i), Text: text, Vector: engine.Vector{F32: []float32{1, 2}}, Fields: alike[0]}
			require.NoError(t, w.old.Upsert(t.Context(), []engine.Record{r}))
			w.want[r.ID] = r
		}
	}
	put("good")
	extra := engine.Record{ID: "last", Text: "refused", Vector: engine.Vector{F32: []float32{1, 2}}, Fields: alike[0]}
	require.NoError(t, w.old.Upsert(t.Context(), []engine.Record{extra}))
	w.want["last"] = extra
	o := w.options()
	_, err := reembed.Run(t.Context(), o)
	require.ErrorAs(t, err, new(*reembed.FailedError)) // all others are in the second collection now

	put("refused now")
	o.SkipFailed = true
	report, err := reembed.Run(t.Context(), o)
	require.NoError(t, err)
	require.EqualValues(t, n+1, report.Failed)
	require.EqualValues(t, n, report.Deleted)
	w.expect("docs", embeddable)
}

// Writers that never pause are kept out in the end: what they were told is stored
// is there.
func TestRunWithWritersThatNeverPause(t *testing.T) {
	w := newWorld(t, 3, 20, 0)
	for id := range w.want { // the writers below give all a text
		_, err := w.old.Delete(t.Context(), []string{id})
		require.NoError(t, err)
		delete(w.want, id)
	}
	begun := make(chan struct{})
	var once sync.Once
	var writers sync.WaitGroup
	stored := make([]map[string]engine.Record, 2)
	for writer := range stored {
		stored[writer] = map[string]engine.Record{}
		writers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprint(writer, " ", i%5)
				r := engine.Record{ID: id, Text: fmt.Sprint("text ", i), Vector: engine.Vector{F32: []float32{1, 2}}, Fields: alike[0]}
				if err := w.old.Upsert(w.ctx, []engine.Record{r}); err != nil {
					if !errors.Is(err, engine.ErrNotFound) {
						t.Error(err)
					}
					once.Do(func() { close(begun) })
					return
				}
				stored[writer][id] = r
				if i == 10 {
					once.Do(func() { close(begun) })
				}
			}
		})
	}
	<-begun
	_, err := reembed.Run(t.Context(), w.options())
	if err != nil {
		require.NoError(t, w.Drop(t.Context(), "docs")) // which ends the writers
	}
	writers.Wait()
	require.NoError(t, err)
	for _, records := range stored {
		for id, r := range records {
			w.want[id] = r
		}
	}
	w.expect("docs", every)
}

// An embedder may write to the same engine, as one with a cache there does.
func TestRunWithAnEmbedderThatWritesToTheEngine(t *testing.T) {
	w := newWorld(t, 4, 60, 20)
	cache, err := w.Create(t.Context(), engine.Schema{Name: "cache", Dim: 3, Metric: codec.Dot})
	require.NoError(t, err)
	o := w.options()
	o.SkipFailed = true
	o.Embed = func(ctx context.Context, list []string) ([]engine.Vector, []ingest.TextFailure, error) {
		for _, text := range list {
			if err := cache.Upsert(ctx, []engine.Record{{ID: "of " + text, Vector: vectorOf(text), Fields: []any{}}}); err != nil {
				return nil, nil, err
			}
		}
		return w.embed(ctx, list)
	}
	_, err = reembed.Run(t.Context(), o)
	require.NoError(t, err)
	w.expect("docs", embeddable)
}
