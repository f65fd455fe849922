package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// openSaying opens a store, and returns what the log has.
func openSaying(t *testing.T, path string, readOnly bool) (*store, string, error) {
	t.Helper()
	if here, known, err := placeOf(t.TempDir()); err == nil && !known {
		t.Skip("files cannot be told apart here: ", here)
	}
	var said bytes.Buffer
	e, err := Open(t.Context(), Options{Path: path, ReadOnly: readOnly, look: time.Minute, Logger: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return nil, said.String(), err
	}
	t.Cleanup(func() { e.Close() })
	return e.(*store), said.String(), nil
}

const saysCopy = "the store is a copy"

// copyHalves copies a file as cp does, and runs between after a part of it.
func copyHalves(t *testing.T, from, to string, share float64, between func()) {
	t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	cut := int(float64(len(b)) * share)
	between()
	now, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, append(b[:cut:cut], now[min(cut, len(now)):]...), 0o600))
}

func copyWhole(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, b, 0o600))
}

func manyRecords(seed uint64, n int) []engine.Record {
	rng := rand.New(rand.NewPCG(seed, seed))
	records := make([]engine.Record, n)
	for i := range records {
		records[i] = randomRecord(rng, fmt.Sprint(rng.IntN(4*n)))
	}
	seen := map[string]bool{}
	out := records[:0]
	for _, r := range records {
		if !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r)
		}
	}
	return out
}

// A store that is copied while it is written is never opened in silence: those copies
// whose pages do not fit together are refused, and the others are said to be copies.
func TestCopiedWhileWritten(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := create(t, s, testSchema)
	require.NoError(t, c.Upsert(ctx, manyRecords(1, 600)))
	torn, opened := 0, 0
	for n := range 24 {
		to := filepath.Join(t.TempDir(), "copy.db")
		copyHalves(t, path, to, float64(n%8+1)/9, func() {
			require.NoError(t, c.Upsert(ctx, manyRecords(uint64(n+2), 300)))
			if n%3 != 0 {
				require.NoError(t, s.emptyLog())
			}
			if n%3 == 2 {
				_, err := c.Delete(ctx, []string{"1", "2", "3", "4", "5", fmt.Sprint(n)})
				require.NoError(t, err)
				require.NoError(t, s.Compact(ctx))
			}
		})
		if n%2 == 0 {
			copyWhole(t, path+"-wal", to+"-wal")
		}
		before, err := os.ReadFile(to)
		require.NoError(t, err)
		b, said, err := openSaying(t, to, false)
		if err != nil {
			torn++
			failed, ok := errors.AsType[*engine.ConnectError](err)
			require.True(t, ok, err)
			require.True(t, errors.Is(err, errTorn) || errors.Is(err, errCutOff), err)
			require.NotEmpty(t, failed.Remedy)
			after, err := os.ReadFile(to)
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after), "a copy that is refused was changed")
			continue
		}
		opened++
		require.Contains(t, said, saysCopy)
		require.NoError(t, b.Close())
		_, said, err = openSaying(t, to, false)
		require.NoError(t, err)
		require.NotContains(t, said, saysCopy, "said twice")
	}
	require.NotZero(t, torn)
	require.NotZero(t, opened)
	t.Log(torn, "torn,", opened, "opened")
}

// What is no copy is not said to be one: a store that was closed or killed, moved, or
// made by Backup or Compact.
func TestNoCopy(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	silent := func(path string) *store {
		s, said, err := openSaying(t, path, false)
		require.NoError(t, err)
		require.NotContains(t, said, saysCopy)
		return s
	}
	s := silent(path)
	c := create(t, s, testSchema)
	require.NoError(t, c.Upsert(ctx, manyRecords(1, 300)))
	second := silent(path)
	require.NoError(t, second.Close())
	backup := filepath.Join(dir, "backup.db")
	require.NoError(t, s.Backup(ctx, backup, nil))
	require.NoError(t, s.Compact(ctx))
	require.NoError(t, s.Close())
	require.NoError(t, silent(path).Close())
	require.NoError(t, os.Rename(path, path+".moved"))
	require.NoError(t, silent(path+".moved").Close())
	b := silent(backup)
	_, err := b.Create(ctx, engine.Schema{Name: "more", Dim: 2})
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.NoError(t, silent(backup).Close())
}

// A copy that is opened for reading says so each time, and is read.
func TestCopyIsRead(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := create(t, s, testSchema)
	require.NoError(t, c.Upsert(ctx, manyRecords(1, 300)))
	require.NoError(t, s.Close())
	to := filepath.Join(t.TempDir(), "copy.db")
	copyWhole(t, path, to)
	for range 2 {
		b, said, err := openSaying(t, to, true)
		require.NoError(t, err)
		require.Contains(t, said, saysCopy)
		_, err = b.Open(ctx, testSchema.Name)
		require.NoError(t, err)
		require.NoError(t, b.Close())
	}
}

// A backup that is put over a store that was killed is not mixed with the log of that.
func TestBackupOverKilledStore(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	c := create(t, s, testSchema)
	require.NoError(t, c.Upsert(ctx, manyRecords(1, 300)))
	backup := filepath.Join(dir, "backup.db")
	require.NoError(t, s.Backup(ctx, backup, nil))
	want := all(t, ctx, c)
	require.NoError(t, c.Upsert(ctx, manyRecords(2, 300)))
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NotEmpty(t, log)
	require.NoError(t, s.Close())

	for _, inPlace := range []bool{true, false} {
		if !inPlace {
			require.NoError(t, os.Remove(path))
		}
		copyWhole(t, backup, path)
		require.NoError(t, os.WriteFile(path+"-wal", log, 0o600))
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, _, err = openSaying(t, path, false)
		require.ErrorIs(t, err, errOtherLog)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(before, after))
		require.NoError(t, os.Remove(path+"-wal"))
		b, said, err := openSaying(t, path, false)
		require.NoError(t, err)
		require.NotContains(t, said, saysCopy)
		inB, err := b.Open(ctx, testSchema.Name)
		require.NoError(t, err)
		require.Equal(t, want, all(t, ctx, inB))
		require.NoError(t, b.Close())
	}
}
