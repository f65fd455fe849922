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
	// codeZero is the code of 0.
	codeZero = 64
	// maxCodeDim is the largest dimension that has codes: keys fit in 30 bits then.
	maxCodeDim = 1 << 16
)

// codes holds a code of seven bits an element for each row of an arena, a byte
// each. The vector is centred, rotated and divided by step, and its elements are
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
	stride int // bytes of a code: dim, rounded up to codeStep

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

	tmp []float32 // for encoding rows
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

// codeLen returns how many bytes the code of dim elements has.
func codeLen(dim int) int { return (dim + codeStep - 1) &^ (codeStep - 1) }

// newCodes returns codes without rows for a mean and a step.
func newCodes(metric codec.Metric, mean []float64, step float64) *codes {
	dim := len(mean)
	c := &codes{
		metric: metric, dim: dim, stride: codeLen(dim),
		mean: mean, step: step, inv: 1 / step, rot: newRotation(dim),
	}
	c.tmp = make([]float32, c.stride)
	c.center = make([]float32, dim)
	for i, m := range mean {
		c.center[i] = float32(m * c.inv)
	}
	c.rot.apply(c.center)
	return c
}

// keys sets dst[i] to the key of row at[i].
func (c *codes) keys(dst []int32, q *codeQuery, at []int32) {
	if c.metric == codec.Dot {
		simd.CodeDotAt(dst, q.dot, c.rows.all, at)
		return
	}
	simd.CodeL2At(dst, q.l2, c.rows.all, at)
}

// block sets each of dst to the keys of size rows from row start on, for one query
// each: l2 holds their codes, or dot for Dot.
func (c *codes) block(dst [][]int32, l2 [][]uint8, dot [][]int8, start, size int) {
	rows := c.rows.all[start*c.stride : (start+size)*c.stride]
	switch {
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
	code := sized(&dst.l2, c.stride)
	lost, square := simd.Quantize(code, dst.y)
	for i := c.dim; i < len(code); i++ {
		code[i] = codeZero
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
// infinity), and the code's norm.
func (c *codes) quantize(code []uint8, y []float32) (err, norm float64) {
	code = code[:c.stride]
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
		code[i] = uint8(k)
		k -= codeZero
		r := float64(v) - float64(k)
		e[i&1] += r * r
		n2 += k * k
	}
	for i := len(y); i < len(code); i++ {
		code[i] = codeZero
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
	code := sized(&dst.dot, c.stride)
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

// setCode stores the code of a row's vector, notes whether it is off, and reports
// whether it fits: whether not much of the vector was cut off, and not much of it is
// below one unit.
func setCode[T codec.Float](c *codes, row int32, x []T) bool {
	y := c.tmp[:c.dim]
	transform(c, y, x)
	err, norm := c.quantize(c.row(row), y)
	e := roundUp(err)
	c.errs.all[row] = e
	if h := c.half.Load(); h != nil {
		h.set(c, row)
	}
	b := int(row) / blockRows
	c.blockNorm[b] = max(c.blockNorm[b], roundUp(norm))
	return !c.judge(row, e) && norm >= c.usual/4
}

// judge notes whether a row whose code has an error of err is off, and reports that.
// Rounding alone gives an error of sqrt(dim/12) on average.
func (c *codes) judge(row int32, err float32) bool {
	c.forget(row)
	if float64(err) <= c.usualError() {
		return false
	}
	c.off.Set(row)
	if c.isFar(float64(err)) {
		c.far.Set(row)
	}
	return true
}

// usualError returns what no error exceeds of a code of which nothing is cut off,
// or little.
func (c *codes) usualError() float64 { return math.Sqrt(float64(c.dim) / 3) }

// isFar reports whether so much is cut off of a code with an error of err that it
// says little.
func (c *codes) isFar(err float64) bool { return !(err <= 3*c.usualError()) }

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
