package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// forms runs a test with each form of the kernels that this CPU has.
func forms(t *testing.T, test func(t *testing.T)) {
	defer func() { used = best }()
	for used = portable; used <= best; used++ {
		if used == vectors && runtime.GOARCH != "amd64" {
			continue
		}
		t.Run(fmt.Sprintf("form=%d", used), test)
	}
}

// bytes returns what rows hold.
func (r *Rows) bytes() []int8 {
	if !widens() {
		return r.Q
	}
	q := make([]int8, len(r.wide))
	for i, v := range r.wide {
		q[i] = int8(v)
	}
	return q
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// The products are those of the integers, whatever the form: they are compared as
// they are, not within a tolerance.
func TestApplyIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 30 {
		columns, rows, first, width := Panel*(1+r.IntN(5)), Panel*(1+r.IntN(4)), r.IntN(3), Panel*4+8
		weights, bias := random(r, rows*columns), random(r, rows)
		m := Pack(weights, columns, bias)
		values := random(r, (first+n)*columns)
		if n > 2 {
			clear(values[first*columns : (first+1)*columns])
		}
		q, xScales := make([]int8, len(values)), make([]float32, first+n)
		for i := range xScales {
			xScales[i] = quantizePortable(q[i*columns:(i+1)*columns], values[i*columns:(i+1)*columns])
		}

		row := make([]int8, columns)
		want := make([]float32, n*rows)
		for j := range rows {
			scale := QuantizeRow(row, weights[j*columns:(j+1)*columns])
			require.Equal(t, scale, m.Scales[j])
			for i := range n {
				sum := int32(0)
				for k, w := range row {
					sum += int32(w) * int32(q[(first+i)*columns+k])
				}
				want[i*rows+j] = float32(float32(sum)*float32(xScales[first+i]*scale)) + bias[j]
			}
		}
		forms(t, func(t *testing.T) {
			const untouched = 123
			var x Rows
			x.Resize(first+n, columns)
			x.Set(0, values)
			require.Equal(t, xScales, x.Scales)
			got := make([]float32, n*width+1)
			for i := range got {
				got[i] = untouched
			}
			half := m.Panels() / 2
			m.Apply(got, width, &x, first, n, 0, half)
			m.Apply(got, width, &x, first, n, half, m.Panels())
			for i := range n {
				require.Equal(t, want[i*rows:(i+1)*rows], got[i*width:i*width+rows])
				for _, v := range got[i*width+rows : (i+1)*width] {
					require.Equal(t, float32(untouched), v)
				}
			}
			require.Equal(t, float32(untouched), got[n*width])
		})
	}
}

// The extremes do not overflow.
func TestApplyOfExtremes(t *testing.T) {
	const columns = 1536
	weights := make([]float32, Panel*columns)
	values := make([]float32, 7*columns)
	for i := range weights {
		weights[i] = -1
	}
	for i := range values {
		values[i] = 1
	}
	m := Pack(weights, columns, make([]float32, Panel))
	forms(t, func(t *testing.T) {
		var x Rows
		x.Resize(7, columns)
		x.Set(0, values)
		got := make([]float32, 7*Panel)
		m.Apply(got, Panel, &x, 0, 7, 0, 1)
		for _, v := range got {
			require.InEpsilon(t, -columns, v, 1e-6)
		}
	})
}

func TestQuantize(t *testing.T) {
	forms(t, func(t *testing.T) {
		var r Rows
		r.Resize(3, 16)
		r.Set(0, []float32{
			127, -127, 0.5, 1.5, -0.5, -2.5, 0, 64, 0, 0, 0, 0, 0, 0, 0, 3,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			1, 0, 0, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 0, 0, 0,
		})
		q := r.bytes()
		require.Equal(t, []int8{127, -127, 0, 2, 0, -2, 0, 64, 0, 0, 0, 0, 0, 0, 0, 3}, q[:16])
		require.Equal(t, make([]int8, 16), q[16:32])
		require.Equal(t, []int8{64, 0, 0, 0, 0, 0, 0, -127, 0, 0, 0, 0, 0, 0, 0, 0}, q[32:])
		require.Equal(t, []float32{1, 0, 2. / 127}, r.Scales)
	})
	values := random(rand.New(rand.NewPCG(3, 4)), 384)
	var all [][]int8
	forms(t, func(t *testing.T) {
		var r Rows
		r.Resize(1, len(values))
		r.Set(0, values)
		all = append(all, r.bytes())
	})
	for _, q := range all {
		require.Equal(t, all[0], q)
	}
}

