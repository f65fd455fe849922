package local

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
)

// A backup that is made while others write is one of the states that there were, with
// its index.
func TestBackup(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	s.leastSave = 20
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	write := func(n int) error {
		records := make([]engine.Record, 40)
		for i := range records {
			records[i] = randomRecord(rng, string(rune('a'+i)))
			records[i].Fields[0] = int64(n)
		}
		return c.Upsert(ctx, records)
	}
	require.NoError(t, write(1))
	require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
	to := filepath.Join(t.TempDir(), "backup.db")
	var group errgroup.Group
	group.Go(func() error {
		for n := range 60 {
			if err := write(n + 2); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, s.Backup(ctx, to, nil))
	require.NoError(t, group.Wait())
	require.ErrorIs(t, s.Backup(ctx, to, nil), engine.ErrExists)

	for _, b := range []*store{openReading(t, to), openStore(t, to)} {
		inB, err := b.Open(ctx, testSchema.Name)
		require.NoError(t, err)
		records := all(t, ctx, inB)
		require.Len(t, records, 40)
		for _, r := range records {
			require.Equal(t, records[0].Fields[0], r.Fields[0], "another state")
		}
		require.Len(t, indexes(t, inB), 1)
		requireMemoryIsRows(t, inB)
		require.NoError(t, b.Close())
	}
}

// What is in memory can be written down.
func TestBackupOfMemory(t *testing.T) {
	ctx := t.Context()
	e, err := Open(ctx, Options{Logger: openStore(t, filepath.Join(t.TempDir(), "x.db")).log})
	require.NoError(t, err)
	defer e.Close()
	c := create(t, e.(*store), testSchema)
	require.NoError(t, c.Upsert(ctx, []engine.Record{randomRecord(rand.New(rand.NewPCG(1, 1)), "a")}))
	to := filepath.Join(t.TempDir(), "backup.db")
	require.NoError(t, e.(*store).Backup(ctx, to, nil))
	inB, err := openStore(t, to).Open(ctx, testSchema.Name)
	require.NoError(t, err)
	require.Equal(t, all(t, ctx, c), all(t, ctx, inB))
}

// Of several backups to one path one is made, and no file that was there is touched.
func TestBackupsToOnePath(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s := openStore(t, filepath.Join(dir, "test.db"))
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, c.Upsert(ctx, []engine.Record{randomRecord(rng, "a")}))
	to := filepath.Join(dir, "a %3F#b.db")
	require.NoError(t, os.WriteFile(to+".new", []byte("another's"), 0o600))
	errs := make([]error, 4)
	var group errgroup.Group
	for i := range errs {
		group.Go(func() error {
			errs[i] = s.Backup(ctx, to, nil)
			return nil
		})
	}
	require.NoError(t, group.Wait())
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		require.ErrorIs(t, err, engine.ErrExists)
	}
	require.Equal(t, 1, made)
	kept, err := os.ReadFile(to + ".new")
	require.NoError(t, err)
	require.Equal(t, "another's", string(kept))
	left, err := filepath.Glob(filepath.Join(dir, "*.new"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	openStore(t, to)
}
