package ann

// Taken is how many bytes something takes.
type Taken struct {
	Memory int64 // that the system cannot take back
	Mapped int64 // mapped from a snapshot
}

func (t *Taken) add(memory, mapped int64) {
	t.Memory += memory
	t.Mapped += mapped
}

// Taken returns what the vectors take, and their codes. The owner holds its lock for
// reading.
func (a *Arena[T]) Taken() (vectors, coded Taken) {
	vectors.add(a.data.taken())
	outside := int64(a.away.count) * int64(a.dim*sizeOf[T]())
	vectors.add(-outside, outside) // the memory of these is not touched
	vectors.add(a.away.places.taken())
	vectors.add(a.away.sums.taken())
	vectors.add(a.inverse.taken())
	vectors.add(a.half.taken())
	vectors.add(a.sums.taken())
	vectors.Memory += 8 * int64(len(a.live.words)+len(a.seen))
	for _, c := range []*codes{a.codes, a.next} {
		if c != nil {
			coded.add(c.rows.taken())
			coded.add(c.errs.taken())
			coded.Memory += 8 * int64(len(c.off.words)+len(c.far.words))
			if h := c.half.Load(); h != nil {
				coded.add(h.rows.taken())
				coded.Memory += 4 * int64(len(h.errs))
			}
		}
	}
	return vectors, coded
}

// Bytes returns how much memory the arena takes, apart from what is mapped from a
// snapshot. The owner holds its lock for reading.
func (a *Arena[T]) Bytes() int64 {
	vectors, coded := a.Taken()
	return vectors.Memory + coded.Memory
}

// Taken is [Arena.Taken] for the graph alone.
func (g *core) Taken() (links Taken) {
	links = g.links.taken()
	links.Memory += 8 * int64(len(g.fresh.words)+len(g.stale.words))
	if k := g.kin.Load(); k != nil {
		of := k.links.taken()
		of.add(k.of.taken())
		links.add(of.Memory, of.Mapped)
		links.Memory += 8 * int64(len(k.fresh.words)+len(k.stale.words)+len(k.known.words))
	}
	return links
}

func (l *links) taken() (t Taken) {
	t.add(l.base.taken())
	t.add(l.upper.taken())
	t.Memory += 4 * int64(len(l.place))
	return t
}

// Bytes is [Arena.Bytes] for the graph alone.
func (g *core) Bytes() int64 { return g.Taken().Memory }
