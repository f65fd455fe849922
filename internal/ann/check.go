package ann

import (
	"errors"
	"fmt"
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// What another machine has written into a snapshot may be rounded in another way.
const (
	rounding32 = 1e-6
	rounding64 = 1e-12
	// roundingCode is how far an element of a code may be off for the same reason.
	roundingCode = 1
)

// CheckRow returns an error if a row does not hold v, or holds something if v is nil,
// or has a code that is not v's. The owner holds its lock for reading.
func (a *Arena[T]) CheckRow(row int32, v []T) error {
	if a.live.Has(row) != (v != nil) {
		return fmt.Errorf("it holds a vector: %t, want %t", a.live.Has(row), v != nil)
	}
	if v == nil {
		return nil
	}
	want, within := v, 0.0
	if a.metric == codec.Cosine {
		want, within = make([]T, a.dim), rounding32
		if sizeOf[T]() == 8 {
			within = rounding64
		}
		simd.Normalize(want, v)
	}
	if a.away.has(row) { // where it is may be anywhere: what is read there is compared each time
		if checksum(bytesOf(v)) != a.away.sums.all[row] {
			return errors.New("the vector is not the one that it has the checksum of")
		}
		return a.checkRowCode(row, want)
	}
	got := a.row(row)
	if a.asGiven() && !a.wild { // else kernels do not compare
		if norm := simd.Norm(a.raw(row)); !(math.Abs(norm*float64(a.inverse.all[row])-1) <= rounding32) {
			return fmt.Errorf("the inverse of its norm is %v, want %v", a.inverse.all[row], 1/norm)
		}
	}
	for i, x := range want {
		if !(math.Abs(float64(x)-float64(got[i])) <= within) { // or it is NaN
			return fmt.Errorf("vector[%d] is %v, want %v", i, got[i], x)
		}
	}
	return a.checkRowCode(row, got)
}

func (a *Arena[T]) checkRowCode(row int32, v []T) error {
	if a.codes == nil {
		return nil
	}
	return checkCode(a.codes, row, v)
}

func checkCode[T codec.Float](c *codes, row int32, v []T) error {
	y, want := make([]float32, c.dim), make([]uint8, c.whole)
	transform(c, y, v)
	got, rounding := c.row(row), roundingCode
	if c.short {
		c.quantize(want, y, shortBits)
		whole := make([]uint8, c.whole)
		simd.WholeCode(whole, got)
		got, rounding = whole, 1<<shortBits
	} else {
		c.quantize(want, y, 0)
	}
	for i, k := range got {
		if d := int(k) - int(want[i]); d > rounding || d < -rounding {
			return fmt.Errorf("code[%d] is %d, want %d", i, k, want[i])
		}
	}
	return nil
}

// Check returns an error if the graph's rows or links are not what they can be: a
// linked row is there, a neighbour has a list, and searches have where to begin. While
// rows are being linked it looks at nothing. The owner holds its lock for reading.
func (g *Graph[T]) Check() error {
	if !g.work.TryLock() {
		return nil
	}
	defer g.work.Unlock()
	if g.closed {
		return nil
	}
	for _, row := range g.fresh.appendTo(nil) {
		if !g.arena.live.Has(row) {
			return fmt.Errorf("row %d is linked and holds no vector", row)
		}
		if g.stale.has(row) {
			return fmt.Errorf("row %d is linked, and is to be linked again", row)
		}
	}
	if _, _, ok := g.entry.top(); !ok && g.fresh.len() > 0 {
		return errors.New("there are links, and no row to begin at")
	}
	if k := g.kin.Load(); k != nil {
		if err := k.check(&g.arena.live); err != nil {
			return err
		}
	}
	return g.links.verify()
}
