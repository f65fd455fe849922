package results

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func rounds(micros ...float64) []Round {
	var rs []Round
	for _, x := range micros {
		rs = append(rs, Round{Queries: 10, Micros: x, CPU: x / 2})
	}
	return rs
}

// example is a report in which every target was measured.
func example() Report {
	allocs := map[string]float64{OursExact: 0.5, Hnswlib: -1}
	result := func(name string, g Group, recall float64, build float64, rs ...float64) Result {
		return Result{
			Name: name, Group: g, Recall: recall, Rounds: rounds(rs...), Build: build, Allocs: allocs[name],
			GoPeer: name == Coder || name == SQLiteVec || name == Chromem,
			Times:  Percentiles{rs[0], 2 * rs[0], 3 * rs[0]},
		}
	}
	size := func(rows int) Size {
		return Size{
			Rows: rows, Data: "SIFT", About: "some", Queries: 100, K: 10, Target: 0.989, Rounds: 3, Command: "go run .",
			Results: []Result{
				result(OursGraph, Graph, 0.99, 10, 20, 20, 200),
				result(OursGraphTwo, Graph, 0.99, 10, 10, 10, 10),
				result(Hnswlib, Graph, 0.99, 30, 60, 50, 520),
				result(FaissHNSW, Graph, 0.99, 30, 30, 30, 300),
				result(Coder, Graph, 0.2, 30, 30, 30, 30),
				result(OursGraphSearch, Graph, 0.99, 10, 22, 22, 202),
				result(OursGraphPayload, Graph, 0.99, 10, 90, 90, 290),
				result(OursGraphBeside, Graph, 0.99, 10, 21, 21, 201),
				result(OursExact, ExactL2, 1, 0, 100, 100, 100),
				result(OursExactTwo, ExactL2, 1, 0, 60, 60, 60),
				result(OursSearch, ExactL2, 1, 0, 102, 101, 103),
				result(OursPayload, ExactL2, 1, 0, 200, 200, 200),
				result(OursBeside, ExactL2, 1, 0, 99, 99, 99),
				result(FaissFlat, ExactL2, 1, 0, 600, 600, 600),
				result(DuckDB, ExactL2, 1, 0, 1000, 1000, 1000),
				result(SQLiteVec, ExactL2, 1, 0, 9000, 9000, 9000),
				result(Memory, ExactL2, -1, 0, 300, 300, 300),
				result(OursExactCosine, ExactCosine, 1, 0, 100, 100, 100),
				result(Chromem, ExactCosine, 1, 0, 6000, 6000, 6000),
				result(OursPostgres, Servers, 1, 0, 600, 600, 600),
			},
			Curves: []Curve{
				{OursGraph, []Point{{10, 0.8, 10}, {20, 0.95, 15}, {40, 0.99, 20}}},
				{Hnswlib, []Point{{10, 0.81, 40}, {20, 0.96, 50}, {40, 0.9905, 60}}},
				{Coder, []Point{{10, 0.2, 40}}},
			},
			Skipped: []Skip{{"usearch", "there is\nnone"}},
		}
	}
	var r Report
	r.Put(Size{Rows: 100_000}) // to be replaced
	r.Put(size(10_000))
	r.Put(size(1_000_000))
	r.Put(size(100_000))
	return r
}

