package pair

import "math/rand/v2"

// Vectors returns a source of vectors that lie near a plane of few dimensions, as
// embeddings do.
func Vectors(seed uint64, dim int) func() []float32 {
	const few = 12
	plane, rng := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(seed, seed))
	axes := make([][few]float32, dim)
	for i := range axes {
		for j := range axes[i] {
			axes[i][j] = float32(plane.NormFloat64())
		}
	}
	return func() []float32 {
		var at [few]float32
		for j := range at {
			at[j] = float32(rng.NormFloat64())
		}
		v := make([]float32, dim)
		for i := range v {
			x := rng.Float32() / 2
			for j, a := range at {
				x += a * axes[i][j]
			}
			v[i] = x
		}
		return v
	}
}
