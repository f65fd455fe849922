package local

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

const (
	crashVariable = "VECWIRE_CRASH_TEST_STORE"
	crashIndexed  = "VECWIRE_CRASH_TEST_INDEXED"
)

// crashBase is how many records the crash test with an index has beside those that
// it changes: without them the graph would have no links.
const crashBase = 1200

func TestMain(m *testing.M) {
	if path := os.Getenv(crashVariable); path != "" {
		fmt.Fprintln(os.Stderr, writeForever(path, os.Args[1]))
		os.Exit(1)
	}
	if path := os.Getenv(memoryVariable); path != "" {
		if err := measureSelf(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if path := os.Getenv(peerVariable); path != "" {
		fmt.Fprintln(os.Stderr, runPeer(path, os.Args[1:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crashStep is the n-th change of the crash test: the same for the process that
// makes it and for the test that knows what must be there.
func crashStep(n uint64) (upsert []engine.Record, remove []string) {
	rng := rand.New(rand.NewPCG(n, 2))
	if n%5 == 4 {
		for range 10 {
			remove = append(remove, fmt.Sprint(rng.IntN(100)))
		}
		return nil, remove
	}
	for i := range rng.IntN(30) + 1 {
		upsert = append(upsert, randomRecord(rng, fmt.Sprint((rng.IntN(100)/30)*30+i)))
	}
	return upsert, nil
}

func crashRecords() (records []engine.Record) {
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range crashBase {
		records = append(records, randomRecord(rng, fmt.Sprint("base ", i)))
	}
	return records
}

// writeForever makes one change after the other and says so after each.
func writeForever(path, from string) error {
	ctx := context.Background()
	n, err := strconv.ParseUint(from, 10, 64)
	if err != nil {
		return err
	}
	s, err := Open(ctx, Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	c, err := s.Open(ctx, testSchema.Name)
	if err != nil {
		if c, err = s.Create(ctx, testSchema); err != nil {
			return err
		}
	}
	if os.Getenv(crashIndexed) != "" {
		s.(*store).leastSave = 30
		if n == 0 {
			if err := c.Upsert(ctx, crashRecords()); err != nil {
				return err
			}
		}
		if err := c.BuildIndex(ctx, engine.IndexPlan{M: 8, EfConstruction: 16}); err != nil {
			return err
		}
		fmt.Println(n)
	}
	for ; ; n++ {
		upsert, remove := crashStep(n)
		if upsert != nil {
			err = c.Upsert(ctx, upsert)
		} else {
			_, err = c.Delete(ctx, remove)
		}
		if err != nil {
			return err
		}
		fmt.Println(n + 1)
	}
}

// TestKilled kills a process while it writes, again and again, and looks whether
// every change that it was told to be done is there, and none in part.
func TestKilled(t *testing.T) { killed(t, 50, false) }

// TestKilledWithIndex is TestKilled with an index, which has to be there again,
// as far as the process has said that it was built.
func TestKilledWithIndex(t *testing.T) { killed(t, 25, true) }

func killed(t *testing.T, rounds int, indexed bool) {
	if indexed {
		t.Setenv(crashIndexed, "yes")
	}
	path := filepath.Join(t.TempDir(), "test.db")
	rng := rand.New(rand.NewPCG(3, 3))
	m, done := model{}, uint64(0)
	if indexed {
		for _, r := range crashRecords() {
			m[r.ID] = r
		}
	}
	apply := func(m model, n uint64) {
		upsert, remove := crashStep(n)
		for _, r := range upsert {
			m[r.ID] = r
		}
		for _, id := range remove {
			delete(m, id)
		}
	}
	for round := range rounds {
		acknowledged := writeAndKill(t, path, done, rng.IntN(8), time.Duration(rng.IntN(3000))*time.Microsecond)
		for ; done < acknowledged; done++ {
			apply(m, done)
		}

		s, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err, "round %d", round)
		c, err := s.Open(t.Context(), testSchema.Name)
		if acknowledged == 0 && err != nil { // killed before the collection was made
			require.ErrorIs(t, err, engine.ErrNotFound)
			require.NoError(t, s.Close())
			continue
		}
		require.NoError(t, err)
		if indexed && len(all(t, t.Context(), c)) == 0 { // killed before anything was put into it
			require.Zero(t, acknowledged)
			require.NoError(t, s.Close())
			continue
		}
		requireMemoryIsRows(t, c)
		if acknowledged > 0 {
			require.Equal(t, indexed, len(indexes(t, c)) > 0)
		}
		got := nilToEmpty(all(t, t.Context(), c))
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Len(t, got, n)
		if !sameRecords(m.sorted(), got) { // then the change that nobody was told of is there, whole
			apply(m, done)
			done++
			require.Equal(t, m.sorted(), got, "round %d, after change %d", round, done)
		}
		require.NoError(t, s.Close())
	}
	t.Logf("%d changes survived %d kills", done, rounds)
	require.NotZero(t, done)
}

func sameRecords(want, got []engine.Record) bool {
	return fmt.Sprint(want) == fmt.Sprint(got)
}

// writeAndKill starts a process that writes, kills it a moment after it has
// acknowledged some changes, and returns how many it has acknowledged in all.
func writeAndKill(t *testing.T, path string, from uint64, acks int, moment time.Duration) uint64 {
	cmd := exec.CommandContext(t.Context(), os.Args[0], fmt.Sprint(from))
	cmd.Env = append(os.Environ(), crashVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	last := from
	read := func() bool {
		if !lines.Scan() {
			return false
		}
		last, err = strconv.ParseUint(lines.Text(), 10, 64)
		require.NoError(t, err)
		return true
	}
	for range acks {
		require.True(t, read(), "the writing process has ended by itself")
	}
	time.Sleep(moment) // any moment will do: it only spreads where the kill falls
	require.NoError(t, cmd.Process.Kill())
	for read() {
	}
	cmd.Wait()
	return last
}
