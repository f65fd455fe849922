package local

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// openFresh opens a store as programs do.
func openFresh(t testing.TB, path string) engine.Engine {
	t.Helper()
	e, err := Open(t.Context(), Options{Path: path, FitPages: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

// pageSizeOf returns the size of the pages of a store that is open here.
func pageSizeOf(t testing.TB, c engine.Collection) (size int) {
	t.Helper()
	require.NoError(t, c.(*collection).store.read.QueryRowContext(t.Context(), "PRAGMA page_size").Scan(&size))
	return size
}

func vectorsOf(dim int) engine.Schema {
	return engine.Schema{Name: "docs", Dim: dim, Metric: codec.L2, Index: engine.NoIndex}
}

// someRecords returns records with random vectors, whose texts may be long.
func someRecords(rng *rand.Rand, n, dim int) (records []engine.Record) {
	for i := range n {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: v}, Text: strings.Repeat("x ", rng.IntN(700))})
	}
	return records
}

// The pages of a new store have the size that suits its first collection, and keep it; and so
// do its backup, and what is brought over from it.
func TestPagesSuitTheFirstCollection(t *testing.T) {
	for dim, want := range map[int]int{4: 4096, 64: 4096, 128: 8192, 256: 8192, 384: 8192, 512: 8192, 768: 4096, 1024: 4096, 1536: 4096, 3072: 4096} {
		t.Run(fmt.Sprint(dim), func(t *testing.T) {
			dir := t.TempDir()
			e := openFresh(t, filepath.Join(dir, "test.db"))
			_, err := e.Open(t.Context(), "docs")
			require.ErrorIs(t, err, engine.ErrNotFound)
			c, err := e.Create(t.Context(), vectorsOf(dim))
			require.NoError(t, err)
			require.Equal(t, want, pageSizeOf(t, c))
			records := someRecords(rand.New(rand.NewPCG(1, 1)), 50, dim)
			require.NoError(t, c.Upsert(t.Context(), records))
			other := vectorsOf(1024)
			other.Name = "other"
			next, err := e.Create(t.Context(), other)
			require.NoError(t, err)
			require.Equal(t, want, pageSizeOf(t, next))
			require.NoError(t, e.Compact(t.Context()))
			require.NoError(t, e.Backup(t.Context(), filepath.Join(dir, "backup.db"), nil))
			_, err = e.Salvage(t.Context(), filepath.Join(dir, "salvaged.db"))
			require.NoError(t, err)
			require.NoError(t, e.Close())
			for _, name := range []string{"test.db", "backup.db", "salvaged.db"} {
				s := openStore(t, filepath.Join(dir, name))
				c := open(t, s, "docs")
				require.Equal(t, want, pageSizeOf(t, c), name)
				require.Len(t, all(t, t.Context(), c), 50)
				report, err := s.Check(t.Context())
				require.NoError(t, err)
				require.Empty(t, report.Problems)
			}
		})
	}
}

// A store keeps the pages that it has, if another process has it open, or it was there
// before. A transaction that is under way does no harm.
func TestPagesKeepTheirSize(t *testing.T) {
	path := func() string { return filepath.Join(t.TempDir(), "test.db") }
	shared := path()
	e := openFresh(t, shared)
	other := openStore(t, shared)
	c, err := e.Create(t.Context(), vectorsOf(384))
	require.NoError(t, err)
	require.Equal(t, 4096, pageSizeOf(t, c))
	require.NoError(t, open(t, other, "docs").Upsert(t.Context(), someRecords(rand.New(rand.NewPCG(1, 1)), 3, 384)))
	require.Len(t, all(t, t.Context(), c), 3)

	e = openFresh(t, path())
	begun, end := make(chan bool), make(chan bool)
	var group sync.WaitGroup
	group.Go(func() {
		_ = e.Tx(context.Background(), func(context.Context) error {
			close(begun)
			<-end
			return nil
		})
	})
	<-begun
	group.Go(func() { c, err = e.Create(context.Background(), vectorsOf(384)) })
	close(end)
	group.Wait()
	require.NoError(t, err)
	require.Len(t, all(t, t.Context(), c), 0)

	old := path()
	require.NoError(t, openStore(t, old).Close())
	c, err = openFresh(t, old).Create(t.Context(), vectorsOf(384))
	require.NoError(t, err)
	require.Equal(t, 4096, pageSizeOf(t, c))
	require.NoError(t, c.Upsert(t.Context(), someRecords(rand.New(rand.NewPCG(1, 1)), 3, 384)))
}

