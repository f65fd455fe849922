package pgvector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/filter"
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
	lists   []int // of VectorChord, see listsOf
	// Of an index over some of the records: what a filter must ask for, and the same as
	// the condition that leads the server to the index.
	parts     []filter.Filter
	predicate string
	indexKey
}

// String is what plans call the index.
func (i *vectorIndex) String() string {
	name := i.kind
	if i.compress != engine.NoCompression {
		name += " " + i.compress.String()
	}
	if i.dims > 0 {
		name += fmt.Sprintf(" dims=%d", i.dims)
	}
	if i.predicate != "" {
		name += " partial"
	}
	return name
}

// coarse reports whether an index tells records apart by so little that it takes many
// candidates.
func (i *vectorIndex) coarse() bool { return i.compress == engine.Bits || i.dims > 0 }

// before reports whether i is to be searched rather than other: what was built by
// BuildIndex was asked for, and HNSW finds more than ivfflat.
func (i *vectorIndex) before(other *vectorIndex) bool {
	switch {
	case i.ours != other.ours:
		return i.ours
	case i.kind != other.kind:
		return i.kind == hnsw || other.kind == ivfflat
	case i.compress != other.compress:
		return i.compress < other.compress
	}
	return i.dims == 0 && other.dims > 0
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
	case i.coarse() && s.Effort > 0:
		return max(limit, min(s.Effort, maxEf))
	case i.coarse() && s.Rescore:
		return max(limit, min(bitSpare/copySpare*limit, maxEf))
	case i.coarse():
		return max(copySpare*limit, min(bitSpare*limit, maxEf))
	case s.Rescore:
		return limit
	}
	return copySpare * limit
}

// effort returns how many candidates a search of an index looks at: those of a graph, or
// the lists of ivfflat and VectorChord, 0 where the latter's has none.
func (i *vectorIndex) effort(s engine.Search) int {
	switch {
	case i.kind == vchordrq && len(i.lists) == 0:
		return 0
	case s.Effort == 0 && (i.kind == ivfflat || i.kind == vchordrq):
		return defaultProbes
	case s.Effort == 0 && i.coarse():
		return min(maxEf, max(defaultEf, i.candidates(s)))
	case s.Effort == 0 && i.shards > 1:
		return min(maxEf, max(s.K+wire.Spare, 2*max(defaultEf, 2*(s.K+wire.Spare))/(i.shards+1)))
	case s.Effort == 0:
		return min(maxEf, max(defaultEf, 2*(s.K+wire.Spare)))
	case i.kind == ivfflat || i.kind == vchordrq:
		return min(maxProbes, s.Effort)
	case i.kind == diskann:
		return min(maxList, s.Effort)
	}
	return min(maxEf, s.Effort)
}

// setting is what a transaction is readied with for a search.
type setting struct{ name, value string }

// settings returns what a search through the index needs.
func (i *vectorIndex) settings(s engine.Search, x extension) []setting {
	effort := i.effort(s)
	switch i.kind {
	case vchordrq:
		return []setting{{"vchordrq.probes", i.probes(effort)}}
	case diskann: // it compares by their vectors all that it looks at: half of them, as is its default, finds less
		return []setting{
			{"diskann.query_search_list_size", strconv.Itoa(effort)},
			{"diskann.query_rescore", strconv.Itoa(min(maxRescore, max(s.K+wire.Spare, effort)))},
		}
	}
	set := []setting{{"hnsw.ef_search", strconv.Itoa(effort)}, {"hnsw.iterative_scan", "relaxed_order"}}
	if i.kind == ivfflat {
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
// twice the time that it needed, and no longer. Who asks for more effort gets more of it.
func (i *vectorIndex) budget(s engine.Search) int {
	if i.kind != hnsw || s.Filter.IsZero() {
		return 0
	}
	n := leastScan
	if i.records > 0 && i.shards == 0 {
		n = int(min(maxScan, i.records/40))
	}
	return min(maxScan, max(n, 50*i.effort(s)))
}

// points reports whether the part of a query that the index is about has a direction.
func (i *vectorIndex) points(query vectorArg) bool {
	return i.dims == 0 || i.dims > len(query) || slices.ContainsFunc(query[:i.dims], func(x float32) bool { return x != 0 })
}

// about says in a plan which records the index holds.
func (i *vectorIndex) about() string {
	if i.predicate == "" {
		return ""
	}
	return ", of the records where " + filter.And(i.parts...).String()
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
