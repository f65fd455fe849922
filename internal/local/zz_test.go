package local

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func BenchmarkZZFill(b *testing.B) {
	os.RemoveAll("/tmp/openbench")
	os.MkdirAll("/tmp/openbench", 0o700)
	fill(b, "/tmp/openbench/test.db", 1_000_000)
}

func TestZZOpen(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelDebug)
	for range 4 {
		begun := time.Now()
		e, err := Open(t.Context(), Options{Path: "/tmp/openbench/test.db", Logger: slog.Default()})
		require.NoError(t, err)
		t.Log("store", time.Since(begun))
		_, err = e.Open(t.Context(), "docs")
		require.NoError(t, err)
		t.Log("collection", time.Since(begun))
		e.Close()
	}
}
