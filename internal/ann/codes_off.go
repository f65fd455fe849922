package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
)

// judge notes whether a row whose code has an error of err is off, and reports that.
func (c *codes) judge(row int32, err float32) bool {
	c.forget(row)
	usual, far := c.usualErrors()
	if float64(err) <= usual {
		return false
	}
	c.off.Set(row)
	if !(float64(err) <= far) {
		c.far.Set(row)
	}
	return true
}

// usualErrors returns what no error exceeds of a row's code of which nothing is cut off,
// or little, and from which on so much is that the code says little. Rounding alone
// gives an error of sqrt(dim/12) units on average.
func (c *codes) usualErrors() (usual, far float64) {
	dim := float64(c.dim)
	if c.short { // a unit is large, and what is cut off is not less for that
		u := c.unit()
		return u * math.Sqrt(dim/6), u * math.Sqrt(dim/3)
	}
	return math.Sqrt(dim / 3), 3 * math.Sqrt(dim/3)
}

// unit returns how many steps the elements of rows' codes are apart.
func (c *codes) unit() float64 {
	if c.short {
		return 1 << shortBits
	}
	return 1
}

// isFar reports whether so much is cut off of a query's code with an error of err that it
// says little.
func (c *codes) isFar(err float64) bool { return !(err <= 3*math.Sqrt(float64(c.dim)/3)) }

// forget says that a row is free.
func (c *codes) forget(row int32) {
	c.off.Clear(row)
	c.far.Clear(row)
}

// astray returns the rows, of n in all, that are not to be found by their codes: those
// that are far off, and the others that are off if there are more than by chance. A
// few of any data are, and they do no harm one by one, but many may be of one kind. Under
// Dot those few are among the longest rows, which many queries look for.
func (c *codes) astray(n int) *Bitmap {
	if c.metric == codec.Dot && c.off.count <= max(fewWaiting, n/500) {
		return &c.off
	}
	if c.off.count > min(c.before, n/100)+max(16, n/500) {
		return &c.off
	}
	return &c.far
}

// blurred returns how far, in square steps, the checkK-th row must be from one that is no
// suspect. Rounding moves two codes against each other by 1/6 of a square unit on average
// for each dimension.
func (a *Arena[T]) blurred() float64 {
	unit := a.codes.unit()
	return 4.0 / 6 * float64(a.dim) * unit * unit
}