// Of many that open a new file at the same moment and make collections, all find all.
func TestPagesOfAStoreThatManyMake(t *testing.T) {
	for round := range 20 {
		path := filepath.Join(t.TempDir(), "test.db")
		engines, errs := make([]engine.Engine, 6), make([]error, 6)
		var group sync.WaitGroup
		for i := range engines {
			group.Go(func() {
				ctx := context.Background()
				e, err := Open(ctx, Options{Path: path, FitPages: true, Logger: slog.New(slog.DiscardHandler)})
				if errs[i] = err; err != nil {
					return
				}
				engines[i] = e
				var made sync.WaitGroup
				for j, dim := range []int{384, 1024, 128} {
					made.Go(func() {
						schema := vectorsOf(dim)
						schema.Name = fmt.Sprintf("c%d_%d", i, j)
						c, err := e.Create(ctx, schema)
						if err == nil {
							err = c.Upsert(ctx, someRecords(rand.New(rand.NewPCG(uint64(round), 1)), 2, dim))
						}
						if _, listed := e.List(ctx); err == nil {
							err = listed
						}
						if err != nil {
							errs[i] = err
						}
					})
				}
				made.Wait()
			})
		}
		group.Wait()
		for i, e := range engines {
			require.NoError(t, errs[i])
			collections, err := e.List(t.Context())
			require.NoError(t, err)
			require.Len(t, collections, 3*len(engines))
			report, err := e.Check(t.Context())
			require.NoError(t, err)
			require.Empty(t, report.Problems)
		}
		for _, e := range engines {
			require.NoError(t, e.Close())
		}
	}
}

// resizing gives the pages of a store without collections one size after the other, and says
// so each time.
func resizing(ctx context.Context, path string) error {
	for n := 0; ; n++ {
		opts := Options{Path: path, LockTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler), pageSize: usualPage + n%2*(largePage-usualPage)}
		s, err := openPath(ctx, path, opts)
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// roundsOf returns how many rounds of kills to make.
func roundsOf(some int) int {
	if n, err := strconv.Atoi(os.Getenv(killsFlag)); err == nil {
		return n
	}
	if testing.Short() {
		return some / 6
	}
	return some
}

// beingFirst opens a store as programs do, says so, and makes a collection of its own.
func beingFirst(ctx context.Context, path, name string) error {
	e, err := Open(ctx, Options{Path: path, FitPages: true, LockTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println("open")
	schema := vectorsOf(384)
	schema.Name = name
	c, err := e.Create(ctx, schema)
	if err != nil {
		return err
	}
	if err := c.Upsert(ctx, someRecords(rand.New(rand.NewPCG(1, 1)), 5, 384)); err != nil {
		return err
	}
	fmt.Println("stored")
	select {} // until it is killed
}

// Of processes that open a new file at the same moment, of which one is killed, each finds what
// was acknowledged.
func TestPagesOfAStoreThatManyProcessesMake(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	sizes := map[int]int{}
	for range roundsOf(18) {
		path := filepath.Join(t.TempDir(), "test.db")
		const peers = 3
		victim := rng.IntN(peers + 1) // or none
		spin := rng.IntN(1 << 24)
		var group sync.WaitGroup
		for i := range peers {
			p := startUnheard(t, path, "first", fmt.Sprint("c", i))
			defer p.stop(t)
			group.Go(func() {
				open := p.lines.Scan()
				if i == victim {
					for range spin {
						runtime.KeepAlive(p)
					}
					p.stop(t)
					return
				}
				assert.True(t, open && p.lines.Scan() && p.lines.Text() == "stored")
			})
		}
		group.Wait()
		s := openStore(t, path)
		for i := range peers {
			if i != victim {
				c := open(t, s, fmt.Sprint("c", i))
				require.Len(t, all(t, t.Context(), c), 5)
				sizes[pageSizeOf(t, c)]++
			}
		}
		report, err := s.Check(t.Context())
		require.NoError(t, err)
		require.Empty(t, report.Problems)
	}
	t.Log(sizes)
}

// A process that is killed while it changes the size of pages, at whatever point, leaves a
// store, and so it is for others that open it meanwhile, for reading, too.
func TestPagesWhoseSizeChangesInAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	require.NoError(t, openStore(t, path).Close())
	rng := rand.New(rand.NewPCG(3, 3))
	found := map[string]int{} // what the dead have left
	for range roundsOf(30) {
		p := startPeer(t, path, "resize")
		for range rng.IntN(3) {
			s, err := Open(t.Context(), Options{Path: path, ReadOnly: rng.IntN(2) == 0, LockTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			_, err = s.List(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
		for range rng.IntN(8) {
			require.True(t, p.lines.Scan())
		}
		for range rng.IntN(1 << 20) { // so that it is killed anywhere
			runtime.KeepAlive(rng)
		}
		p.kill(t)
		if hasJournal(path) {
			found["journal"]++
		}
		if hasLog(path) {
			found["log"]++
		}
		s := openStore(t, path)
		report, err := s.Check(t.Context())
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		require.NoError(t, s.Close())
	}
	t.Log(found)
	s := openStore(t, path)
	c := create(t, s, vectorsOf(384))
	require.NoError(t, c.Upsert(t.Context(), someRecords(rng, 9, 384)))
	require.Len(t, all(t, t.Context(), c), 9)
}

// While pages get another size the file may be shorter than it says: who opens it then, or after
// that was cut off, finds a store.
func TestPagesWhoseSizeChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	require.NoError(t, openStore(t, path).Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, int64(len(whole)-4096)))
	_, err = readHeader(path)
	require.ErrorIs(t, err, errCutOff)
	require.NoError(t, os.WriteFile(path+"-journal", []byte("journal"), 0o600))
	_, err = readHeader(path)
	require.NoError(t, err)
}
