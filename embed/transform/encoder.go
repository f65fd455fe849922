package transform

import "strconv"

// encoder is BERT's (Devlin et al. 2018): layers of self-attention (Vaswani et al.
// 2017) and of a dense network of two, each followed by a sum with its input and a
// normalization.
type encoder struct {
	hidden, heads int
	eps           float64
	words         []float32 // one row for each token
	positions     []float32 // one row for each position, with what tokens of the first type have in common
	second        []float32 // what those of the second type differ by
	norm          scale
	layers        []layer
}

type layer struct {
	query, key, value, mixed dense
	mixedNorm                scale
	up, down                 dense
	downNorm                 scale
}

// ofSecond marks a token of the second of two texts that the encoder reads together.
// Such a token has the second type.
func ofSecond(id int32) int32 { return ^id }

// typed returns the ID of a token, and whether it was marked.
func typed(token int32) (id int, second bool) {
	if token < 0 {
		return int(^token), true
	}
	return int(token), false
}

// dense computes w*x + b. Row i of w makes element i.
type dense struct{ w, b []float32 }

// scale is what a layer's normalization multiplies by and adds.
type scale struct{ w, b []float32 }

// encoder reads model.safetensors.
func (m *modelDir) encoder(c config) (*encoder, error) {
	w, err := m.weights()
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	e, err := w.encoder(c, "")
	return e, m.in(weightsFile, err)
}

// encoder reads the weights under the names that the transformers library gives them,
// behind a prefix.
func (w *weights) encoder(c config, prefix string) (_ *encoder, err error) {
	read := func(name string, shape ...int) (x []float32) {
		if err == nil {
			x, err = w.read(prefix+name, shape...)
		}
		return x
	}
	linear := func(name string, out, in int) dense {
		return dense{read(name+".weight", out, in), read(name+".bias", out)}
	}
	norm := func(name string) scale {
		return scale{read(name+".weight", c.Hidden), read(name+".bias", c.Hidden)}
	}
	e := &encoder{
		hidden: c.Hidden, heads: c.Heads, eps: c.Epsilon,
		words:     read("embeddings.word_embeddings.weight", c.VocabSize, c.Hidden),
		positions: read("embeddings.position_embeddings.weight", c.Positions, c.Hidden),
		norm:      norm("embeddings.LayerNorm"),
	}
	types := read("embeddings.token_type_embeddings.weight", c.Types, c.Hidden)
	for i := 0; i < c.Layers && err == nil; i++ {
		name := "encoder.layer." + strconv.Itoa(i) + "."
		e.layers = append(e.layers, layer{
			query:     linear(name+"attention.self.query", c.Hidden, c.Hidden),
			key:       linear(name+"attention.self.key", c.Hidden, c.Hidden),
			value:     linear(name+"attention.self.value", c.Hidden, c.Hidden),
			mixed:     linear(name+"attention.output.dense", c.Hidden, c.Hidden),
			mixedNorm: norm(name + "attention.output.LayerNorm"),
			up:        linear(name+"intermediate.dense", c.Intermediate, c.Hidden),
			down:      linear(name+"output.dense", c.Hidden, c.Intermediate),
			downNorm:  norm(name + "output.LayerNorm"),
		})
	}
	if err != nil {
		return nil, err
	}
	for i := range e.positions {
		e.positions[i] += types[i%c.Hidden]
	}
	if c.Types > 1 {
		e.second = make([]float32, c.Hidden)
		for i := range e.second {
			e.second[i] = types[c.Hidden+i] - types[i]
		}
	}
	return e, nil
}
