package parquet_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
	"github.com/vecwire/vecwire/transfer/parquet"
)

// TestMemoryIsBounded reads a file of 60 MB and looks at the heap meanwhile.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 60 MB")
	}
	const dim, rows = 768, 20_000
	s := vecwire.Schema{Name: "c", Dim: dim}
	db, err := vecwire.Open(t.Context(), filepath.Join(t.TempDir(), "big.db"))
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	_, err = c.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
		for i := range rows {
			v := make([]float32, dim)
			for j := range v {
				v[j] = float32((i*31+j*17)%1009) / 7
			}
			if !yield(vecwire.Record{ID: string(rune('a'+i%26)) + string(rune(0x4e00+i)), Vector: v}, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	file, err := os.Create(filepath.Join(t.TempDir(), "big.parquet"))
	require.NoError(t, err)
	defer file.Close()
	most := watched(t, func(look func()) {
		n, err := parquet.Write(context.Background(), file, c, transfer.Options{Progress: func(transfer.Progress) { look() }})
		require.NoError(t, err)
		require.Equal(t, rows, n)
	})
	info, err := file.Stat()
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(dim*rows*4*9/10))
	t.Logf("writing %d MB took %d MB of heap", info.Size()>>20, most>>20)
	require.Less(t, most, uint64(info.Size()))
	n := 0
	most = watched(t, func(look func()) {
		for _, err := range parquet.Read(file, info.Size(), s, transfer.Names{}) {
			require.NoError(t, err)
			if n++; n%1000 == 0 {
				look()
			}
		}
	})
	require.Equal(t, rows, n)
	t.Logf("reading took %d MB", most>>20)
	require.Less(t, most, uint64(info.Size()/2))
}

// watched returns by how much the live heap grew, at most, when f looked.
func watched(t *testing.T, f func(look func())) (most uint64) {
	t.Helper()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f(func() {
		if now := heap(); now > before {
			most = max(most, now-before)
		}
	})
	return most
}
