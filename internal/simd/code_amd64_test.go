//go:build gc && !purego

package simd

import (
	"math/rand/v2"
	"testing"

	"github.com/vecwire/vecwire/internal/pair"
)

// CPUs with AVX2 alone compute the same as those with VNNI.
func TestCodesWithoutVNNI(t *testing.T) {
	was := vnni
	t.Cleanup(func() { vnni = was })
	vnni = false
	TestCodeKernelsAreExact(t)
	TestCodesOfManyElements(t)
	TestCodesOfWrongLengths(t)
	TestHalfKernelsAreExact(t)
	TestHalvesOfWrongLengths(t)
}

// BenchmarkVNNI pairs the code kernels with those of CPUs without VNNI.
func BenchmarkVNNI(b *testing.B) {
	if !vnni {
		b.Skip("this CPU has no AVX-512 VNNI")
	}
	without := func(f func()) func() {
		return func() {
			vnni = false
			f()
			vnni = true
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range append(benchShapes, shape{"l3/128", 60_000, 128}) {
		rows, dst := codes(rng, s.n, s.dim, 0), make([]int32, s.n)
		q, d := codeQuery[uint8](rng, s.dim, 0), codeQuery[int8](rng, s.dim, 0)
		at := make([]int32, 24*4096)
		for i := range at {
			at[i] = int32(rng.IntN(s.n))
		}
		k := 0
		list := func() []int32 {
			k = (k + 24) % len(at)
			return at[k : k+24]
		}
		for name, f := range map[string]func(){
			"L2": func() { CodeL2Rows(dst, q, rows) }, "dot": func() { CodeDotRows(dst, d, rows) },
			"L2-at": func() { CodeL2At(dst[:24], q, rows, list()) },
		} {
			b.Run(s.name+"/"+name, func(b *testing.B) { pair.Run(b, f, without(f)) })
		}
	}
}
