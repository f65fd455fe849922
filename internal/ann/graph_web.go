package ann

import "sync/atomic"

// A web is links that walks follow from an entry: those between all rows of a graph, or
// those between the rows of one group.
type web struct {
	links *links
	entry entry
	doors doorSet
	fresh *nodeSet // rows that are linked as they are; the other live ones are pending
	stale *nodeSet // rows that are linked and were deleted or set anew since

	unfit atomic.Bool // walks find too little: they are not made
	exam  exam
	group *kinGroup // whose web it is; nil for that of all rows
}

func (in *web) init(l *links, fresh, stale *nodeSet) {
	in.links, in.fresh, in.stale = l, fresh, stale
	in.entry.Store(noEntry)
}

// list says that row is linked as it is.
func (in *web) list(row int32) {
	if in.fresh.add(row) && in.group != nil {
		in.group.fit.Add(1)
	}
}

// unlist says that it is not, though its lists stay, and reports whether it was.
func (in *web) unlist(row int32) bool {
	if !in.fresh.drop(row) {
		return false
	}
	if in.group != nil {
		in.group.fit.Add(-1)
	}
	return true
}

// outdate says that row is not linked as it is, and is to be taken out of the lists, if it was.
func (in *web) outdate(row int32) {
	if in.unlist(row) {
		in.stale.add(row)
		if in.group != nil {
			in.group.gone.Add(1)
		}
	}
}

// outdated returns the rows that are to be taken out of the lists.
func (in *web) outdated() (rows []int32) {
	for _, row := range in.stale.appendTo(nil) {
		if in.has(row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// forget says that one was. It is of no group then, if it is not known to be of this one.
func (in *web) forget(row int32) {
	if in.stale.drop(row) && in.group != nil {
		in.group.gone.Add(-1)
		if k := in.group.of; !k.known.has(row) {
			k.of.all[row] = 0
		}
	}
}

// linked returns how many rows are linked as they are.
func (in *web) linked() int {
	if in.group != nil {
		return int(in.group.fit.Load())
	}
	return in.fresh.len()
}

// listed returns which of the rows 64*i to 64*i+63 are.
func (in *web) listed(i int) uint64 {
	if in.group != nil {
		return in.fresh.word(i) & in.group.set.word(i)
	}
	return in.fresh.word(i)
}

// has reports whether the lists of row are the web's.
func (in *web) has(row int32) bool {
	return in.group == nil || in.group.of.of.all[row] == in.group.number
}

// wants reports whether row is to be linked, if it holds a vector.
func (in *web) wants(row int32) bool {
	return in.group == nil || in.has(row) && in.group.of.known.has(row)
}

// members returns the rows of a group while it is linked, nil for all.
func (in *web) members() *Bitmap {
	if in.group != nil {
		return in.group.set
	}
	return nil
}

// An entry is where walks start: its level in the upper half, its row in the lower. It is
// noEntry while no row is linked.
type entry struct{ atomic.Int64 }

const noEntry = int64(-1)

// top returns the entry and its level, or false if there is none.
func (e *entry) top() (row int32, level int, ok bool) {
	at := e.Load()
	return int32(at), int(at >> 32), at != noEntry
}

// first sets the entry if there is none, and reports whether it did.
func (e *entry) first(at int64) bool { return e.CompareAndSwap(noEntry, at) }

// raise sets the entry if it is on a level where none was before. Its lists are written
// by then: walks start there at once.
func (e *entry) raise(at int64) {
	for {
		was := e.Load()
		if was>>32 >= at>>32 || e.CompareAndSwap(was, at) {
			return
		}
	}
}
