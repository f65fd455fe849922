package vecwire_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkInMemory stores 100,000 records of 384 dimensions in "mem:", and reports how fast
// that is, what memory a record takes, and how long searches take. Memory is that of the
// process, so that each case is to be run in one of its own.
func BenchmarkInMemory(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	for _, metric := range []vecwire.Metric{vecwire.Cosine, vecwire.L2} {
		b.Run(metric.String(), func(b *testing.B) {
			for b.Loop() {
				benchmarkInMemory(b, n, metric)
			}
		})
	}
}

func benchmarkInMemory(b *testing.B, n int, metric vecwire.Metric) {
	const dim, batch, searches = 384, 1000, 2000
	ctx := context.Background()
	vector := pair.Vectors(1, dim)
	before := anonymous(b)
	db, docs := createCollection(b, "mem:", vecwire.Schema{Name: "docs", Dim: dim, Metric: metric, Index: vecwire.NoIndex})
	records := make([]vecwire.Record, batch)
	var took time.Duration
	for i := 0; i < n; i += batch {
		for j := range records {
			records[j] = vecwire.Record{ID: fmt.Sprint("doc-", i+j), Vector: vector()}
		}
		begun := time.Now()
		require.NoError(b, docs.Upsert(ctx, records...))
		took += time.Since(begun)
	}
	queries := make([][]float32, 64)
	ask := pair.Vectors(2, dim)
	for i := range queries {
		queries[i] = ask()
	}
	search := func(exact bool, times int) float64 {
		begun := time.Now()
		for i := range times {
			hits, err := docs.Search(ctx, vecwire.Query{Vector: queries[i%len(queries)], K: 10, Exact: exact})
			require.NoError(b, err)
			require.Len(b, hits, 10)
		}
		return float64(time.Since(begun).Microseconds()) / float64(times)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(n)/took.Seconds(), "records/s")
	b.ReportMetric((anonymous(b)-before)/float64(n), "flat-B/record")
	search(true, 10)
	b.ReportMetric(search(true, searches/10), "exact-us")
	begun := time.Now()
	require.NoError(b, docs.BuildIndex(ctx, vecwire.IndexOptions{}))
	b.ReportMetric(time.Since(begun).Seconds(), "build-s")
	search(false, 100)
	b.ReportMetric(search(false, searches), "graph-us")
	b.ReportMetric((anonymous(b)-before)/float64(n), "indexed-B/record")
	require.NoError(b, db.Close())
}

// anonymous returns the memory of the process that is of no file, in bytes.
func anonymous(b *testing.B) float64 {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("this system does not say what memory a process takes")
	}
	_, rest, _ := strings.Cut(string(bytes.ReplaceAll(status, []byte("\t"), []byte(" "))), "RssAnon:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(b, err)
	return kb * 1024
}
