package results

import (
	"fmt"
	"slices"
)

// A target is something that the project set out to reach.
type target struct {
	what     string
	want     string
	measured string // "" if it was not measured
	met      bool
	open     bool // it was measured, and says nothing about the target
}

func (t target) verdict() string {
	switch {
	case t.measured == "":
		return "not measured"
	case t.open:
		return "open"
	case t.met:
		return "met"
	}
	return "**missed**"
}

// faster is a target of being some times faster than a peer, over some rows.
type faster struct {
	rows       int
	ours, peer string
	times      float64
}

var fasterTargets = []faster{
	{100_000, OursGraph, Hnswlib, 2.5},
	{100_000, OursGraph, FaissHNSW, 2.5},
	{1_000_000, OursGraph, Hnswlib, 3},
	{100_000, OursExact, FaissFlat, 5},
	{100_000, OursExactCosine, Chromem, 50},
	{100_000, OursExact, DuckDB, 20},
	{1_000_000, OursExact, Memory, 2.5},
}

// targets returns what the project set out to reach, and what was measured.
func (r Report) targets() []target {
	size := func(rows int) Size {
		if i := slices.IndexFunc(r.Sizes, func(s Size) bool { return s.Rows == rows }); i >= 0 {
			return r.Sizes[i]
		}
		return Size{}
	}
	var ts []target
	for _, f := range fasterTargets {
		s := size(f.rows)
		t := target{what: s.title(f.rows, f.ours) + " against " + f.peer, want: fmt.Sprintf("%gx", f.times)}
		ours, ok := s.find(f.ours)
		if peer, there := s.find(f.peer); ok && there {
			times := ratio(peer, ours)
			t.measured, t.met = fmt.Sprintf("%.2fx (%s against %s; by CPU time %.2fx)", times, micros(ours.Micros()), micros(peer.Micros()), cpuRatio(peer, ours)), times >= f.times
		}
		ts = append(ts, t)
	}
	ts = slices.Insert(ts, 2, size(100_000).bestInGo())
	ts = append(ts, size(1_000_000).buildTarget())
	for _, o := range []struct {
		rows       int // few enough for the search to leave something to be seen
		ours, bare string
		most       float64
	}{
		{100_000, OursGraphSearch, OursGraphBeside, 3}, {100_000, OursGraphPayload, OursGraphBeside, 60},
		{10_000, OursSearch, OursBeside, 3}, {10_000, OursPayload, OursBeside, 60},
	} {
		ts = append(ts, size(o.rows).overhead(o.rows, o.ours, o.bare, o.most))
	}
	for _, two := range []struct{ two, one string }{{OursGraphTwo, OursGraph}, {OursExactTwo, OursExact}} {
		ts = append(ts, size(100_000).threads(two.two, two.one))
	}
	for _, name := range []string{OursGraph, OursExact} {
		ts = append(ts, size(100_000).allocations(name))
	}
	return ts
}

// title says what of ours is compared, over how many rows.
func (s Size) title(rows int, ours string) string {
	if ours == OursGraph && s.Target > 0 {
		return fmt.Sprintf("%s, %s rows, recall@%d of %g or more", ours, thousands(rows), s.K, s.Target)
	}
	return fmt.Sprintf("%s, %s rows", ours, thousands(rows))
}

// bestInGo compares our graph with the fastest Go peer that answers as well.
func (s Size) bestInGo() target {
	t := target{what: s.title(100_000, OursGraph) + " against the best peer in Go", want: "6x"}
	ours, ok := s.find(OursGraph)
	if !ok {
		return t
	}
	var best Result
	for _, r := range s.Results {
		if r.GoPeer && r.Recall >= s.Target && (best.Name == "" || ratio(r, ours) < ratio(best, ours)) {
			best = r
		}
	}
	if best.Name == "" {
		return t
	}
	times := ratio(best, ours)
	t.measured = fmt.Sprintf("%.2fx (%s against %s of %s; by CPU time %.2fx)", times, micros(ours.Micros()), micros(best.Micros()), best.Name, cpuRatio(best, ours))
	t.met, t.open = times >= 6, best.Group != Graph
	if t.open {
		t.measured += "; no graph in Go that could be had finds as much, this one scans"
	}
	return t
}

func (s Size) buildTarget() target {
	t := target{what: "building the graph of 1,000,000 rows on all CPUs, against " + Hnswlib, want: "2.5x"}
	ours, ok := s.find(OursGraph)
	if peer, there := s.find(Hnswlib); ok && there && ours.Build > 0 {
		times := peer.Build / ours.Build
		t.measured, t.met = fmt.Sprintf("%.2fx (%.0f s against %.0f s; CPU time %.0f s against %.0f s)", times, ours.Build, peer.Build, ours.Work, peer.Work), times >= 2.5
	}
	return t
}

// overhead is how much more one of ours takes than another, by the medians of
// single calls: means would tell more about other programs on the machine.
func (s Size) overhead(rows int, ours, bare string, most float64) target {
	t := target{what: fmt.Sprintf("what %s costs over %s, %s rows", ours, bare, thousands(rows)), want: fmt.Sprintf("at most %g µs", most)}
	a, ok := s.find(ours)
	b, there := s.find(bare)
	if ok && there {
		more := a.Times.P50 - b.Times.P50
		t.measured, t.met = fmt.Sprintf("%.1f µs", more), more <= most
	}
	return t
}

func (s Size) threads(two, one string) target {
	t := target{what: two + " against one, 100,000 rows", want: "1.9x"}
	a, ok := s.find(one)
	if b, there := s.find(two); ok && there {
		times := ratio(a, b)
		t.measured, t.met = fmt.Sprintf("%.2fx", times), times >= 1.9
	}
	return t
}

func (s Size) allocations(name string) target {
	t := target{what: "allocations of a search, " + name, want: "0"}
	if r, ok := s.find(name); ok && r.Allocs >= 0 {
		t.measured, t.met = fmt.Sprintf("%.2f", r.Allocs), r.Allocs < 0.005
	}
	return t
}
