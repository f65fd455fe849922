package local

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// openError opens a path that cannot be opened.
func openError(t *testing.T, path string) *engine.ConnectError {
	t.Helper()
	_, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	var connect *engine.ConnectError
	require.ErrorAs(t, err, &connect)
	return connect
}

// fullStore makes a store of some size, closes it and returns its path.
func fullStore(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := create(t, s, testSchema)
	var records []engine.Record
	for i := range 500 {
		records = append(records, engine.Record{
			ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, 2, 3, float32(i)}}, Fields: make([]any, 2),
		})
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	require.NoError(t, s.Close())
	return path
}

func TestRefusesFilesThatAreNoStore(t *testing.T) {
	other := func(statement string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", fileURI(path))
			require.NoError(t, err)
			_, err = db.Exec(statement)
			require.NoError(t, err)
			require.NoError(t, db.Close())
		}
	}
	write := func(content string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	}
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"empty":              {write(""), "truncated: it has 0 bytes"},
		"cut in the header":  {write(magic + "\x10"), "truncated: it has 17 bytes"},
		"text":               {write("dear diary, dear diary, dear diary, dear diary, dear diary, dear diary, dear diary, dear diary, dear diary"), "not a vecwire store"},
		"another's database": {other("PRAGMA application_id = 7"), "not a vecwire store"},
		"a newer format":     {other(fmt.Sprintf("PRAGMA user_version = %d", formatVersion+1)), fmt.Sprintf("the store has format %d, this program reads up to %d", formatVersion+1, formatVersion)},
		"a lost end": {func(t *testing.T, path string) {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, info.Size()-4096))
		}, "truncated: it has"},
	} {
		t.Run(name, func(t *testing.T) {
			path := fullStore(t)
			tc.spoil(t, path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)

			require.ErrorContains(t, openError(t, path), tc.want)

			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after, "the file was changed")
		})
	}
}

func TestRefusesPathsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	err := openError(t, filepath.Join(dir, "none", "test.db"))
	require.Contains(t, err.Remedy, "make the directory first")

	require.ErrorContains(t, openError(t, dir), "not a regular file")

	path := fullStore(t)
	require.NoError(t, os.WriteFile(path+"-wal", []byte("something"), 0o600))
	require.NoError(t, os.Remove(path))
	require.ErrorContains(t, openError(t, path), "the file is missing, but its log test.db-wal is there")
}

