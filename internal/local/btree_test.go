package local

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every vector of a table is found where SQLite has it, whatever the size of pages and vectors.
func TestBtree(t *testing.T) {
	for _, pageSize := range []int{512, 4096, 8192, 16384, 65536} {
		for _, size := range []int{4, 512, 1536, 4096, 12288, 300_000} {
			t.Run(fmt.Sprint(pageSize, "/", size), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "test.db")
				db, err := sql.Open("sqlite", fileURI(path))
				require.NoError(t, err)
				defer db.Close()
				db.SetMaxOpenConns(1)
				_, err = db.Exec(fmt.Sprintf("PRAGMA page_size = %d; CREATE TABLE other (a); CREATE TABLE data (row INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT", pageSize))
				require.NoError(t, err)
				rng := rand.New(rand.NewPCG(uint64(size), uint64(pageSize)))
				want := map[int64][]byte{}
				n := min(2000, 3_000_000/size)
				tx, err := db.Begin()
				require.NoError(t, err)
				for range n {
					row, v := rng.Int64N(int64(4*n)), make([]byte, size)
					for i := range v {
						v[i] = byte(rng.Uint32())
					}
					want[row] = v
					_, err = tx.Exec("INSERT OR REPLACE INTO data VALUES (?, ?, ?)", row, v, string(make([]byte, rng.IntN(200))))
					require.NoError(t, err)
				}
				require.NoError(t, tx.Commit())
				var root uint32
				require.NoError(t, db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'data'").Scan(&root))
				file, err := os.ReadFile(path)
				require.NoError(t, err)
				tree, ok := newBtree(file)
				require.True(t, ok)
				found, got := 0, make([]byte, size)
				require.NoError(t, tree.each(root, func(row int64, c cell) {
					place, ok := c.vector(size)
					require.True(t, ok)
					require.True(t, tree.read(place, got))
					require.Equal(t, want[row], got)
					_, ok = c.vector(size + 4)
					require.False(t, ok)
					found++
				}))
				require.Equal(t, len(want), found)
				for row := range int64(4*n) + 1 {
					c, ok := tree.find(root, row)
					require.Equal(t, want[row] != nil, ok)
					if ok {
						place, ok := c.vector(size)
						require.True(t, ok)
						require.True(t, tree.read(place, got))
						require.Equal(t, want[row], got)
					}
				}
			})
		}
	}
}

// Any bytes are read without harm.
func FuzzBtree(f *testing.F) {
	path := filepath.Join(f.TempDir(), "test.db")
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(f, err)
	defer db.Close()
	_, err = db.Exec("PRAGMA page_size = 512; CREATE TABLE data (row INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT")
	require.NoError(f, err)
	for i := range 40 {
		_, err = db.Exec("INSERT INTO data VALUES (?, ?, 'x')", i, make([]byte, 64+20*i))
		require.NoError(f, err)
	}
	file, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(uint32(600), []byte{13, 0, 0, 255}, int64(3))
	f.Add(uint32(516), []byte{255, 255, 255, 255, 255}, int64(30))
	f.Fuzz(func(t *testing.T, at uint32, change []byte, row int64) {
		b := append([]byte{}, file...)
		copy(b[int(at)%len(b):], change)
		tree, ok := newBtree(b)
		if !ok {
			return
		}
		dst := make([]byte, 64+20*(uint64(row)%40))
		look := func(c cell) {
			if place, ok := c.vector(len(dst)); ok {
				tree.read(place, dst)
			}
		}
		_ = tree.each(2, func(_ int64, c cell) { look(c) }) // what it does not find is all that is wrong
		if c, ok := tree.find(2, row); ok {
			look(c)
		}
		tree.read(binary.LittleEndian.Uint64(append(append([]byte{}, change...), make([]byte, 8)...)), dst)
	})
}
