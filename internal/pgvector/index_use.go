package pgvector

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// vectorIndex is a vector index that searches can use.
type vectorIndex struct {
	kind string
	ours bool // made by BuildIndex
	// shards is how many of them a search asks, each for K hits: the best of all are
	// found by less effort on each.
	shards  int
	records int64 // of the table about, not positive if that is not known
	indexKey
}

// String is what plans call the index.
func (i *vectorIndex) String() string {
	if i.compress == engine.NoCompression {
		return i.kind
	}
	return i.kind + " " + i.compress.String()
}

// before reports whether i is to be searched rather than other: what was built by
// BuildIndex was asked for, and HNSW finds more than ivfflat.
func (i *vectorIndex) before(other *vectorIndex) bool {
	switch {
	case i.ours != other.ours:
		return i.ours
	case i.kind != other.kind:
		return i.kind == "hnsw"
	}
	return i.compress < other.compress
}

// candidates returns how many records are asked of an index, to be compared by
// the vectors themselves unless the index is over these.
func (i *vectorIndex) candidates(s engine.Search) int {
	limit := s.K + wire.Spare
	switch {
	case !i.copies:
		return limit
	case s.Rescore && s.Candidates > 0:
		return max(s.K, s.Candidates)
	case i.compress == engine.Bits && s.Effort > 0:
		return max(limit, min(s.Effort, maxEf))
	case i.compress == engine.Bits && s.Rescore:
		return max(limit, min(bitSpare/copySpare*limit, maxEf))
	case i.compress == engine.Bits:
		return max(copySpare*limit, min(bitSpare*limit, maxEf))
	case s.Rescore:
		return limit
	}
	return copySpare * limit
}

// effort returns how many candidates a search of an index looks at: those of
// HNSW, or the lists of ivfflat.
func (i *vectorIndex) effort(s engine.Search) int {
	switch {
	case i.kind == "ivfflat" && s.Effort == 0:
		return defaultProbes
	case s.Effort == 0 && i.compress == engine.Bits:
		return min(maxEf, max(defaultEf, i.candidates(s)))
	case s.Effort == 0 && i.shards > 1:
		return min(maxEf, max(s.K+wire.Spare, 2*max(defaultEf, 2*(s.K+wire.Spare))/(i.shards+1)))
	case s.Effort == 0:
		return min(maxEf, max(defaultEf, 2*(s.K+wire.Spare)))
	case i.kind == "ivfflat":
		return min(maxProbes, s.Effort)
	}
	return min(maxEf, s.Effort)
}

// setting is what a transaction is readied with for a search.
type setting struct{ name, value string }

// settings returns what a search through the index needs.
func (i *vectorIndex) settings(s engine.Search, x extension) []setting {
	set := []setting{{"hnsw.ef_search", strconv.Itoa(i.effort(s))}, {"hnsw.iterative_scan", "relaxed_order"}}
	if i.kind == "ivfflat" {
		set[0].name, set[1].name = "ivfflat.probes", "ivfflat.iterative_scan"
	}
	if !x.atLeast(0, 8) { // it cannot go on with a scan that a filter left short
		return set[:1]
	}
	if n := i.budget(s); n > 0 {
		set = append(set, setting{"hnsw.max_scan_tuples", strconv.Itoa(n)},
			setting{"hnsw.scan_mem_multiplier", strconv.Itoa((n*scanBytes + leastWorkMem - 1) / leastWorkMem)})
	}
	return set
}

// budget returns how many records a filtered search of a graph looks at before it gives
// up, and all that pass the filter are compared; 0 if it has no such bound. To look at one
// takes about 40 times as long as to filter one. So a search that gives up has taken
// about twice the time that it needed. A larger effort may look at more.
func (i *vectorIndex) budget(s engine.Search) int {
	if i.kind != "hnsw" || s.Filter.IsZero() {
		return 0
	}
	n := leastScan
	if i.records > 0 && i.shards == 0 {
		n = int(min(maxScan, i.records/40))
	}
	return min(maxScan, max(n, 50*i.effort(s)))
}

// bounds says so in a plan.
func (i *vectorIndex) bounds(s engine.Search, x extension) string {
	if n := i.budget(s); n > 0 && x.atLeast(0, 8) {
		return fmt.Sprintf(", looking at up to %d records for those that pass the filter", n)
	}
	return ""
}

// setSQL is the statement that sets them until the transaction ends.
func setSQL(settings []setting) string {
	calls := make([]string, len(settings))
	for i, s := range settings {
		calls[i] = "set_config('" + s.name + "', '" + s.value + "', true)"
	}
	return "SELECT " + strings.Join(calls, ", ")
}

// atLeast reports whether the extension is of a version or a newer one.
func (x extension) atLeast(major, minor int) bool {
	first, rest, _ := strings.Cut(x.version, ".")
	second, _, _ := strings.Cut(rest, ".")
	is, _ := strconv.Atoi(first)
	then, _ := strconv.Atoi(second)
	return is > major || is == major && then >= minor
}
