package local

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
)

func BenchmarkTmpOpen(b *testing.B) {
	path := "/tmp/open1m/test.db"
	if _, err := os.Stat(path); err != nil {
		os.MkdirAll("/tmp/open1m", 0o755)
		fill(b, path, 1_000_000)
	}
	for i := range 6 {
		runtime.GC()
		t0 := time.Now()
		s := openStore(b, path)
		t1 := time.Now()
		c := open(b, s, "docs")
		t2 := time.Now()
		_, err := c.Search(context.Background(), []engine.Search{{Vector: engine.Vector{F32: make([]float32, 128)}, K: 10, Payload: true}})
		t3 := time.Now()
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
		fmt.Println(i, "store", t1.Sub(t0), "open", t2.Sub(t1), "search", t3.Sub(t2))
	}
}
