//go:build unix

package vecwire_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkAutoIndex compares searches of real embeddings through Collection.Search before
// there is an index and after, with the effort that is the default: CPU time for the 10
// nearest, and how many of the 1, 10, 30 and 100 nearest are found. Small collections do
// not get an index by themselves, and have it built in the same way.
func BenchmarkAutoIndex(b *testing.B) {
	base, queries := embeddings(b)
	for _, n := range []int{2_500, 5_000, 10_000, 20_000, 30_000, 60_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				_, docs := auto(b, base[:n])
				want := map[int][][]string{}
				searchAll(b, docs, queries, 10, true)
				exact, _ := searchAll(b, docs, queries, 10, true)
				nearest := []int{1, 10, 30, 100}
				for _, k := range nearest {
					_, want[k] = searchAll(b, docs, queries, k, true)
				}
				began := cpuTime(b)
				require.NoError(b, docs.BuildIndex(b.Context(), vecwire.IndexOptions{Workers: 1}))
				build := cpuTime(b) - began
				for _, k := range nearest {
					_, got := searchAll(b, docs, queries, k, false)
					b.ReportMetric(share(got, want[k]), fmt.Sprint("recall@", k))
				}
				graph, _ := searchAll(b, docs, queries, 10, false)
				again, _ := searchAll(b, docs, queries, 10, true)
				exact = (exact + again) / 2
				b.ReportMetric(exact*1e6, "exact-us")
				b.ReportMetric(graph*1e6, "graph-us")
				b.ReportMetric(exact/graph, "gain")
				b.ReportMetric(build*1e6/float64(n), "link-us")
				b.ReportMetric(build/(exact-graph), "repaid-after")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkWhileAutoIndex says how many milliseconds exact searches of 60,000 real
// embeddings take before an index is built by itself, meanwhile, and afterwards. A search
// comes 10 milliseconds after the last, and, with writes, a record after each fifth.
func BenchmarkWhileAutoIndex(b *testing.B) {
	base, queries := embeddings(b)
	for _, writes := range []bool{false, true} {
		b.Run(map[bool]string{false: "reads", true: "reads and writes"}[writes], func(b *testing.B) {
			for b.Loop() {
				searchWhileIndexed(b, base, queries, writes)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func searchWhileIndexed(b *testing.B, base, queries [][]float32, writes bool) {
	ctx := b.Context()
	db, docs := auto(b, base)
	next := 0
	var took []float64
	search := func(n int) {
		for range n {
			time.Sleep(10 * time.Millisecond)
			if next++; writes && next%5 == 0 {
				r := vecwire.Record{ID: strconv.Itoa(next), Vector: base[next%len(base)]}
				go func() { _ = docs.Upsert(ctx, r) }()
			}
			begun := time.Now()
			_, err := docs.Search(ctx, vecwire.Query{Vector: queries[next%len(queries)], IDsOnly: true, Exact: true})
			took = append(took, time.Since(begun).Seconds()*1e3)
			require.NoError(b, err)
		}
	}
	report := func(when string) {
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2], when+"-p50")
		b.ReportMetric(took[len(took)*99/100], when+"-p99")
		took = nil
	}
	search(1000)
	report("before")
	index := vecwire.AutoIndex
	require.NoError(b, db.AlterCollection(ctx, "docs", vecwire.Alter{Index: &index}))
	begun := time.Now()
	for there := false; !there; {
		search(50)
		is, err := docs.Indexes(ctx)
		require.NoError(b, err)
		there = len(is) > 0
	}
	b.ReportMetric(time.Since(begun).Seconds(), "build-s")
	search(100) // its snapshot is written
	report("while")
	search(1000)
	report("after")
}

// auto returns a collection of a file that has no index yet.
func auto(b *testing.B, vectors [][]float32) (*vecwire.DB, *vecwire.Collection) {
	db, docs := createCollection(b, filepath.Join(b.TempDir(), "docs.db"), vecwire.Schema{Name: "docs", Dim: len(vectors[0]), Index: vecwire.NoIndex})
	b.Cleanup(func() { db.Close() })
	for i := 0; i < len(vectors); i += 2000 {
		var records []vecwire.Record
		for j := i; j < min(i+2000, len(vectors)); j++ {
			records = append(records, vecwire.Record{ID: strconv.Itoa(j), Vector: vectors[j]})
		}
		require.NoError(b, docs.Upsert(b.Context(), records...))
	}
	return db, docs
}

// searchAll searches for the k nearest of each query, and returns the seconds of CPU time
// that one took, and the IDs.
func searchAll(b *testing.B, docs *vecwire.Collection, queries [][]float32, k int, exact bool) (took float64, ids [][]string) {
	began := cpuTime(b)
	for _, q := range queries {
		hits, err := docs.Search(b.Context(), vecwire.Query{Vector: q, K: k, IDsOnly: true, Exact: exact})
		require.NoError(b, err)
		var found []string
		for _, h := range hits {
			found = append(found, h.ID)
		}
		ids = append(ids, found)
	}
	return (cpuTime(b) - began) / float64(len(queries)), ids
}

// share returns which share of want is in got.
func share(got, want [][]string) float64 {
	found, all := 0, 0
	for i, ids := range want {
		all += len(ids)
		for _, id := range ids {
			if slices.Contains(got[i], id) {
				found++
			}
		}
	}
	return float64(found) / float64(all)
}

// cpuTime returns the seconds of CPU time that this process has used.
func cpuTime(b *testing.B) float64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// embeddings returns real embeddings, and others to search for.
func embeddings(b *testing.B) (base, queries [][]float32) {
	read := func(name string) (vectors [][]float32) {
		f, err := os.Open(testenv.Data(b, name))
		require.NoError(b, err)
		defer f.Close()
		array, err := codec.ReadNPY(f)
		require.NoError(b, err)
		for v, err := range array.Float32s() {
			require.NoError(b, err)
			vectors = append(vectors, slices.Clone(v))
		}
		return vectors
	}
	return read("minilm60k_base.npy"), read("minilm_query.npy")
}