func TestTargets(t *testing.T) {
	got := map[string]string{}
	for _, x := range example().targets() {
		got[x.what] = strings.Trim(x.verdict(), "*") + " " + strings.Split(x.measured, " ")[0]
	}
	graph := OursGraph + ", 100,000 rows, recall@10 of 0.989 or more against "
	require.Equal(t, map[string]string{
		graph + Hnswlib:               "met 2.60x", // the median of 3, 2.5 and 2.6
		graph + FaissHNSW:             "missed 1.50x",
		graph + "the best peer in Go": "open 300.00x", // of those that find as much
		OursGraph + ", 1,000,000 rows, recall@10 of 0.989 or more against " + Hnswlib:    "missed 2.60x",
		OursExact + ", 100,000 rows against " + FaissFlat:                                "met 6.00x",
		OursExactCosine + ", 100,000 rows against " + Chromem:                            "met 60.00x",
		OursExact + ", 100,000 rows against " + DuckDB:                                   "missed 10.00x",
		OursExact + ", 1,000,000 rows against " + Memory:                                 "met 3.00x",
		"building the graph of 1,000,000 rows on all CPUs, against " + Hnswlib:           "met 3.00x",
		"what " + OursGraphSearch + " costs over " + OursGraphBeside + ", 100,000 rows":  "met 1.0",
		"what " + OursGraphPayload + " costs over " + OursGraphBeside + ", 100,000 rows": "missed 69.0",
		"what " + OursSearch + " costs over " + OursBeside + ", 10,000 rows":             "met 3.0",
		"what " + OursPayload + " costs over " + OursBeside + ", 10,000 rows":            "missed 101.0",
		OursGraphTwo + " against one, 100,000 rows":                                      "met 2.00x",
		OursExactTwo + " against one, 100,000 rows":                                      "missed 1.67x",
		"allocations of a search, " + OursGraph:                                          "met 0.00",
		"allocations of a search, " + OursExact:                                          "missed 0.50",
	}, got)
	for _, x := range (Report{}).targets() {
		require.Empty(t, x.measured, x.what)
	}
}

func TestBestInGo(t *testing.T) {
	s := example().Sizes[1]
	peer := Result{Name: "another", Group: Graph, Recall: 0.99, Rounds: rounds(120, 130, 1300)}
	s.Results = append(s.Results, peer)
	require.True(t, s.bestInGo().open, "it is not in Go")
	s.Results[len(s.Results)-1].GoPeer = true
	best := s.bestInGo()
	require.Equal(t, "met", best.verdict())
	require.Equal(t, "6.50x (20.0 µs against 130.0 µs of another; by CPU time 6.50x)", best.measured)
	s.Results[len(s.Results)-1].Recall = 0.98
	require.True(t, s.bestInGo().open, "it does not find as much")
}

func TestWriteAndRead(t *testing.T) {
	dir := t.TempDir()
	none, err := Read(dir)
	require.NoError(t, err)
	require.Empty(t, none.Sizes)

	r := example()
	path, err := r.Write(dir)
	require.NoError(t, err)
	again, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, r, again)
	require.Equal(t, []int{10_000, 100_000, 1_000_000}, []int{again.Sizes[0].Rows, again.Sizes[1].Rows, again.Sizes[2].Rows})

	document, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(document), "- usearch: there is none\n")
	require.NotContains(t, string(document), "NaN")
	for line := range strings.Lines(string(document)) {
		if strings.HasPrefix(line, "![") {
			_, link, _ := strings.Cut(line, "](")
			wellFormed(t, filepath.Join(dir, strings.TrimSuffix(link, ")\n")))
		}
	}
	require.Equal(t, 5, strings.Count(string(document), "!["))

	require.NoError(t, os.WriteFile(filepath.Join(dir, results), []byte("{"), 0o600))
	_, err = Read(dir)
	require.ErrorContains(t, err, "earlier results")
}

func wellFormed(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for d := xml.NewDecoder(f); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err, path)
	}
}

func TestNumbers(t *testing.T) {
	require.Equal(t, []string{"0", "999", "1,000", "12,345,678"}, []string{thousands(0), thousands(999), thousands(1000), thousands(12_345_678)})
	require.Equal(t, []string{"9.9", "123", "1,235"}, []string{number(9.94), number(123.4), number(1234.5)})
	require.Equal(t, []string{"12.3 µs", "1.23 ms"}, []string{micros(12.34), micros(1234)})
	require.Equal(t, []float64{0, 2, 2.5}, []float64{Median(nil), Median([]float64{3, 1, 2}), Median([]float64{4, 1, 2, 3})})
	require.Equal(t, Percentiles{P50: 50, P95: 95, P99: 99}, PercentilesOf(hundred()))
}

func hundred() []int64 {
	var nanos []int64
	for i := range 101 {
		nanos = append(nanos, int64(100-i)*1000)
	}
	return nanos
}
