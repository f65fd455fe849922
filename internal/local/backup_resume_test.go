package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
)

func leftBackups(t *testing.T, path string) []string {
	left, err := filepath.Glob(path + ".*.new")
	require.NoError(t, err)
	return left
}

// A backup says how far it is, phase by phase, up to the end of each.
func TestBackupProgress(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]engine.Record, 2000)
	for i := range records {
		records[i] = randomRecord(rng, fmt.Sprint(i))
	}
	require.NoError(t, c.Upsert(ctx, records))
	require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
	var last engine.Progress
	var phases []string
	to := filepath.Join(t.TempDir(), "backup.db")
	require.NoError(t, s.Backup(ctx, to, func(p engine.Progress) {
		if p.Phase != last.Phase {
			require.Equal(t, last.Total, last.Done)
			require.Zero(t, p.Done)
			phases = append(phases, p.Phase)
		} else {
			require.Greater(t, p.Done, last.Done)
		}
		require.LessOrEqual(t, p.Done, p.Total)
		last = p
	}))
	require.Equal(t, []string{"pages", "checking", "snapshots"}, phases)
	require.Equal(t, last.Total, last.Done)
	require.NotZero(t, last.Total, "the snapshot of the index")
}

// A backup that is interrupted while others write leaves its file, and the next one goes
// on from that to the state of its own moment.
func TestBackupGoesOn(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
	s.leastSave = 20
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	write := func(n int) error {
		records := make([]engine.Record, 400)
		for i := range records {
			records[i] = randomRecord(rng, fmt.Sprint(i))
			records[i].Fields[0] = int64(n)
		}
		return c.Upsert(ctx, records)
	}
	require.NoError(t, write(0))
	require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
	writing, stop := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		for n := 1; writing.Err() == nil; n++ {
			if err := write(n); err != nil {
				return err
			}
		}
		return nil
	})
	to := filepath.Join(t.TempDir(), "backup.db")
	for _, phase := range []string{"pages", "pages", "checking", "snapshots"} {
		interrupted, interrupt := context.WithCancel(ctx)
		require.ErrorIs(t, s.Backup(interrupted, to, func(p engine.Progress) {
			if p.Phase == phase {
				interrupt()
			}
		}), context.Canceled, phase)
		require.NoFileExists(t, to)
		require.Len(t, leftBackups(t, to), 1)
	}
	left, err := os.Stat(leftBackups(t, to)[0])
	require.NoError(t, err)
	require.NoError(t, s.Backup(ctx, to, nil))
	stop()
	require.NoError(t, group.Wait())
	made, err := os.Stat(to)
	require.NoError(t, err)
	require.True(t, os.SameFile(left, made), "begun anew")

	b := openStore(t, to)
	inB, err := b.Open(ctx, testSchema.Name)
	require.NoError(t, err)
	records := all(t, ctx, inB)
	require.Len(t, records, 400)
	for _, r := range records {
		require.Equal(t, records[0].Fields[0], r.Fields[0], "another state")
	}
	report, err := b.Check(ctx)
	require.NoError(t, err)
	require.Empty(t, report.Problems)
}

// What is left by a backup that was killed is not written again as far as it is right,
// and whatever else is in it does no harm.
func TestBackupOverWhatIsLeft(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]engine.Record, 500)
	for i := range records {
		records[i] = randomRecord(rng, fmt.Sprint(i))
	}
	require.NoError(t, c.Upsert(ctx, records))
	whole := filepath.Join(t.TempDir(), "whole.db")
	require.NoError(t, s.Backup(ctx, whole, nil))
	pages, err := os.ReadFile(whole)
	require.NoError(t, err)

	to := filepath.Join(t.TempDir(), "backup.db")
	name := to + ".ABCDEFGHIJKLMNOPQRSTUVWXYZ.new"
	for _, left := range [][]byte{nil, pages[:len(pages)/2+100], make([]byte, 2*len(pages)), append(make([]byte, len(pages)/3), pages[len(pages)/3:]...)} {
		require.NoError(t, os.WriteFile(name, left, 0o600))
		require.NoError(t, os.WriteFile(name+"-wal", []byte("a log of another file"), 0o600))
		require.NoError(t, s.Backup(ctx, to, nil))
		require.Empty(t, leftBackups(t, to))
		got, err := os.ReadFile(to)
		require.NoError(t, err)
		require.Len(t, got, len(pages))
		b := openStore(t, to)
		inB, err := b.Open(ctx, testSchema.Name)
		require.NoError(t, err)
		require.Equal(t, all(t, ctx, c), all(t, ctx, inB))
		require.NoError(t, b.Close())
		require.NoError(t, os.Remove(to))
	}

	require.NoError(t, os.WriteFile(name, pages, 0o600))
	job := &copying{ctx: ctx}
	require.NoError(t, s.copyPages(job, name))
	require.Less(t, job.written, int64(3*4096), "pages that were there")
}

// A damaged page is not copied in silence.
func TestBackupOfDamagedStore(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]engine.Record, 500)
	for i := range records {
		records[i] = randomRecord(rng, fmt.Sprint(i))
	}
	require.NoError(t, c.Upsert(ctx, records))
	require.NoError(t, s.Close())
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 4096), info.Size()-2*4096)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	to := filepath.Join(t.TempDir(), "backup.db")
	require.ErrorIs(t, openStore(t, path).Backup(ctx, to, nil), errDamaged)
	require.NoFileExists(t, to)
	require.Empty(t, leftBackups(t, to))
}
