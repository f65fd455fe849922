package local

import (
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// Of a store with a damaged page all records are brought over but for those on it, which
// are named.
func TestSalvage(t *testing.T) {
	path := checkedStore(t, 600)
	before := all(t, t.Context(), opened(t, openReading(t, path)))
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	var page int
	require.NoError(t, db.QueryRow(`SELECT pageno FROM dbstat WHERE name = 'docs.data' AND pagetype = 'leaf' LIMIT 1 OFFSET 3`).Scan(&page))
	_, err = db.Exec(`UPDATE "docs.rows" SET "tags" = '[7]' WHERE id = 'r7'`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(b[(page-1)*4096 : page*4096])
	require.NoError(t, os.WriteFile(path, b, 0o600))

	s := openReading(t, path)
	to := filepath.Join(t.TempDir(), "whole[1].db")
	report, err := s.Salvage(t.Context(), to)
	require.NoError(t, err)
	lost := map[string]bool{}
	for _, p := range report.Problems {
		require.Equal(t, "docs", p.Collection)
		lost[p.ID] = true
	}
	require.True(t, lost["r7"], "its tags are lost")
	require.Greater(t, len(lost), 1)
	require.Less(t, len(lost), 100)
	require.Equal(t, []engine.CheckedCollection{{Name: "docs", Records: 600 - len(lost) + 1}}, report.Collections)
	_, err = s.Salvage(t.Context(), to)
	require.ErrorIs(t, err, engine.ErrExists)
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{to}, beside, "nothing is left over")

	w := openStore(t, to)
	require.Empty(t, checked(t, w).Problems)
	after := map[string]engine.Record{}
	for _, r := range all(t, t.Context(), opened(t, w)) {
		after[r.ID] = r
	}
	for _, r := range before {
		got, ok := after[r.ID]
		switch {
		case r.ID == "r7":
			require.Nil(t, got.Fields[1])
			require.Equal(t, r.Vector, got.Vector)
		case lost[r.ID]:
			require.False(t, ok)
		default:
			require.Equal(t, r, got)
		}
	}
}

func opened(t *testing.T, s *store) engine.Collection {
	t.Helper()
	c, err := s.Open(t.Context(), "docs")
	require.NoError(t, err)
	return c
}

// Salvaging a store whose bytes are flipped ends with a store that is whole, or with an
// error and no store.
func TestSalvageOfFlippedBytes(t *testing.T) {
	path := checkedStore(t, 200)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(6, 6))
	saved := 0
	for range 20 {
		b := append([]byte{}, whole...)
		for range 10 {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		require.NoError(t, os.WriteFile(path, b, 0o600))
		e, err := Open(t.Context(), Options{Path: path, ReadOnly: true, Logger: openStore(t, filepath.Join(t.TempDir(), "x.db")).log})
		if err != nil {
			continue
		}
		to := filepath.Join(t.TempDir(), "to.db")
		if _, err := e.Salvage(t.Context(), to); err != nil {
			require.NoFileExists(t, to)
		} else {
			saved++
			s := openStore(t, to)
			require.Empty(t, checked(t, s).Problems)
			require.NoError(t, s.Close())
		}
		require.NoError(t, e.Close())
	}
	require.Positive(t, saved)
}

// What a backup that was killed has left is removed by the next one to that path, but
// nothing else.
func TestBackupRemovesLeftovers(t *testing.T) {
	s := openStore(t, checkedStore(t, 20))
	dir := t.TempDir()
	to := filepath.Join(dir, "backup.db")
	left := to + ".OLDOLDOLDOLDOLDOLDOLDOLDOL.new"
	other := filepath.Join(dir, "backup.db2.OLD.new")
	mine := to + ".notes.new"
	for _, name := range []string{left, left + "-journal", other, mine} {
		require.NoError(t, os.WriteFile(name, []byte("half"), 0o600))
	}
	require.NoError(t, s.Backup(t.Context(), to, nil))
	require.NoFileExists(t, left)
	require.NoFileExists(t, left+"-journal")
	require.FileExists(t, other)
	require.FileExists(t, mine)
	require.NoError(t, os.Remove(other))
	require.NoError(t, os.Remove(mine))
}
