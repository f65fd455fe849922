package ann

import "sync/atomic"

// Vectors that are mapped from a snapshot are what the file holds at the moment, and
// whoever writes to the file, or a disk that fails, changes them unseen. So a snapshot
// has a checksum of each. A vector is compared with its own when it is read for the
// first time, which spares reading all of them when a snapshot is loaded, and nothing
// is written under a new checksum before it was compared with the old.

// trust makes sure that a row holds what was stored in it. It panics with a damage if
// not, for [Arena.Guard].
func (a *Arena[T]) trust(row int32) {
	i, bit := int(row>>6), uint64(1)<<(row&63)
	if i >= len(a.seen) || atomic.LoadUint64(&a.seen[i])&bit != 0 || int(row) >= len(a.sums.all) {
		return
	}
	if checksum(bytesOf(a.raw(row))) != a.sums.all[row] {
		panic(damage{row})
	}
	atomic.OrUint64(&a.seen[i], bit)
}

// trustAll is trust for some rows.
func (a *Arena[T]) trustAll(rows []int32) {
	if len(a.seen) == 0 {
		return
	}
	for _, row := range rows {
		a.trust(row)
	}
}

// trustBlock is trust for the rows from start to end.
func (a *Arena[T]) trustBlock(start, end int) {
	for i := start >> 6; i < min((end+63)>>6, len(a.seen)); i++ {
		if atomic.LoadUint64(&a.seen[i]) == ^uint64(0) {
			continue
		}
		for row := max(start, i<<6); row < min(end, (i+1)<<6); row++ {
			a.trust(int32(row))
		}
	}
}

// sign notes what a row holds, if it is one that was mapped.
func (a *Arena[T]) sign(row int32) {
	if int(row) >= len(a.sums.all) {
		return
	}
	a.sums.all[row] = checksum(bytesOf(a.raw(row)))
	if i := int(row >> 6); i < len(a.seen) {
		atomic.OrUint64(&a.seen[i], 1<<(row&63))
	}
}

// allSums returns the checksums of all rows.
func (a *Arena[T]) allSums() []uint32 {
	sums := make([]uint32, a.Rows())
	for row := copy(sums, a.sums.all); row < len(sums); row++ {
		sums[row] = checksum(bytesOf(a.raw(int32(row))))
	}
	return sums
}

// Damaged returns the rows that no longer hold what was stored in them. It reads all
// vectors that are mapped from a file. It returns an error that wraps ErrDamaged if
// that cannot be read.
func (a *Arena[T]) Damaged() (rows []int32, err error) {
	if rows, err = a.damagedMapped(); err != nil {
		return nil, err
	}
	err = a.Guard(func() error {
		rows = a.damagedOutside(rows)
		return nil
	})
	return rows, err
}

// damagedMapped is Damaged of the vectors that are mapped from a snapshot.
func (a *Arena[T]) damagedMapped() (rows []int32, err error) {
	err = a.Guard(func() error {
		for row, sum := range a.sums.all {
			if checksum(bytesOf(a.raw(int32(row)))) != sum {
				rows = append(rows, int32(row))
			}
		}
		return nil
	})
	return rows, err
}

// Mend stores v in a damaged row again, or nil in one that is free. It reports whether
// the row holds what it did before; if not, v is another vector, which Set must store.
func (a *Arena[T]) Mend(row int32, v []T) bool {
	switch {
	case a.away.has(row) && a.live.Has(row) && len(v) == a.dim:
		same := checksum(bytesOf(v)) == a.away.sums.all[row]
		if same {
			a.away.drop(row)
			a.put(row, v)
		}
		return same
	case int(row) >= len(a.sums.all) || a.live.Has(row) != (v != nil) || v != nil && len(v) != a.dim:
		return false
	case v == nil:
		clear(a.raw(row))
	default:
		a.put(row, v)
	}
	return checksum(bytesOf(a.raw(row))) == a.sums.all[row]
}