func TestErf(t *testing.T) {
	for x := -6.0; x <= 6; x += 1e-3 {
		require.InDelta(t, math.Erf(x), float64(erf(float32(x))), 5e-7, "%v", x)
	}
	for _, x := range []float32{0, float32(math.Inf(1)), float32(math.Inf(-1))} {
		require.InDelta(t, math.Erf(float64(x)), float64(erf(x)), 1e-7)
	}
}

func TestGELU(t *testing.T) {
	forms(t, func(t *testing.T) {
		var x []float32
		for v := float32(-9); len(x) < 1802; v += 0.01 {
			x = append(x, v)
		}
		x = append(x, 0, float32(math.Inf(1)), -100)
		require.NotZero(t, len(x)%Panel)
		got := append([]float32(nil), x...)
		GELU(got)
		for i := range x { // each by itself is the same, to the last bit
			alone := []float32{x[i]}
			GELU(alone)
			require.Equal(t, got[i], alone[0])
		}
		for i, v := range x {
			if math.IsInf(float64(v), 1) {
				require.Equal(t, v, got[i])
				continue
			}
			want := float64(v) / 2 * (1 + math.Erf(float64(v)/math.Sqrt2))
			require.InDelta(t, want, got[i], 2e-6*max(1, math.Abs(float64(v))), "%v", v)
		}
	})
}

func TestSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	forms(t, func(t *testing.T) {
		for n := Panel; n < 100; n += Panel {
			x := random(r, n)
			for i := range x {
				x[i] = 1000 + 10*x[i]
			}
			x[n-1] = float32(math.Inf(-1))
			var most, sum float64 = -math.MaxFloat64, 0
			for _, v := range x {
				most = max(most, float64(v))
			}
			want := make([]float64, n)
			for i, v := range x {
				want[i] = math.Exp((float64(v) - most) / 3)
				sum += want[i]
			}
			Softmax(x, 1./3)
			for i := range x {
				require.InDelta(t, want[i]/sum, x[i], 1e-6)
			}
		}
		Softmax(nil, 1)
	})
}

func TestAddNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	forms(t, func(t *testing.T) {
		const n = 48
		x, y, w, b := random(r, n), random(r, n), random(r, n), random(r, n)
		var mean, variance float64
		for i := range x {
			mean += float64(x[i]+y[i]) / n
		}
		for i := range x {
			variance += math.Pow(float64(x[i]+y[i])-mean, 2) / n
		}
		want := make([]float64, n)
		for i := range x {
			want[i] = (float64(x[i]+y[i])-mean)/math.Sqrt(variance+0.1)*float64(w[i]) + float64(b[i])
		}
		AddNorm(x, y, w, b, 0.1)
		for i := range x {
			require.InDelta(t, want[i], x[i], 1e-5)
		}
	})
}

func TestTile(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	forms(t, func(t *testing.T) {
		for n := 1; n < 40; n++ {
			xStride, yStride, dstStride := n+r.IntN(5), 16+r.IntN(20), 16+r.IntN(20)
			x, y := random(r, 4*xStride), random(r, n*yStride+16)
			dst := random(r, 3*dstStride+17)
			kept := dst[len(dst)-1]
			Tile(dst, dstStride, x, xStride, y, yStride, n)
			for i := range 4 {
				for j := range 16 {
					want := 0.0
					for k := range n {
						want += float64(x[i*xStride+k]) * float64(y[k*yStride+j])
					}
					require.InDelta(t, want, dst[i*dstStride+j], 1e-4)
				}
			}
			require.Equal(t, kept, dst[len(dst)-1])
		}
	})
}

func BenchmarkApply(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{14, 48} {
		for _, shape := range [][2]int{{384, 1152}, {384, 1536}, {1536, 384}} {
			b.Run(fmt.Sprintf("%d/%dx%d", n, shape[0], shape[1]), func(b *testing.B) {
				m := Pack(random(r, shape[0]*shape[1]), shape[0], random(r, shape[1]))
				var x Rows
				x.Resize(n, shape[0])
				x.Set(0, random(r, n*shape[0]))
				dst := make([]float32, n*shape[1])
				for b.Loop() {
					m.Apply(dst, shape[1], &x, 0, n, 0, m.Panels())
				}
				b.ReportMetric(float64(n*shape[0]*shape[1])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		}
	}
}
