package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Tests with several processes: a peer is this test's own program, which finds in its
// environment what it is to do with which store.
const (
	peerVariable = "VECWIRE_TEST_PEER"
	killsFlag    = "VECWIRE_TEST_KILLS" // how many kills TestProcesses makes instead of 100
)

type peer struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// startPeer starts a peer, and waits until it says that it has begun.
func startPeer(t testing.TB, path string, does ...string) *peer {
	t.Helper()
	p := startUnheard(t, path, does...)
	require.True(t, p.lines.Scan(), "the peer has ended")
	return p
}

// startUnheard is startPeer without waiting.
func startUnheard(t testing.TB, path string, does ...string) *peer {
	t.Helper()
	cmd := exec.Command(os.Args[0], does...)
	cmd.Env = append(os.Environ(), peerVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &peer{cmd: cmd, lines: bufio.NewScanner(out)}
}

func (p *peer) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// stop kills a peer, if it is still there.
func (p *peer) stop(testing.TB) {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// runPeer is the peer.
func runPeer(path string, does []string) error {
	ctx := context.Background()
	switch does[0] {
	case "resize":
		return resizing(ctx, path)
	case "first":
		return beingFirst(ctx, path, does[1])
	}
	e, err := Open(ctx, Options{Path: path, LockTimeout: time.Minute, Logger: slog.New(falseAlarms{slog.DiscardHandler})})
	if err != nil {
		return err
	}
	switch does[0] {
	case "hold":
		return e.Tx(ctx, func(context.Context) error {
			fmt.Println("holding")
			select {} // until it is killed
		})
	case "grow":
		return growing(ctx, e.(*store))
	case "work":
		who, err := strconv.Atoi(does[1])
		if err != nil {
			return err
		}
		from, err := strconv.Atoi(does[2])
		if err != nil {
			return err
		}
		if peerSchema.Dim, err = strconv.Atoi(does[3]); err != nil {
			return err
		}
		if does[4] == codec.DOUBLE.String() {
			peerSchema.Element = codec.DOUBLE
		}
		fmt.Println("begun")
		return newWorker(e.(*store), who).work(ctx, from)
	}
	return fmt.Errorf("a peer cannot %s", does[0])
}

// falseAlarms ends the process when the log says that something is damaged: nobody damages it.
type falseAlarms struct{ slog.Handler }

func (falseAlarms) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (falseAlarms) Handle(_ context.Context, r slog.Record) error {
	for _, damage := range []string{"not what was stored", "was changed while it was in use", "cannot be used"} {
		if strings.Contains(r.Message, damage) {
			r.Attrs(func(a slog.Attr) bool {
				r.Message += fmt.Sprintf(" %s=%v", a.Key, a.Value)
				return true
			})
			panic("a false alarm: " + r.Message)
		}
	}
	return nil
}

var peerSchema = engine.Schema{
	Name: "docs", Dim: 4, Metric: codec.L2, FullText: engine.Words,
	Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}, {Name: "who", Type: filter.Int, Index: true}, {Name: "source", Index: true}},
}

// A worker writes records of its own, which nobody else changes, to the collection
// that all have, counts in a record that all change, and looks whether all that it
// reads belongs together. What its n-th step does is known beforehand.
type worker struct {
	s    *store
	who  int
	docs engine.Collection
}

func newWorker(s *store, who int) *worker {
	s.leastSave, s.paying = 40, paying{rows: 40}
	return &worker{s: s, who: who}
}

// peerRecord is version n of a record: its vector, text and fields all say which it is.
func peerRecord(who int, id string, n int) engine.Record {
	r := engine.Record{
		ID: id, Text: fmt.Sprintf("version%d of worker%d", n, who), Fields: []any{int64(n), int64(who), nil},
		Vector: peerVector(1, float64(n%1000)/1000, float64(who), float64(len(id))),
	}
	if source := peerSource(id); source != "" {
		r.Fields[2] = source
	}
	return r
}

// peerVector goes on after its first elements with what follows from them.
func peerVector(first ...float64) engine.Vector {
	i := -1
	return vectorOf(peerSchema, func() float64 {
		i++
		return first[i%len(first)] / float64(1+i/len(first))
	})
}

