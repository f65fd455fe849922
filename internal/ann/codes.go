package ann

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

const (
	// codeStep is what a code's length is a multiple of, as package simd's kernels
	// want it.
	codeStep = 32
	// shortBits is how many bits of each element short codes leave out.
	shortBits = 3
	// codeZero is the code of 0.
	codeZero = 64
	// maxCodeDim is the largest dimension that has codes: keys fit in 30 bits then.
	maxCodeDim = 1 << 16
)

// codes holds a code of seven bits an element for each row of an arena, a byte
// each, or the upper four bits of that. The vector is centred, rotated and divided by step, and its elements are
// rounded to -64..63; what is beyond is cut off. Free rows and a code's padding
// hold anything that is the same for all.
//
// Rows are compared by keys: lower is nearer, under every metric. Keys of one
// query compare among themselves and mean nothing otherwise. Under L2 and Cosine
// the key is the squared distance of two codes in units of step; under Dot it is
// the negated dot product of the query, in a scale of its own, with the code.
//
// A codes value follows its arena's rules: it changes only while the owner
// holds its lock, so a pointer to it, a codeQuery and what they point into stay
// valid as long as the owner holds its lock for reading, and no longer. The codes
// of an arena are replaced as a whole when they are trained anew; a codeQuery is
// of the codes that made it.
type codes struct {
	metric codec.Metric
	dim    int
	short  bool // four bits an element: of a code only the half is kept, and compared as halves are
	stride int  // bytes that are kept of a code
	whole  int  // elements of a code with its padding

	mean   []float64
	step   float64 // what one unit of a code is in the data
	inv    float64 // 1/step
	rot    rotation
	center []float32 // the mean, in units of step and rotated; for Dot

	trained int     // how many vectors the arena held when these were begun
	usual   float64 // the norm of the typical row, centred and in units of step; 0 if not known

	rows region[uint8]   // code after code
	errs region[float32] // how far each row's code is from the row, in units of step
	// off is the rows that are outside of what these were made for: more of them is cut
	// off than rounding takes. far is those of which so much is that their codes say
	// little. before is how many were off when these were put into use.
	off, far Bitmap
	before   int
	// For Dot, the largest norm of a code of each block of blockRows. It never falls,
	// since a larger one than need be does no harm.
	blockNorm []float32

	half    atomic.Pointer[halves] // nil until exact searches have wanted them
	halving sync.Mutex             // held while they are made
	scans   atomic.Int32           // how many exact searches have wanted them

	tmp     []float32 // for encoding rows
	tmpCode []uint8
}

// codeQuery is a query as codes compare it. The zero value is ready to be filled
// by encodeQuery, any number of times.
type codeQuery struct {
	l2  []uint8 // for L2 and Cosine
	dot []int8  // for Dot: the query negated
	// The same for halves; see there.
	halfL2  []uint8
	halfDot []int8

	// What the exact search's bounds need of a query that encodeQuery made. err is
	// how far the code is from the query and, for Dot, norm is the query's norm, both
	// in units of the code.
	err, norm float64
	unit      float64 // Dot: what one unit of a key is in a dot product
	zero      float64 // Dot: the key of what is orthogonal to the query

	y []float32
}

// padding returns what the codes of queries and rows hold beyond their elements.
func (c *codes) padding() uint8 {
	if c.short {
		return halfZero
	}
	return codeZero
}

// codeLen returns how many bytes the code of dim elements has.
func codeLen(dim int) int { return (dim + codeStep - 1) &^ (codeStep - 1) }

// strideOf returns how many bytes are kept of the code of dim elements.
func strideOf(dim int, short bool) int {
	if short {
		return halfLen(dim)
	}
	return codeLen(dim)
}

// newCodes returns codes without rows for a mean and a step.
func newCodes(metric codec.Metric, mean []float64, step float64, short bool) *codes {
	dim := len(mean)
	c := &codes{
		metric: metric, dim: dim, short: short, stride: strideOf(dim, short), whole: codeLen(dim),
		mean: mean, step: step, inv: 1 / step, rot: newRotation(dim),
	}
	if short {
		c.whole = 2 * c.stride
		c.tmpCode = make([]uint8, c.whole)
	}
	c.tmp = make([]float32, c.whole)
	c.center = make([]float32, dim)
	for i, m := range mean {
		c.center[i] = float32(m * c.inv)
	}
	c.rot.apply(c.center)
	return c
}

