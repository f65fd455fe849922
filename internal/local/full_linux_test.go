package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

const fullVariable = "VECWIRE_TEST_FULL" // the folder on which a process mounts its small disk

// TestFullDisks does what takes room on a disk on which there is too little of it, more each
// time: it is done, or an error and nothing is lost, and it is done when there is room.
func TestFullDisks(t *testing.T) {
	disk := os.Getenv(fullVariable)
	if disk == "" { // in a process that may mount
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFullDisks$", "-test.v", "-test.timeout", "8m", fmt.Sprint("-test.short=", testing.Short()))
		dir := t.TempDir()
		cmd.Env = append(os.Environ(), fullVariable+"="+dir, "SQLITE_TMPDIR="+dir)
		id := func(of int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: of, Size: 1}} }
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: id(os.Getuid()), GidMappings: id(os.Getgid()),
		}
		out, err := cmd.CombinedOutput()
		if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
			t.Skip("no process here mounts a disk:", err)
		}
		require.NoError(t, err, "%s", out)
		t.Logf("%s", out)
		return
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=12m"); err != nil {
		t.Skip("a disk cannot be mounted:", err)
	}
	rooms := []int{0, 4, 8, 20, 40, 80, 160, 320, 640, 1280, 2560}
	if testing.Short() {
		rooms = []int{0, 20, 160, 640}
	}
	for i, schema := range []engine.Schema{{Element: codec.FLOAT, Dim: 384}, {Element: codec.DOUBLE, Dim: 192}} {
		t.Run(schema.Element.String(), func(t *testing.T) {
			fullSchema.Element, fullSchema.Dim = schema.Element, schema.Dim
			var every []int // second room
			for j := i; j < len(rooms); j += 2 {
				every = append(every, rooms[j])
			}
			dir := filepath.Join(disk, schema.Element.String())
			require.NoError(t, os.Mkdir(dir, 0o700))
			defer os.RemoveAll(dir)
			fullDisk(t, dir, every)
		})
	}
}

// fullDisk does each operation with each of so many KiB of room.
func fullDisk(t *testing.T, dir string, rooms []int) {
	d := &damaged{path: filepath.Join(dir, "test.db"), files: map[string][]byte{}}
	s, err := openFull(t, d.path)
	require.NoError(t, err)
	docs := create(t, s, fullSchema)
	var records []engine.Record
	for i := range 300 {
		records = append(records, fullRecord(i, 1))
	}
	require.NoError(t, docs.Upsert(t.Context(), records))
	require.NoError(t, docs.BuildIndex(t.Context(), engine.IndexPlan{M: 6, EfConstruction: 24}))
	require.Positive(t, outsiders(docs))
	require.NoError(t, s.Close())
	d.keep(t)
	before := fullLines(t, d)
	failures := 0
	for _, op := range fullOps {
		d.restore(t, nil)
		s, err := openFull(t, d.path)
		require.NoError(t, err)
		c := open(t, s, "docs")
		if op.first != nil {
			require.NoError(t, op.first(t.Context(), s, c), op.name)
		}
		require.NoError(t, op.do(t.Context(), s, c), op.name)
		require.NoError(t, s.Close())
		after := fullLines(t, d)
		failed := 0
		for _, room := range rooms {
			if fullTry(t, d, op, fmt.Sprintf("%s with %d KiB", op.name, room), room<<10, before, after) {
				failed++
			}
		}
		t.Logf("%s: %d of %d found no room", op.name, failed, len(rooms))
		failures += failed
	}
	t.Logf("%d of %d found no room, and lost nothing", failures, len(rooms)*len(fullOps))
	require.NotZero(t, failures)
}

// fullTry does one operation with so much room, and reports whether it failed.
func fullTry(t *testing.T, d *damaged, op fullOp, what string, room int, before, after []string) bool {
	t.Helper()
	d.restore(t, nil)
	s, err := openFull(t, d.path)
	require.NoError(t, err, what)
	defer s.Close()
	c := open(t, s, "docs")
	if op.first != nil {
		require.NoError(t, op.first(t.Context(), s, c), what)
		before, after = linesOf(t, c), linesOf(t, c)
	}
	free := fillDisk(t, filepath.Dir(d.path), room)
	failed := op.do(t.Context(), s, c)
	seen := linesOf(t, c)
	if failed == nil {
		require.Equal(t, after, seen, what)
	} else {
		require.True(t, slices.Equal(seen, before) || slices.Equal(seen, after), "%s: %v", what, failed)
	}
	requireScores(t, c, fullRecord(5, 5).Vector)
	// What there is no room to do for, reading does.
	found, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: "record", K: 1000}})
	require.NoError(t, err, what)
	require.Len(t, found[0], len(seen), what)
	free()
	if failed != nil {
		require.NoError(t, op.do(t.Context(), s, c), "%s, again, after: %v", what, failed)
		require.Equal(t, after, linesOf(t, c), what)
	}
	require.Empty(t, checked(t, s).Problems, what)
	require.NoError(t, s.Close(), what)
	s, err = openFull(t, d.path)
	require.NoError(t, err, what)
	defer s.Close()
	c = open(t, s, "docs")
	require.Equal(t, after, linesOf(t, c), what)
	requireScores(t, c, fullRecord(5, 5).Vector)
	require.Empty(t, checked(t, s).Problems, what)
	return failed != nil
}

var fullSchema = engine.Schema{
	Name: "docs", FullText: engine.English,
	Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}, {Name: "source", Index: true}},
}