// peerSource returns the source that a record belongs to by its ID, or "".
func peerSource(id string) string {
	if source, _, ok := strings.Cut(id, "#"); ok {
		return source
	}
	return ""
}

const peerIDs = 60

// peerModel is what the records of a worker are after its steps.
type peerModel map[string]int // version by ID

// step is what the n-th step does to the worker's own records.
func (m peerModel) step(who, n int) (upsert, remove []string) {
	rng := rand.New(rand.NewPCG(uint64(who), uint64(n)))
	switch n % 8 {
	case 4: // a source gets other records
		source := fmt.Sprintf("w%d-s%d", who, rng.IntN(4))
		for id := range m {
			if peerSource(id) == source {
				delete(m, id)
			}
		}
		for i := range rng.IntN(12) {
			id := fmt.Sprint(source, "#", rng.IntN(4)+4*i)
			upsert = append(upsert, id)
			m[id] = n
		}
		remove = []string{source}
	case 5:
		for range 6 {
			id := fmt.Sprintf("w%d-%d", who, rng.IntN(peerIDs))
			remove = append(remove, id)
			delete(m, id)
		}
	case 6: // the counter and the pair, which a transaction changes
		m[pairID(who, "a")], m[pairID(who, "b")] = n, n
	case 7: // collections and indexes
	default:
		first := rng.IntN(peerIDs)
		for i := range rng.IntN(20) + 1 {
			id := fmt.Sprintf("w%d-%d", who, (first+i)%peerIDs)
			upsert = append(upsert, id)
			m[id] = n
		}
	}
	return upsert, remove
}

func pairID(who int, half string) string { return fmt.Sprintf("pair-%d-%s", who, half) }

func (w *worker) work(ctx context.Context, from int) error {
	m := peerModel{}
	for n := range from {
		m.step(w.who, n)
	}
	for n := from; ; n++ {
		if err := w.step(ctx, m, n); err != nil {
			return fmt.Errorf("worker %d, step %d: %w", w.who, n, err)
		}
		fmt.Println(n + 1)
		if err := w.look(ctx, m); err != nil {
			return fmt.Errorf("worker %d, after step %d: %w", w.who, n, err)
		}
	}
}

func ensure(ctx context.Context, s *store, schema engine.Schema) (engine.Collection, error) {
	c, err := s.Open(ctx, schema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		if c, err = s.Create(ctx, schema); errors.Is(err, engine.ErrExists) {
			return s.Open(ctx, schema.Name)
		}
	}
	return c, err
}

func (w *worker) step(ctx context.Context, m peerModel, n int) (err error) {
	if w.docs == nil {
		if w.docs, err = ensure(ctx, w.s, peerSchema); err != nil {
			return err
		}
	}
	ids, remove := m.step(w.who, n)
	var upsert []engine.Record
	for _, id := range ids {
		upsert = append(upsert, peerRecord(w.who, id, n))
	}
	switch {
	case n%8 == 4:
		return w.s.Tx(ctx, func(ctx context.Context) error { return w.replace(ctx, remove[0], upsert) })
	case upsert != nil:
		return w.docs.Upsert(ctx, upsert)
	case remove != nil:
		_, err := w.docs.Delete(ctx, remove)
		return err
	case n%8 == 6:
		return w.s.Tx(ctx, func(ctx context.Context) error { return w.count(ctx, n) })
	}
	return w.other(ctx, n)
}

// replace makes records the only ones of a source.
func (w *worker) replace(ctx context.Context, source string, by []engine.Record) error {
	before, err := w.docs.Scan(ctx, engine.Scan{Limit: 1000, Filter: filter.Eq("source", source)})
	if err != nil {
		return err
	}
	var gone []string
	for _, r := range before {
		if !slices.ContainsFunc(by, func(n engine.Record) bool { return n.ID == r.ID }) {
			gone = append(gone, r.ID)
		}
	}
	if _, err := w.docs.Delete(ctx, gone); err != nil || len(by) == 0 {
		return err
	}
	return w.docs.Upsert(ctx, by)
}

