package ann

import "math"

// costs is what parts of a search cost, in nanoseconds of the machine that
// BenchmarkPlan was run on. Only their ratios matter. A part that reads codes has
// a fixed share and one for each byte of a code.
const (
	costWalk        = 3000.0 // every walk
	costExact       = 2000.0 // every exact search
	costBlock       = 45.0   // a block of one with rows that count
	costGather      = 3.4    // a row of one that reads rows one by one
	costGatherByte  = 0.02
	costAlone       = 5.0 // each of the first few rows of a block more, which wait for memory
	costAloneByte   = 0.12
	fewRows         = 8   // how many those are
	costScan        = 0.5 // a row of one that reads all
	costScanByte    = 0.018
	costVisit       = 11.7 // a row that a walk sees
	costVisitByte   = 0.045
	costVisitInPool = 0.025 // the same, for each candidate that the walk keeps

	// A walk that keeps n candidates sees about visits * n^visitsPower rows.
	visits      = 30.0
	visitsPower = 0.77
)

// plan is how a search is done.
type plan struct {
	exact bool
	in    *web // what a walk goes through
	k, ef int
	want  int     // how many rows there are to be found, up to k
	cost  float64 // of an exact search; 0 if a walk is to be finished at any cost
}

// plan chooses between the graph and an exact search.
func (g *core) plan(k, ef int, allowed *Bitmap) plan {
	ef = max(k, min(ef, g.over.count()))
	p := plan{in: &g.web, k: k, ef: ef, want: min(k, g.over.count())}
	if grp := g.kinOf(allowed); grp != nil {
		p.in = &grp.web
		ef = max(ef, min(int(grp.effort.Load())*ef/usualEffort, g.rows(p.in)))
		p.ef = ef
	}
	// What walks find by codes that were made since the last check is not known yet.
	if g.over.nowCodes() == nil || p.in.linked() == 0 || p.in.unfit.Load() || p.in.exam.codes.Load() != g.over.nowCodes() {
		p.exact = true
		return p
	}
	passing := g.over.count()
	if allowed != nil { // rows among them that hold no vector make it no more than slower
		passing = min(passing, allowed.Count())
		p.want = min(k, passing)
	}
	p.cost = exactCost(g.over.rowCount(), passing, g.over.nowCodes().stride)
	// How many rows pass near the query is not known yet. So a walk is begun if it
	// could be faster than an exact search with all passing there, and soon reviewed.
	rows := g.rows(p.in)
	least := walkCost(float64(ef), rows, g.over.nowCodes().stride)
	if g.byVectors.Load() { // each costs a vector's bytes instead of a code's
		bytes := float64(g.over.vectorBytes())
		least += walkVisits(float64(ef), rows) * costVisitByte * max(0, bytes-float64(g.over.nowCodes().stride))
	}
	if p.in.group != nil { // how many of the group pass is known, and mostly tells how many do near the query
		least = max(least, walkCost(float64(ef)*float64(rows)/float64(max(1, passing)), rows, g.over.nowCodes().stride))
	}
	pending := g.waits()
	if p.in.group != nil {
		pending = int(g.kinWaits(p.in.group))
	}
	if pending > 0 {
		share := float64(passing) / float64(max(1, rows))
		least += float64(pending) * share * (costGather + costGatherByte*float64(g.over.nowCodes().stride))
	}
	p.exact = ef >= passing || p.cost <= gain*least
	return p
}

// exactCost returns what an exact search among rows costs of which some count.
func exactCost(rows, passing, stride int) float64 {
	n, m := float64(rows), float64(passing)
	blocks := n / blockRows
	bytes := float64(stride)
	gather := m*(costGather+costGatherByte*bytes) + min(m, fewRows*blocks)*(costAlone+costAloneByte*bytes)
	scan := n * (costScan + costScanByte*bytes)
	return costExact + min(m, blocks)*costBlock + min(gather, scan)
}

// walkCost returns what a walk costs that keeps the pool nearest rows as
// candidates.
func walkCost(pool float64, rows, stride int) float64 {
	return costWalk + walkVisits(pool, rows)*visitCost(pool, stride)
}

// walkVisits returns how many rows such a walk sees.
func walkVisits(pool float64, rows int) float64 {
	return min(float64(rows), visits*math.Pow(pool, visitsPower))
}

func visitCost(pool float64, stride int) float64 {
	return costVisit + costVisitByte*float64(stride) + costVisitInPool*pool
}

// review is how a filtered walk sees whether it is still worth going on. The rows
// that pass may be fewer, or more, near the query than elsewhere: the share of
// them among the candidates tells how many candidates the walk will need.
type review struct {
	cost   float64 // of an exact search; 0 for no reviews
	at     int     // the number of seen rows at which the next review is due
	rows   int
	stride int
}

// gain is how many times faster than an exact search a walk must promise to be:
// it may be stopped in vain.
const gain = 1.2

// firstReview is how many rows a walk sees before its first review: a microsecond's
// work. Each review is at twice as many as the one before. So few rows tell little,
// so that the first one stops only what is clear.
const (
	firstReview = 32
	isClear     = 4 // how many times what an exact search costs
)

// stop reports whether an exact search is cheaper than to go on.
func (r *review) stop(w *walker, ef int) bool {
	pool := float64(len(w.pool)) * float64(ef) / float64(max(1, w.passing))
	left := walkVisits(pool, r.rows) - float64(w.seen)
	cost := r.cost
	if r.at == firstReview {
		cost *= isClear
	}
	r.at *= 2
	return left*visitCost(pool, r.stride) > cost
}
