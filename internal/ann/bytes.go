package ann

// Bytes returns how much memory the arena takes, apart from what is mapped from a
// snapshot. The owner holds its lock for reading.
func (a *Arena[T]) Bytes() int64 {
	n := a.data.own() + a.half.own() + a.sums.own() + 8*int64(len(a.live.words)+len(a.seen))
	for _, c := range []*codes{a.codes, a.next} {
		if c != nil {
			n += c.rows.own() + c.errs.own() + 8*int64(len(c.off.words)+len(c.far.words))
			if h := c.half.Load(); h != nil {
				n += h.rows.own() + 4*int64(len(h.errs))
			}
		}
	}
	return n
}

// Bytes is [Arena.Bytes] for the graph alone.
func (g *Graph[T]) Bytes() int64 {
	return g.links.base.own() + g.links.upper.own() + 4*int64(len(g.links.place)) + 8*int64(len(g.fresh.words)+len(g.stale.words))
}