// count adds one to the counter, and writes the worker's pair.
func (w *worker) count(ctx context.Context, n int) error {
	found, err := w.docs.Get(ctx, []string{"counter"}, false)
	if err != nil {
		return err
	}
	counter := 0
	if len(found) > 0 {
		counter = int(found[0].Fields[0].(int64))
	}
	return w.docs.Upsert(ctx, []engine.Record{
		peerRecord(99, "counter", counter+1), peerRecord(w.who, pairID(w.who, "a"), n), peerRecord(w.who, pairID(w.who, "b"), n),
	})
}

// other makes and drops a collection of the worker's own, and the index of the common one.
func (w *worker) other(ctx context.Context, n int) error {
	schema := peerSchema
	schema.Name = fmt.Sprintf("own%d", w.who)
	switch n / 8 % 5 {
	case 0:
		c, err := ensure(ctx, w.s, schema)
		if err != nil {
			return err
		}
		return c.Upsert(ctx, []engine.Record{peerRecord(w.who, "a", n), peerRecord(w.who, "b", n)})
	case 1:
		if err := w.s.Drop(ctx, schema.Name); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	case 2:
		return w.docs.BuildIndex(ctx, engine.IndexPlan{M: 4 + n%2, EfConstruction: 32})
	case 3: // somebody may read what was before, so that the file cannot shrink
		if err := w.s.Compact(ctx); err != nil && !errors.As(err, new(*engine.LockedError)) {
			return err
		}
	default:
		if w.who == 0 && n%5 == 0 {
			if err := w.docs.DropIndex(ctx, "docs.hnsw"); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// look reads in several ways.
func (w *worker) look(ctx context.Context, m peerModel) error {
	for id, n := range m { // some of its own, which are there at once
		found, err := w.docs.Get(ctx, []string{id}, true)
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0].Fields[0] != int64(n) {
			return fmt.Errorf("own record %s should have version %d: %v", id, n, found)
		}
		if err := checkPeerRecord(found[0]); err != nil {
			return err
		}
		break
	}
	for who := range peerCount {
		pair, err := w.docs.Get(ctx, []string{pairID(who, "a"), pairID(who, "b")}, false)
		if err != nil {
			return err
		}
		if len(pair) == 1 || len(pair) == 2 && pair[0].Fields[0] != pair[1].Fields[0] {
			return fmt.Errorf("a transaction is seen in part: %v", pair)
		}
		c, err := w.s.Open(ctx, fmt.Sprintf("own%d", who))
		if err == nil {
			pair, err = c.Get(ctx, []string{"a", "b"}, false)
			if err == nil && (len(pair) == 1 || len(pair) == 2 && pair[0].Fields[0] != pair[1].Fields[0]) {
				return fmt.Errorf("a commit is seen in part: %v", pair)
			}
		}
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	query := peerVector(1, rand.Float64(), float64(rand.IntN(peerCount)), 5)
	for _, s := range []engine.Search{
		{Vector: query, K: 10, Payload: true, Vectors: true},
		{Vector: query, K: 10, Payload: true, Filter: filter.Eq("who", int64(rand.IntN(peerCount)))},
	} {
		results, err := w.docs.Search(ctx, []engine.Search{s})
		if err != nil {
			return err
		}
		for _, h := range results[0].Hits {
			if err := checkPeerRecord(h.Record); err != nil {
				return err
			}
			if who := h.Fields[1].(int64); !s.Filter.IsZero() && who != s.Filter.Values()[0].(int64) {
				return fmt.Errorf("record %s does not pass the filter", h.ID)
			}
		}
	}
	hits, err := w.docs.SearchText(ctx, []engine.TextSearch{{Text: fmt.Sprintf("worker%d", rand.IntN(peerCount)), K: 5, Payload: true}})
	if err != nil {
		return err
	}
	for _, h := range hits[0] {
		if err := checkPeerRecord(h.Record); err != nil {
			return err
		}
	}
	return nil
}

// checkPeerRecord refuses a record whose parts are of different versions.
func checkPeerRecord(r engine.Record) error {
	n, who := int(r.Fields[0].(int64)), int(r.Fields[1].(int64))
	want := peerRecord(who, r.ID, n)
	if r.Text != want.Text || r.Fields[2] != want.Fields[2] || !r.Vector.Equal(engine.Vector{}) && !r.Vector.Equal(want.Vector) {
		return fmt.Errorf("record %s is torn: %v", r.ID, r)
	}
	if strings.HasPrefix(r.ID, "w") && !strings.HasPrefix(r.ID, fmt.Sprintf("w%d-", who)) {
		return fmt.Errorf("record %s has the fields of another: %v", r.ID, r)
	}
	return nil
}

const peerCount = 3

// TestProcesses lets several processes work on one store, kills one after the other at
// any moment, and looks in this one, which has the store open all the time, and in one
// that opens it anew, whether all that was acknowledged is there, once, and whole.
//
// Vectors are read from the file: several are on a page of it, or each has pages of its own.
func TestProcesses(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 24
	}
	if n, err := strconv.Atoi(os.Getenv(killsFlag)); err == nil {
		kills = n
	}
	before := peerSchema
	defer func() { peerSchema = before }()
	for _, of := range []engine.Schema{
		{Element: codec.FLOAT, Dim: 4}, {Element: codec.FLOAT, Dim: 1100}, {Element: codec.DOUBLE, Dim: 4}, {Element: codec.DOUBLE, Dim: 550},
	} {
		t.Run(fmt.Sprint(of.Element, of.Dim), func(t *testing.T) {
			peerSchema.Element, peerSchema.Dim = of.Element, of.Dim
			killProcesses(t, kills/4)
		})
	}
}

func killProcesses(t *testing.T, kills int) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	s.log = slog.New(falseAlarms{slog.DiscardHandler})
	s.leastSave = 40
	rng := rand.New(rand.NewPCG(5, uint64(time.Now().UnixNano())))
	var done [peerCount]atomic.Int64 // acknowledged steps
	var peers [peerCount]*peer
	var ended [peerCount]chan error
	start := func(who int) {
		p := startPeer(t, path, "work", fmt.Sprint(who), fmt.Sprint(done[who].Load()), fmt.Sprint(peerSchema.Dim), peerSchema.Element.String())
		peers[who], ended[who] = p, make(chan error, 1)
		go func() {
			for p.lines.Scan() {
				n, err := strconv.ParseInt(p.lines.Text(), 10, 64)
				if err != nil {
					ended[who] <- fmt.Errorf("peer said %q", p.lines.Text())
					return
				}
				done[who].Store(n)
			}
			ended[who] <- p.lines.Err()
		}()
	}
	stop := func(who int) {
		select {
		case err := <-ended[who]:
			t.Fatalf("peer %d has ended by itself: %v", who, err)
		default:
		}
		require.NoError(t, peers[who].cmd.Process.Kill())
		<-ended[who] // what it said is read to its end, before Wait closes the pipe
		_ = peers[who].cmd.Wait()
	}
	t.Cleanup(func() {
		for _, p := range peers {
			if p != nil {
				p.stop(t)
			}
		}
	})
	for who := range peerCount {
		start(who)
	}
	var steps, readings, outside int64
	watcher := newWatcher(s)
	for round := range kills {
		moment := time.After(time.Duration(rng.IntN(300)) * time.Millisecond) // any will do: it only spreads where the kill falls
		for over := false; !over; {
			select {
			case <-moment:
				over = true
			default:
				n, err := watcher.look(ctx, &done)
				require.NoError(t, err, "round %d", round)
				readings += n
			}
		}
		if round%4 != 3 {
			who := rng.IntN(peerCount)
			stop(who)
			// What it did last without being acknowledged is done, or not at all.
			done[who].Store(settleStep(t, s, who, int(done[who].Load())))
			start(who)
			continue
		}
		for who := range peerCount {
			stop(who)
		}
		for who := range peerCount {
			done[who].Store(settleStep(t, s, who, int(done[who].Load())))
		}
		requirePeers(t, s, &done)
		if c := watcher.docs; c != nil {
			outside += outsiders(c)
		}
		require.Empty(t, checked(t, s).Problems)
		fresh := openStore(t, path)
		requirePeers(t, fresh, &done)
		require.NoError(t, fresh.Close())
		for who := range peerCount {
			start(who)
		}
	}
	for who := range peerCount {
		stop(who)
		steps += done[who].Load()
	}
	t.Logf("%d kills; %d acknowledged steps of %d processes were there, whole and once; %d readings beside them were of one state; %d vectors were read from the file",
		kills, steps, peerCount, readings, outside)
	require.NotZero(t, steps)
}

// watcher reads beside the peers.
type watcher struct{ *worker }

func newWatcher(s *store) *watcher { return &watcher{&worker{s: s, who: -1}} }

func (w *watcher) look(ctx context.Context, done *[peerCount]atomic.Int64) (int64, error) {
	c, err := w.s.Open(ctx, peerSchema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	w.docs = c
	for who := range peerCount { // what was acknowledged is there at the next call
		last := int(done[who].Load())
		if last = last - 1 - (last-1+2)%8; last < 6 { // the last step that wrote a pair
			continue
		}
		pair, err := c.Get(ctx, []string{pairID(who, "a")}, false)
		if err != nil {
			return 0, err
		}
		if len(pair) != 1 || pair[0].Fields[0].(int64) < int64(last) {
			return 0, fmt.Errorf("step %d of worker %d was acknowledged and is not seen: %v", last, who, pair)
		}
	}
	return 1, w.worker.look(ctx, nil)
}

// settleStep returns how many steps a killed worker has done, one more than was
// acknowledged or not.
func settleStep(t *testing.T, s *store, who, acknowledged int) int64 {
	t.Helper()
	own := ownRecords(t, s, who)
	m := peerModel{}
	for n := range acknowledged {
		m.step(who, n)
	}
	if samePeer(m, own) {
		return int64(acknowledged)
	}
	m.step(who, acknowledged)
	require.True(t, samePeer(m, own), "worker %d after %d steps has %v, want %v", who, acknowledged, own, m)
	return int64(acknowledged) + 1
}

func samePeer(m, own peerModel) bool {
	if len(m) != len(own) {
		return false
	}
	for id, n := range m {
		if got, ok := own[id]; !ok || got != n {
			return false
		}
	}
	return true
}

// ownRecords returns a worker's records in the common collection.
func ownRecords(t *testing.T, s *store, who int) peerModel {
	t.Helper()
	c, err := s.Open(t.Context(), peerSchema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		return peerModel{}
	}
	require.NoError(t, err)
	records, err := c.Scan(t.Context(), engine.Scan{Limit: 1 << 20, Vectors: true, Filter: filter.Eq("who", int64(who))})
	require.NoError(t, err)
	own := peerModel{}
	for _, r := range records {
		require.NoError(t, checkPeerRecord(r))
		_, twice := own[r.ID]
		require.False(t, twice)
		own[r.ID] = int(r.Fields[0].(int64))
	}
	return own
}

// requirePeers compares the store with what the workers have done.
func requirePeers(t *testing.T, s *store, done *[peerCount]atomic.Int64) {
	t.Helper()
	ctx := t.Context()
	c, err := s.Open(ctx, peerSchema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		return
	}
	require.NoError(t, err)
	counted, total := 0, 0
	for who := range peerCount {
		m := peerModel{}
		for n := range int(done[who].Load()) {
			m.step(who, n)
			if n%8 == 6 {
				counted++
			}
		}
		own := ownRecords(t, s, who)
		require.True(t, samePeer(m, own), "worker %d: %v, want %v", who, own, m)
		total += len(m)
		hits, err := c.SearchText(ctx, []engine.TextSearch{{Text: fmt.Sprintf("worker%d", who), K: 1 << 20}})
		require.NoError(t, err)
		require.Len(t, hits[0], len(m), "full text is not the rows")
	}
	counter, err := c.Get(ctx, []string{"counter"}, false)
	require.NoError(t, err)
	if counted > 0 {
		require.Equal(t, int64(counted), counter[0].Fields[0], "transactions were lost or doubled")
		total++
	}
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, total, n)
	requireMemoryIsRows(t, c)
	for i := range 5 {
		search := engine.Search{Vector: peerVector(1, float64(i)/5, 1, 5), K: 8, Effort: 200}
		through, err := c.Search(ctx, []engine.Search{search})
		require.NoError(t, err)
		search.Exact = true
		exact, err := c.Search(ctx, []engine.Search{search})
		require.NoError(t, err)
		require.Equal(t, scores(exact[0]), scores(through[0]), "the index is not the rows")
	}
}

func scores(r engine.Result) (scores []float64) {
	for _, h := range r.Hits {
		scores = append(scores, h.Score)
	}
	return scores
}
