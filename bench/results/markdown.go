package results

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// markdown returns the document. pictures are the names of the plots.
func (r Report) markdown(pictures []picture) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Benchmarks\n")
	p("Written by the program in `bench/`, from `benchmarks/results.json`; `make bench` runs it. What it does is said at the end.\n")
	p("## Targets\n")
	t := newTable("what", "target", "measured", "")
	for _, x := range r.targets() {
		t.row(x.what, x.want, x.measured, x.verdict())
	}
	p("%s", t)
	if len(pictures) > 0 {
		p("## Plots\n")
	}
	for _, pic := range pictures {
		p("![%s](%s/%s)\n", pic.title, plots, pic.file)
	}
	for _, s := range r.Sizes {
		s.markdown(p)
	}
	r.machine(p)
	p("%s", howItWorks)
	return b.String()
}

func (s Size) markdown(p func(string, ...any)) {
	p("## %s rows\n", thousands(s.Rows))
	p("Data: %s. %d queries, the %d nearest of each. %d rounds.\n", s.About, s.Queries, s.K, s.Rounds)
	p("    %s\n", s.Command)
	p("on %s, in %s. Load averages of the machine before and after: %s.\n", s.When.Format("2006-01-02 15:04"), s.Took.Round(1e9), s.Load)
	for _, w := range s.Warnings {
		p("**%s**\n", w)
	}
	for _, g := range []Group{Graph, ExactL2, ExactCosine, Servers} {
		results := s.group(g)
		if len(results) == 0 {
			continue
		}
		p("### %s\n", strings.ToUpper(string(g)[:1])+string(g)[1:])
		if g == Graph {
			p("Each at the least ef that reaches a recall@%d of %g, found by bisection.\n", s.K, s.Target)
		}
		base := slices.IndexFunc(results, func(r Result) bool { return r.Name == reference[g] })
		t := newTable(columns(g, base >= 0)...)
		for _, r := range results {
			t.row(r.cells(g, results, base)...)
		}
		p("%s", t)
	}
	if len(s.Skipped) > 0 {
		p("Not in this run:\n")
		for _, k := range s.Skipped {
			p("- %s: %s", k.Name, strings.TrimSuffix(strings.Join(strings.Fields(k.Reason), " "), "."))
		}
		p("")
	}
}

// reference is what each group's times are divided by.
var reference = map[Group]string{Graph: OursGraph, ExactL2: OursExact, ExactCosine: OursExactCosine}

func columns(g Group, relative bool) []string {
	c := []string{"engine", "version"}
	if g == Graph {
		c = append(c, "ef")
	}
	if g == Servers {
		c = append(c, "rows")
	}
	c = append(c, "recall", "µs/query")
	if relative {
		c = append(c, "ratio", "CPU µs", "ratio")
	}
	return append(c, "p50", "p95", "p99", "queries/s", "allocs", "build s", "CPU s", "MiB")
}

func (r Result) cells(g Group, all []Result, base int) []string {
	dash := func(known bool, format string, x any) string {
		if !known {
			return "-"
		}
		return fmt.Sprintf(format, x)
	}
	c := []string{r.Name, r.Version}
	if r.Ours {
		c[0] = "**" + r.Name + "**"
	}
	if g == Graph {
		c = append(c, dash(r.Ef > 0, "%d", r.Ef))
	}
	if g == Servers {
		c = append(c, thousands(r.Rows))
	}
	c = append(c, dash(r.Recall >= 0, "%.4f", r.Recall), number(r.Micros()))
	if base >= 0 {
		c = append(c, fmt.Sprintf("%.2f", ratio(r, all[base])), number(r.CPU()), fmt.Sprintf("%.2f", cpuRatio(r, all[base])))
	}
	for _, at := range []float64{r.Times.P50, r.Times.P95, r.Times.P99} {
		c = append(c, dash(at > 0, "%s", number(at)))
	}
	return append(c, thousands(int(1e6/r.Micros())),
		dash(r.Allocs >= 0, "%.1f", r.Allocs), dash(r.Build > 0, "%.1f", r.Build), dash(r.Work > 0, "%.1f", r.Work), dash(r.Bytes > 0, "%d", r.Bytes>>20))
}

func (r Report) machine(p func(string, ...any)) {
	m := r.Machine
	p("## Machine\n")
	p("- CPU: %s, %d of them; caches: %s", m.CPU, m.CPUs, m.Caches)
	p("- memory: %s; transparent huge pages: %s", m.Memory, m.HugePages)
	p("- Linux %s, %s", m.Kernel, m.Go)
	p("- commit %s\n", m.Commit)
}

const howItWorks = `## What is done

` + "`cd bench && go run . -setup`" + ` makes a Python environment with the engines that are written in
C++; hnswlib is compiled for the machine with -O3 -march=native. ` + "`go run .`" + ` measures. Without the
environment, or without a server, the engines that need it are left out and named.

Every engine runs in a process of its own, on one pinned CPU, with one thread; building may use all CPUs.
The engines take turns, in another order each round, so that what slows the machine slows all. A turn of
an engine is all queries, or as many as fit into its time; graphs are asked them once more before, untimed,
and scans one, because the caches hold what the engine before read. "µs/query" is the median over the rounds of a
turn's time by its number of queries, and "ratio" the median over the rounds of an engine's time by that of
ours in the same round; "CPU µs" is the same for the time that the process ran, which other programs on the
machine disturb less. The engines in C++ get a turn's queries as one batch, so that Python has no part in
"µs/query"; FAISS is told to answer a batch query by query. p50, p95 and p99 are of single calls, for the
engines in C++ with a Python call in each. What Collection.Search costs over the index is taken from the
p50 of both in one process. The embedded engine keeps texts and fields that were read last in memory,
16 MiB of them, which after the first turn are those of all the queries.

A program from elsewhere takes part in the graph search with ` + "`-peer 'name=command'`" + `, or ` + "`-go-peer`" + `
if it is to count among the peers in Go. It answers requests, a line of JSON each, that package
` + "`bench/contest`" + ` documents; in Go, contest.Serve does so for a contest.Engine, as in ` + "`bench/weaviate`" + `.
Of the graphs in Go that were looked for, the Go module proxy had coder/hnsw and Weaviate's. The latter is
measured alone, in memory, without the rest of the database.

Recall is computed by the same code for all, against exact answers in whole numbers: a row counts if it is
as near as the 10th. Graphs have M = 16 and ef_construction = 200. "MiB" is how much more memory a process
holds with the index than before, the vectors included. "hnswlib, huge pages" is hnswlib with
GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which ours asks the system for itself. chromem-go searches by cosine
only: it is compared with our search by cosine. DuckDB is the package on PyPI, not its Go driver, which
needs cgo. iris-pgwire runs over a stand-in for IRIS written in Python: its times are those of the wire and
the stand-in, and say nothing about IRIS.
`

// table is a Markdown table.
type table struct{ rows [][]string }

func newTable(head ...string) *table {
	rule := slices.Repeat([]string{"---"}, len(head))
	return &table{rows: [][]string{head, rule}}
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	for _, row := range t.rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}

// number returns x with about three digits.
func number(x float64) string {
	switch {
	case x >= 1000:
		return thousands(int(x + 0.5))
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	default:
		return fmt.Sprintf("%.1f", x)
	}
}

// micros returns microseconds with a unit that suits them.
func micros(x float64) string {
	if x >= 1000 {
		return fmt.Sprintf("%.2f ms", x/1000)
	}
	return fmt.Sprintf("%.1f µs", x)
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
