// Package results holds what a run measured, and writes it down: as JSON, as a
// document with tables, and as plots. It measures nothing.
package results

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Group is what is compared with each other.
type Group string

// The groups.
const (
	ExactL2     Group = "exact search by Euclidean distance"
	ExactCosine Group = "exact search by cosine"
	Graph       Group = "graph search by Euclidean distance"
	Servers     Group = "servers"
)

// The names that the targets speak of.
const (
	OursExact        = "vecwire, bare scan"
	OursGraph        = "vecwire, bare graph"
	OursExactCosine  = "vecwire, bare scan, cosine"
	OursExactTwo     = "vecwire, bare scan, 2 threads"
	OursGraphTwo     = "vecwire, bare graph, 2 threads"
	OursSearch       = "vecwire Collection.Search, IDs only"
	OursPayload      = "vecwire Collection.Search, text and fields"
	OursGraphSearch  = "vecwire Collection.Search over its graph, IDs only"
	OursGraphPayload = "vecwire Collection.Search over its graph, text and fields"
	OursBeside       = "vecwire, bare scan beside Collection.Search"
	OursGraphBeside  = "vecwire, bare graph beside Collection.Search"
	OursPostgres     = "vecwire on PostgreSQL"
	OursIRIS         = "vecwire on iris-pgwire"
	Hnswlib          = "hnswlib"
	HnswlibHuge      = "hnswlib, huge pages"
	FaissHNSW        = "FAISS IndexHNSWFlat"
	FaissFlat        = "FAISS IndexFlatL2"
	Usearch          = "usearch"
	Chromem          = "chromem-go"
	Coder            = "coder/hnsw"
	Weaviate         = "Weaviate"
	SQLiteVec        = "sqlite-vec (modernc.org/sqlite/vec)"
	DuckDB           = "DuckDB"
	Memory           = "reading all float32 once"
)

// Report is everything that was measured.
type Report struct {
	Machine Machine
	Sizes   []Size // ascending
}

// Machine is where and with what it was measured.
type Machine struct {
	CPU, Caches, Memory, Kernel, HugePages, Go, Commit string
	CPUs                                               int
}

// Size is what was measured over one number of rows.
type Size struct {
	Rows     int
	Data     string // the name of the data
	About    string // where they come from
	Queries  int
	K        int
	Target   float64 // recall that graphs are compared at
	Rounds   int
	When     time.Time
	Command  string
	Load     string // load averages of the machine, before and after
	Took     time.Duration
	Results  []Result
	Curves   []Curve
	Skipped  []Skip
	Warnings []string
}

// Result is one engine searching in one way.
type Result struct {
	Name    string
	Group   Group
	Version string
	Rows    int     // searched in; a server's may be fewer than the size's
	Ef      int     // effort of a graph search; 0 for an exact one
	Recall  float64 // -1 for what has no answers
	Rounds  []Round
	Times   Percentiles
	Allocs  float64 // a query; -1 if not known
	Build   float64 // seconds, of the index
	Work    float64 // seconds that the process ran for that, on all its threads; 0 if not known
	Bytes   int64   // that the process holds for it
	Ours    bool
	GoPeer  bool // it is another's, and written in Go
}

// Round is one turn of an engine.
type Round struct {
	Queries int
	Micros  float64 // a query
	CPU     float64 // microseconds a query that the process ran for; 0 if not known
}

// Percentiles are microseconds of single queries over all rounds.
type Percentiles struct{ P50, P95, P99 float64 }

// Curve is a graph's speed at several efforts.
type Curve struct {
	Name   string
	Points []Point
}

// Point is a graph's speed at one effort.
type Point struct {
	Ef     int
	Recall float64
	Micros float64 // a query, the median of the rounds
}

// Skip is an engine that did not take part.
type Skip struct{ Name, Reason string }

// Micros returns the median over the rounds of the microseconds a query.
func (r Result) Micros() float64 {
	micros := make([]float64, len(r.Rounds))
	for i, round := range r.Rounds {
		micros[i] = round.Micros
	}
	return Median(micros)
}

// PercentilesOf returns the percentiles of times in nanoseconds, which it sorts.
func PercentilesOf(nanos []int64) Percentiles {
	if len(nanos) == 0 {
		return Percentiles{}
	}
	slices.Sort(nanos)
	at := func(share float64) float64 { return float64(nanos[int(share*float64(len(nanos)-1))]) / 1000 }
	return Percentiles{at(0.5), at(0.95), at(0.99)}
}

// Median returns the median of x, or 0 of nothing.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// CPU returns the median over the rounds of the process's time a query.
func (r Result) CPU() float64 {
	cpu := make([]float64, len(r.Rounds))
	for i, round := range r.Rounds {
		cpu[i] = round.CPU
	}
	return Median(cpu)
}

// ratio returns how many times slower a is than b: the median of the ratios of
// the rounds, of which each pair ran within seconds.
func ratio(a, b Result) float64 { return ratioOf(a, b, func(r Round) float64 { return r.Micros }) }

// cpuRatio returns the same for the time that the processes ran, which other
// programs on the machine disturb less.
func cpuRatio(a, b Result) float64 { return ratioOf(a, b, func(r Round) float64 { return r.CPU }) }

func ratioOf(a, b Result, time func(Round) float64) float64 {
	var ratios []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if x, y := time(a.Rounds[i]), time(b.Rounds[i]); y > 0 {
			ratios = append(ratios, x/y)
		}
	}
	return Median(ratios)
}

// find returns the result of a name.
func (s Size) find(name string) (Result, bool) {
	i := slices.IndexFunc(s.Results, func(r Result) bool { return r.Name == name })
	if i < 0 {
		return Result{}, false
	}
	return s.Results[i], true
}

// Put adds a size, in the place of an earlier one of as many rows.
func (r *Report) Put(s Size) {
	r.Sizes = slices.DeleteFunc(r.Sizes, func(old Size) bool { return old.Rows == s.Rows })
	r.Sizes = append(r.Sizes, s)
	slices.SortFunc(r.Sizes, func(a, b Size) int { return cmp.Compare(a.Rows, b.Rows) })
}

// The files of a report, in its directory.
const (
	document = "benchmarks.md"
	plots    = "benchmarks" // directory
	results  = "benchmarks/results.json"
)

// Read reads the results of an earlier run from dir; none are no error.
func Read(dir string) (Report, error) {
	var r Report
	b, err := os.ReadFile(filepath.Join(dir, results))
	if os.IsNotExist(err) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, fmt.Errorf("earlier results: %w", err)
	}
	return r, nil
}

// Write writes the results, the plots and the document into dir, and returns the
// document's path.
func (r Report) Write(dir string) (string, error) {
	if err := os.MkdirAll(filepath.Join(dir, plots), 0o755); err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, results), b, 0o644); err != nil {
		return "", err
	}
	pictures, err := r.draw(filepath.Join(dir, plots))
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, document)
	return path, os.WriteFile(path, []byte(r.markdown(pictures)), 0o644)
}

// group returns the results of a group, the fastest first.
func (s Size) group(g Group) []Result {
	var rs []Result
	for _, r := range s.Results {
		if r.Group == g && len(r.Rounds) > 0 {
			rs = append(rs, r)
		}
	}
	slices.SortStableFunc(rs, func(a, b Result) int { return cmp.Compare(a.Micros(), b.Micros()) })
	return rs
}

// quality is a recall on a scale where each nine takes as much room as the one
// before.
func quality(recall float64) float64 { return -math.Log10(max(1-recall, 1e-5)) }