// A file may be whole and its content wrong all the same.
func TestNoticesDamagedContent(t *testing.T) {
	for name, tc := range map[string]struct{ statement, want string }{
		"a lost vector":       {`DELETE FROM "docs.data" WHERE vecwire_row = 7`, `the vector of record "7" in "docs" has 0 bytes, want 16`},
		"a short vector":      {`UPDATE "docs.data" SET vector = x'00' WHERE vecwire_row = 7`, `the vector of record "7" in "docs" has 1 bytes, want 16`},
		"NaN":                 {`UPDATE "docs.data" SET vector = x'0000c07f0000c07f0000c07f0000c07f' WHERE vecwire_row = 7`, `record "7" in "docs": vector[0] is NaN`},
		"an unknown metric":   {`UPDATE vecwire_collections SET metric = 'taxicab'`, `collection "docs" has element "FLOAT" and metric "taxicab"`},
		"fields that are not": {`UPDATE vecwire_collections SET fields = 'x'`, `collection "docs"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := fullStore(t)
			db, err := sql.Open("sqlite", fileURI(path))
			require.NoError(t, err)
			_, err = db.Exec(tc.statement)
			require.NoError(t, err)
			require.NoError(t, db.Close())

			_, err = openStore(t, path).Open(t.Context(), "docs")
			require.ErrorIs(t, err, errDamaged)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// Rows that are far apart, after much was deleted, are moved together.
func TestCompactsSparseCollections(t *testing.T) {
	path := fullStore(t)
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	for _, table := range []string{"docs.rows", "docs.data"} {
		_, err = db.Exec(fmt.Sprintf(`UPDATE %q SET vecwire_row = vecwire_row * 4000000 WHERE vecwire_row > 0`, table))
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())

	s := openStore(t, path)
	c, err := s.Open(t.Context(), "docs")
	require.NoError(t, err)
	require.EqualValues(t, 500, c.(*collection).end)
	results, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 2, 3, 321}}, K: 1, Payload: true, Vectors: true}})
	require.NoError(t, err)
	require.Equal(t, "321", results[0].Hits[0].ID)
	require.Equal(t, []float32{1, 2, 3, 321}, results[0].Hits[0].Vector.F32)
}

// A process that dies while it makes a store leaves only the unfinished copy.
func TestUnfinishedStoreIsNoStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	require.NoError(t, os.WriteFile(path+".new", []byte("half"), 0o600))
	create(t, openStore(t, path), testSchema)
}

// A call that another process keeps waiting says who that is, and since when.
func TestLockSaysWhoHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	holder := startPeer(t, path, "hold")
	defer holder.stop(t)

	e, err := Open(t.Context(), Options{Path: path, LockTimeout: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err) // one opens and reads beside a writer
	defer e.Close()
	_, err = e.List(t.Context())
	require.NoError(t, err)
	_, err = e.Create(t.Context(), testSchema)
	var locked *engine.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, holder.cmd.Process.Pid, locked.PID)
	require.Equal(t, filepath.Base(os.Args[0]), locked.Program)
	require.False(t, locked.Since.IsZero())
	require.ErrorContains(t, err, fmt.Sprintf("is locked by process %d (%s)", locked.PID, locked.Program))

	holder.kill(t) // the dead hold no locks
	create(t, e.(*store), testSchema)
}

// A store is the same whatever it is called, and can be opened twice by one process.
func TestLinksAreTheSameStore(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "test.db"), filepath.Join(dir, "link.db")
	create(t, openStore(t, path), testSchema)
	require.NoError(t, os.Symlink(path, link))
	_, err := openStore(t, link).Open(t.Context(), testSchema.Name)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(dir, "none"), filepath.Join(dir, "nowhere.db")))
	require.ErrorContains(t, openError(t, filepath.Join(dir, "nowhere.db")), "symbolic link to nothing")
}

// What is refused gets no lock file beside it.
func TestRefusalLeavesNothingBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(path, []byte("dear diary"), 0o600))
	openError(t, path)
	_, err := os.Stat(path + ".lock")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPathsWithStrangeNames(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "what?.db", "#1.db", "ü.db", "a&b=c.db", "x%20y.db"} {
		path := filepath.Join(t.TempDir(), name)
		create(t, openStore(t, path), testSchema)
		_, err := os.Stat(path)
		require.NoError(t, err, name)
	}
}

// A commit that fails leaves the store and its memory as they were.
func TestFullDisk(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	small := []engine.Record{{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2), Text: "first"}}
	require.NoError(t, c.Upsert(t.Context(), small))
	_, err := s.write.Exec("PRAGMA max_page_count = 40")
	require.NoError(t, err)

	large := []engine.Record{
		{ID: "a", Vector: engine.Vector{F32: []float32{9, 9, 9, 9}}, Fields: make([]any, 2), Text: "second"},
		{ID: "b", Vector: engine.Vector{F32: []float32{9, 9, 9, 9}}, Fields: make([]any, 2), Text: string(make([]byte, 1<<20))},
	}
	require.ErrorContains(t, c.Upsert(t.Context(), large), "the disk is full")

	require.Equal(t, small, all(t, t.Context(), c))
	results, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{9, 9, 9, 9}}, K: 5}})
	require.NoError(t, err)
	require.Len(t, results[0].Hits, 1)

	_, err = s.write.Exec("PRAGMA max_page_count = 100000")
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), large))
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