// keys sets dst[i] to the key of row at[i].
func (c *codes) keys(dst []int32, q *codeQuery, at []int32) {
	switch {
	case c.metric == codec.Dot && c.short:
		simd.HalfDotAt(dst, q.dot, c.rows.all, at)
	case c.metric == codec.Dot:
		simd.CodeDotAt(dst, q.dot, c.rows.all, at)
	case c.short:
		simd.HalfL2At(dst, q.l2, c.rows.all, at)
	default:
		simd.CodeL2At(dst, q.l2, c.rows.all, at)
	}
}

// block sets each of dst to the keys of size rows from row start on, for one query
// each: l2 holds their codes, or dot for Dot.
func (c *codes) block(dst [][]int32, l2 [][]uint8, dot [][]int8, start, size int) {
	rows := c.rows.all[start*c.stride : (start+size)*c.stride]
	switch {
	case c.short:
		for i := range dst {
			if c.metric == codec.Dot {
				simd.HalfDotRows(dst[i], dot[i], rows)
			} else {
				simd.HalfL2Rows(dst[i], l2[i], rows)
			}
		}
	case c.metric == codec.Dot && len(dst) == 1:
		simd.CodeDotRows(dst[0], dot[0], rows)
	case c.metric == codec.Dot:
		simd.CodeDotRowsMany(dst, dot, rows)
	case len(dst) == 1:
		simd.CodeL2Rows(dst[0], l2[0], rows)
	default:
		simd.CodeL2RowsMany(dst, l2, rows)
	}
}

func (c *codes) row(row int32) []uint8 {
	i := int(row) * c.stride
	return c.rows.all[i : i+c.stride : i+c.stride]
}

// encodeQuery makes dst the query for q, which is normalised under Cosine.
func (c *codes) encodeQuery(dst *codeQuery, q []float64) {
	y := sized(&dst.y, c.dim)
	if c.metric == codec.Dot {
		top := 0.0
		for _, x := range q {
			top = max(top, math.Abs(x))
		}
		if top == 0 {
			top = 1
		}
		for i := range y {
			y[i] = float32(q[i] / top)
		}
		c.rot.apply(y)
		dst.unit = c.quantizeDot(dst, y) * top * c.step
		return
	}
	for i := range y {
		y[i] = float32((q[i] - c.mean[i]) * c.inv)
	}
	c.encodeCentred(dst)
}

// encodeCentred makes dst the query whose elements dst.y has, centred and in units of step,
// for L2 and Cosine.
func (c *codes) encodeCentred(dst *codeQuery) {
	c.rot.apply(dst.y)
	code := sized(&dst.l2, c.whole)
	lost, square := simd.Quantize(code, dst.y)
	zero := c.padding()
	for i := c.dim; i < len(code); i++ {
		code[i] = zero
	}
	dst.err, _ = c.codeError(lost, square)
}

// transform sets y to x centred, rotated and in units of step.
func transform[T codec.Float](c *codes, y []float32, x []T) {
	x, mean, inv := x[:len(y)], c.mean[:len(y)], c.inv
	for i := range y {
		y[i] = float32((float64(x[i]) - mean[i]) * inv)
	}
	c.rot.apply(y)
}

// quantize sets code to the code of y, which transform made, and returns how far
// that is from what y would be without rounding, at most (+Inf if y holds NaN or an
// infinity), and the code's norm. The lower bits of each element are left out, and become
// the middle of what they may be.
func (c *codes) quantize(code []uint8, y []float32, lower int) (err, norm float64) {
	code = code[:c.whole]
	mask, middle := -1<<lower, 1<<lower>>1
	var e [2]float64 // two sums, which need not wait for each other
	n2 := 0
	for i, v := range y {
		k := codeZero
		switch {
		case v >= 127-codeZero:
			k = 127
		case v > -codeZero:
			k = int(v + codeZero + 0.5)
		case v <= -codeZero:
			k = 0
		}
		k = k&mask | middle
		code[i] = uint8(k)
		k -= codeZero
		r := float64(v) - float64(k)
		e[i&1] += r * r
		n2 += k * k
	}
	zero := c.padding()
	for i := len(y); i < len(code); i++ {
		code[i] = zero
	}
	return c.codeError(e[0]+e[1], n2)
}

