package recall

import (
	"iter"
	"math/rand/v2"
)

// Sample draws n of the IDs, each with the same chance, in random order: all of them if
// there are fewer. It holds no more than n (reservoir sampling, Vitter's algorithm R).
func Sample(ids iter.Seq2[string, error], n int, seed uint64) ([]string, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	var drawn []string
	seen := 0
	for id, err := range ids {
		if err != nil {
			return nil, err
		}
		if seen++; len(drawn) < n {
			drawn = append(drawn, id)
		} else if at := rng.IntN(seen); at < n {
			drawn[at] = id
		}
	}
	rng.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn, nil
}
