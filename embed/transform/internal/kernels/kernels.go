// Package kernels is the arithmetic of an encoder with 8-bit weights: products of
// a matrix of bytes with rows of bytes, and what comes between them.
//
// Each function has a portable form, one for AVX2 and FMA, and one for AVX-512 with
// VNNI, which the module in gen writes and of which the last that the CPU has runs.
// For arm64 it writes one of the products alone, for CPUs with the dot-product
// extension. The build tag purego leaves the portable ones. All compute the same
// integers; where they compute in float32, they round differently and agree to within
// a few units in the last place.
//
// Lengths are the caller's business: a function may panic or compute nonsense, but
// reads and writes nothing beyond its slices, if they are as its comment says. The
// package knows no model, no tokens and no layers.
package kernels

//go:generate go -C gen run .

// Panel is how many rows of a [Matrix] lie side by side. Its rows are a multiple
// of it, and so are its columns.
const Panel = 16

// group is how many columns of a panel's row lie together.
const group = 4

// Matrix is a matrix of bytes with a scale for each row, and a bias.
type Matrix struct {
	Columns int
	// Weights holds panel after panel; in a panel, four columns of each of its rows,
	// then the next four.
	Weights []int8
	Scales  []float32 // by row: an element is its byte times its row's scale
	Bias    []float32 // by row
}

// form is a form of the kernels, from the slowest to the fastest.
type form int

const (
	portable form = iota
	vectors       // AVX2 and FMA
	products      // AVX-512 with VNNI, or NEON with dot products
)

// used is the form that runs. Only tests change it.
var used form = best

// Rows are rows of numbers in eight bits, each with a scale of its own.
type Rows struct {
	Width  int
	Scales []float32

	Q    []int8
	wide []int16 // in place of Q, for kernels that multiply 16 bits
	sums []int32 // by row, -128 times the sum of Q, for kernels that need it
}

// Resize makes room for n rows of a width, a multiple of [Panel].
func (r *Rows) Resize(n, width int) {
	r.Width = width
	if r.Scales, r.sums = sized(r.Scales, n), sized(r.sums, n); widens() {
		r.wide = sized(r.wide, n*width)
	} else {
		r.Q = sized(r.Q, n*width)
	}
}

// Set sets the rows from number first on to those of x: to the nearest of 255
// multiples of a scale, which is that of the row's largest element.
func (r *Rows) Set(first int, x []float32) {
	for i := first; len(x) > 0; i++ {
		r.Scales[i] = r.quantize(i, x[:r.Width])
		x = x[r.Width:]
	}
}

// Apply sets row i of dst, of width elements, to the product of the matrix and row
// i of x, plus the bias: for n rows from number first of x on, and for the
// matrix's panels from panel from up to to.
func (m *Matrix) Apply(dst []float32, width int, x *Rows, first, n, from, to int) {
	if n == 0 {
		return
	}
	for p := from; p < to; p++ {
		row := p * Panel
		m.panel(dst[row:(n-1)*width+row+Panel], width, x, first, n, row)
	}
}

// Panels returns how many panels the matrix has.
func (m *Matrix) Panels() int { return len(m.Bias) / Panel }

// AddNorm adds y to x, makes the mean of the sum 0 and its variance 1 (Ba et al.
// 2016), multiplies by w and adds b. All have the same length, a multiple of [Panel].
// eps is added to the variance.
func AddNorm(x, y, w, b []float32, eps float32) { addNorm(x, y[:len(x)], w[:len(x)], b[:len(x)], eps) }

// GELU replaces each x by x*Phi(x), with the distribution function of the standard
// normal distribution (Hendrycks and Gimpel 2016).
func GELU(x []float32) {
	whole := len(x) &^ (Panel - 1)
	gelu(x[:whole])
	var rest [Panel]float32 // rounded as all others, wherever they stand
	n := copy(rest[:], x[whole:])
	gelu(rest[:])
	copy(x[whole:], rest[:n])
}

// Softmax replaces each x by exp(factor*x), divided by the sum of all. There are a
// multiple of [Panel]; one that is -Inf becomes less than 1e-37.
func Softmax(x []float32, factor float32) {
	if len(x) > 0 {
		softmax(x, factor)
	}
}

// Tile sets four rows of sixteen elements of dst to the product of four rows of n
// elements of x and n rows of sixteen elements of y. The strides say how many
// elements after a row the next one begins.
func Tile(dst []float32, dstStride int, x []float32, xStride int, y []float32, yStride, n int) {
	tile(dst[:3*dstStride+16], dstStride, x[:3*xStride+n], xStride, y[:(n-1)*yStride+16], yStride, n)
}

func sized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