// codeError returns what quantize does of a code that lacks lost, the square of a norm, and
// whose own norm has the square n2.
func (c *codes) codeError(lost float64, n2 int) (err, norm float64) {
	const up = 1 + 1e-9 // covers the rounding of these sums
	cut, norm := math.Sqrt(lost), up*math.Sqrt(float64(n2))
	err = up * (cut + c.rot.loss*(cut+norm) + 0x1p-90) // |y| is at most cut + norm
	if !(err <= math.MaxFloat32) {                     // NaN or Inf: an element overflowed
		err = math.Inf(1)
	}
	return err, norm
}

// quantizeDot makes dst the query for y, which is rotated and not centred, in any
// units. It returns how many of these one unit of dst's code is.
func (c *codes) quantizeDot(dst *codeQuery, y []float32) (scale float64) {
	var top float32
	y2 := 0.0
	for _, v := range y {
		top = max(top, v, -v) // NaN stays
		y2 += float64(v) * float64(v)
	}
	code := sized(&dst.dot, c.whole)
	clear(code)
	scale = float64(top) / 127
	if top == 0 || top-top != 0 {
		scale = 1
	}
	inv, sum, e2 := 1/scale, 0, 0.0
	for i, v := range y {
		w := -float64(v) * inv
		k := 0
		if w >= -127.5 && w <= 127.5 {
			k = min(127, max(-127, int(math.Floor(w+0.5))))
		}
		code[i] = int8(k)
		sum += k
		r := w - float64(k)
		e2 += r * r
	}
	dst.zero = float64(codeZero * sum)
	norm := math.Sqrt(y2) * inv
	const up = 1 + 1e-9
	dst.err = up * (math.Sqrt(e2) + (c.rot.loss+1e-15)*norm + 0x1p-90*inv)
	dst.norm = up * (norm + dst.err)
	return scale
}

// grow makes the codes of rows up to n-1 exist.
func (c *codes) grow(n int) {
	c.rows.grow(n * c.stride)
	c.errs.grow(n)
	if h := c.half.Load(); h != nil {
		h.grow(n)
	}
	for len(c.blockNorm)*blockRows < n {
		c.blockNorm = append(c.blockNorm, 0)
	}
}

// store sets kept to what is kept of the code of y, and returns what quantize says of
// that. It needs tmp if codes are short.
func (c *codes) store(kept, tmp []uint8, y []float32) (err, norm float64) {
	if !c.short {
		return c.quantize(kept, y, 0)
	}
	err, norm = c.quantize(tmp, y, shortBits)
	simd.HalfCode(kept, tmp)
	return err, norm
}

// setCode stores the code of a row's vector, notes whether it is off, and reports
// whether it fits: whether not much of the vector was cut off, and not much of it is
// below one unit.
func setCode[T codec.Float](c *codes, row int32, x []T) bool {
	y := c.tmp[:c.dim]
	transform(c, y, x)
	err, norm := c.store(c.row(row), c.tmpCode, y)
	e := roundUp(err)
	c.errs.all[row] = e
	if h := c.half.Load(); h != nil {
		h.set(c, row)
	}
	b := int(row) / blockRows
	c.blockNorm[b] = max(c.blockNorm[b], roundUp(norm))
	return !c.judge(row, e) && norm >= c.usual/4
}

// free gives the memory back.
func (c *codes) free() {
	c.rows.free()
	c.errs.free()
	if h := c.half.Swap(nil); h != nil {
		h.rows.free()
	}
}

// roundUp returns the smallest float32 that is not below x.
func roundUp(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// sized returns *s with length n, in new memory if it must be.
func sized[E any](s *[]E, n int) []E {
	if cap(*s) < n {
		*s = make([]E, n)
	}
	*s = (*s)[:n]
	return *s
}