func fullRecord(i, version int) engine.Record {
	r := damageableRecord(fullSchema, i, version)
	r.Fields[1] = fmt.Sprint("s", i%10)
	return r
}

func fullRecords(from, to, version int) (records []engine.Record) {
	for i := from; i < to; i++ {
		records = append(records, fullRecord(i, version))
	}
	return records
}

type fullOp struct {
	name      string
	first, do func(ctx context.Context, s *store, c engine.Collection) error // first is done while there is room
}

func upsertMany(ctx context.Context, _ *store, c engine.Collection) error {
	return c.Upsert(ctx, fullRecords(100, 500, 2))
}

var endReading = func() {} // of who keeps a checkpoint from moving vectors

// fullOps is what takes room. Each does the same when it is done twice.
var fullOps = []fullOp{
	{"Upsert", nil, upsertMany},
	{"one record after the other", nil, func(ctx context.Context, _ *store, c engine.Collection) error {
		for _, r := range fullRecords(0, 1, 3) {
			if err := c.Upsert(ctx, []engine.Record{r}); err != nil {
				return err
			}
		}
		return nil
	}},
	{"Delete", nil, func(ctx context.Context, _ *store, c engine.Collection) error {
		_, err := c.DeleteWhere(ctx, filter.Lt("n", int64(5)))
		return err
	}},
	{"Tx", nil, func(ctx context.Context, s *store, c engine.Collection) error {
		return s.Tx(ctx, func(ctx context.Context) error {
			if _, err := c.DeleteWhere(ctx, filter.Eq("n", int64(3))); err != nil {
				return err
			}
			if err := c.Upsert(ctx, fullRecords(0, 3, 3)); err != nil {
				return err
			}
			return c.Upsert(ctx, fullRecords(300, 400, 3))
		})
	}},
	{"ReplaceSource", nil, func(ctx context.Context, s *store, c engine.Collection) error {
		return s.Tx(ctx, func(ctx context.Context) error {
			if _, err := c.DeleteWhere(ctx, filter.Eq("source", "s4")); err != nil {
				return err
			}
			var records []engine.Record
			for i := 4; i < 900; i += 20 {
				records = append(records, fullRecord(i, 4))
			}
			return c.Upsert(ctx, records)
		})
	}},
	{"BuildIndex", nil, func(ctx context.Context, _ *store, c engine.Collection) error {
		return c.BuildIndex(ctx, engine.IndexPlan{M: 9, EfConstruction: 24})
	}},
	{"a snapshot", upsertMany, func(ctx context.Context, _ *store, c engine.Collection) error {
		lc := c.(*collection)
		return lc.alone(ctx, func(ctx context.Context) error {
			lc.still.Lock()
			lc.saved.noted = max(1, lc.saved.noted)
			lc.still.Unlock()
			return lc.save(ctx)
		})
	}},
	{"a checkpoint", func(ctx context.Context, s *store, c engine.Collection) error {
		// Somebody reads what was before, so that none takes place until then.
		_, end, err := s.pin(ctx)
		if err != nil {
			return err
		}
		endReading = end
		return upsertMany(ctx, s, c)
	}, func(ctx context.Context, s *store, _ engine.Collection) error {
		endReading()
		endReading = func() {}
		_, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
		return err
	}},
	{"Compact", upsertMany, func(ctx context.Context, s *store, _ engine.Collection) error { return s.Compact(ctx) }},
	{"Backup", upsertMany, func(ctx context.Context, s *store, _ engine.Collection) error {
		to := filepath.Join(filepath.Dir(s.path), "copy", "of.db")
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		defer os.RemoveAll(filepath.Dir(to))
		err := s.Backup(ctx, to, nil)
		if _, missing := os.Stat(to); err == nil {
			return missing
		} else if missing == nil {
			panic("a backup that failed has a file")
		}
		return err
	}},
	{"CreateCollection", nil, func(ctx context.Context, s *store, _ engine.Collection) error {
		more := fullSchema
		more.Name = "more"
		m, err := ensure(ctx, s, more)
		if err != nil {
			return err
		}
		return m.Upsert(ctx, fullRecords(0, 30, 1))
	}},
}

func openFull(t *testing.T, path string) (*store, error) {
	t.Helper()
	e, err := Open(t.Context(), Options{Path: path, LockTimeout: time.Second, Logger: slog.New(falseAlarms{slog.DiscardHandler})})
	if err != nil {
		return nil, err
	}
	e.(*store).leastSave = 40
	return e.(*store), nil
}

// fullLines returns the records of the closed store.
func fullLines(t *testing.T, d *damaged) []string {
	t.Helper()
	s, err := openFull(t, d.path)
	require.NoError(t, err)
	defer s.Close()
	return linesOf(t, open(t, s, "docs"))
}

func linesOf(t *testing.T, c engine.Collection) (lines []string) {
	t.Helper()
	for _, r := range all(t, t.Context(), c) {
		lines = append(lines, fmt.Sprint(r.ID, r.Text, r.Fields, elements(r.Vector)[:2]))
	}
	return lines
}

// fillDisk fills the disk but for so many bytes. What it returns gives the room back.
func fillDisk(t *testing.T, dir string, but int) func() {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	require.NoError(t, err)
	size := int64(0)
	for b := make([]byte, 4096); ; size += int64(len(b)) {
		if _, err := f.Write(b); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			break
		}
	}
	require.NoError(t, f.Truncate(max(0, size-int64(but))))
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(name)) }
}
