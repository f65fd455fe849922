package transform

import (
	"fmt"
	"math"
	"slices"

	"github.com/vecwire/vecwire/embed/transform/internal/kernels"
)

// byteEncoder is an encoder whose weights have eight bits: those of a token or of a
// row of a layer share a scale. What a layer multiplies has eight bits, too, with a
// scale for each token; all else is computed in float32.
type byteEncoder struct {
	hidden, heads int
	eps           float32
	words         []int8    // one row for each token
	wordScales    []float32 // by token
	positions     []float32 // as of encoder
	second        []float32 // as of encoder; a packed model has none
	norm          scale
	layers        []byteLayer
}

type byteLayer struct {
	attention *kernels.Matrix // the queries', the keys' and the values', one below another
	mixed     *kernels.Matrix
	mixedNorm scale
	up, down  *kernels.Matrix
	downNorm  scale
}

// checkBytes says whether the kernels take an encoder of this shape. All the models
// that we know have one that they do.
func checkBytes(c config) error {
	for _, f := range []struct {
		field string
		got   int
	}{
		{"hidden_size", c.Hidden}, {"intermediate_size", c.Intermediate}, {"hidden_size/num_attention_heads", c.Hidden / c.Heads},
	} {
		if f.got%kernels.Panel != 0 {
			return invalid(f.field, fmt.Sprintf("a multiple of %d for weights of eight bits", kernels.Panel), fmt.Sprint(f.got))
		}
	}
	return nil
}

// bytes rounds the encoder's weights. It refuses those that are not finite, which
// bytes cannot tell.
func (e *encoder) bytes() (*byteEncoder, error) {
	b := &byteEncoder{
		hidden: e.hidden, heads: e.heads, eps: float32(e.eps),
		words: make([]int8, len(e.words)), wordScales: make([]float32, len(e.words)/e.hidden),
		positions: e.positions, second: e.second, norm: e.norm,
	}
	finite := allFinite(e.words, e.positions, e.second, e.norm.w, e.norm.b)
	for i := range b.wordScales {
		from, to := i*e.hidden, (i+1)*e.hidden
		b.wordScales[i] = kernels.QuantizeRow(b.words[from:to], e.words[from:to])
	}
	for _, l := range e.layers {
		for _, d := range []dense{l.query, l.key, l.value, l.mixed, l.up, l.down} {
			finite = finite && allFinite(d.w, d.b)
		}
		finite = finite && allFinite(l.mixedNorm.w, l.mixedNorm.b, l.downNorm.w, l.downNorm.b)
		if !finite {
			break
		}
		attention := dense{slices.Concat(l.query.w, l.key.w, l.value.w), slices.Concat(l.query.b, l.key.b, l.value.b)}
		pack := func(d dense) *kernels.Matrix { return kernels.Pack(d.w, len(d.w)/len(d.b), d.b) }
		b.layers = append(b.layers, byteLayer{
			attention: pack(attention), mixed: pack(l.mixed), mixedNorm: l.mixedNorm,
			up: pack(l.up), down: pack(l.down), downNorm: l.downNorm,
		})
	}
	if !finite {
		return nil, invalid("the weights", "finite numbers", "NaN or an infinity")
	}
	return b, nil
}

func allFinite(lists ...[]float32) bool {
	for _, list := range lists {
		for _, x := range list {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return false
			}
		}
	}
	return true
}
