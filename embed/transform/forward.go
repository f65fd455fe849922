package transform

import (
	"context"
	"math"

	"github.com/vecwire/vecwire/embed/transform/internal/kernels"
	"github.com/vecwire/vecwire/internal/simd"
)

// block is how many rows of weights are multiplied with every token before the
// next ones are: as many as stay in the nearest cache.
const block = 16

// scratch is the memory of one run, kept for the next.
type scratch struct {
	x, y, query, key, value, mixed, up []float32 // a row for each token
	heads, scores                      []float32 // of one text

	bytes byteScratch
}

func (e *encoder) dim() int { return e.hidden }

// run uses one CPU. It looks before each layer whether ctx has ended.
func (e *encoder) run(ctx context.Context, s *scratch, texts [][]int32, _ int) ([]float32, error) {
	tokens, longest := 0, 0
	for _, text := range texts {
		tokens += len(text)
		longest = max(longest, len(text))
	}
	rows := tokens * e.hidden
	for _, part := range []*[]float32{&s.x, &s.y, &s.query, &s.key, &s.value, &s.mixed} {
		*part = sized(*part, rows)
	}
	s.heads = sized(s.heads, 2*longest*e.hidden/e.heads)
	s.scores = sized(s.scores, longest)

	at := s.x
	for _, text := range texts {
		for i, token := range text {
			row := at[:e.hidden]
			id, second := typed(token)
			word, position := e.words[id*e.hidden:][:e.hidden], e.positions[i*e.hidden:][:e.hidden]
			for j := range row {
				row[j] = word[j] + position[j]
			}
			if second {
				add(row, e.second)
			}
			at = at[e.hidden:]
		}
	}
	e.normalize(s.x, e.norm)
	for i := range e.layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e.layer(s, &e.layers[i], texts)
	}
	return s.x, nil
}

// layer replaces s.x by what a layer makes of it.
func (e *encoder) layer(s *scratch, l *layer, texts [][]int32) {
	l.query.apply(s.query, s.x, e.hidden)
	l.key.apply(s.key, s.x, e.hidden)
	l.value.apply(s.value, s.x, e.hidden)
	row := 0
	for _, text := range texts {
		e.attend(s, row, len(text))
		row += len(text)
	}
	l.mixed.apply(s.y, s.mixed, e.hidden)
	add(s.x, s.y)
	e.normalize(s.x, l.mixedNorm)

	s.up = sized(s.up, len(s.x)/e.hidden*len(l.up.b))
	l.up.apply(s.up, s.x, e.hidden)
	kernels.GELU(s.up)
	l.down.apply(s.y, s.up, len(l.up.b))
	add(s.x, s.y)
	e.normalize(s.x, l.downNorm)
}

// apply computes d*row for each row of x, of n elements.
func (d dense) apply(dst, x []float32, n int) {
	width := len(d.b)
	for from := 0; from < width; from += block {
		to := min(from+block, width)
		w, b := d.w[from*n:to*n], d.b[from:to]
		for i := range len(x) / n {
			out := dst[i*width+from : i*width+to]
			simd.DotRows(out, x[i*n:(i+1)*n], w)
			add(out, b)
		}
	}
}

// attend computes the self-attention of a text's n tokens, which begin at a row,
// into s.mixed: for each head, the mean of the values, weighted by
// softmax(query*key/sqrt(d)).
func (e *encoder) attend(s *scratch, row, n int) {
	d := e.hidden / e.heads
	keys, values := s.heads[:n*d], s.heads[n*d:2*n*d] // rows of keys, columns of values
	scores := s.scores[:n]
	factor := float32(1 / math.Sqrt(float64(d)))
	for h := range e.heads {
		for i := range n {
			at := (row+i)*e.hidden + h*d
			copy(keys[i*d:(i+1)*d], s.key[at:at+d])
			for j, v := range s.value[at : at+d] {
				values[j*n+i] = v
			}
		}
		for i := range n {
			at := (row+i)*e.hidden + h*d
			simd.DotRows(scores, s.query[at:at+d], keys)
			softmax(scores, factor)
			simd.DotRows(s.mixed[at:at+d], scores, values)
		}
	}
}

// normalize gives each row the mean 0 and the variance 1, and scales it (Ba et al.
// 2016).
func (e *encoder) normalize(x []float32, by scale) {
	for len(x) > 0 {
		row := x[:e.hidden]
		x = x[e.hidden:]
		var sum, squares float64
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(len(row))
		for _, v := range row {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		factor := 1 / math.Sqrt(squares/float64(len(row))+e.eps)
		for i, v := range row {
			row[i] = float32((float64(v)-mean)*factor)*by.w[i] + by.b[i]
		}
	}
}

// softmax replaces each x by exp(factor*x), divided by the sum of all.
func softmax(x []float32, factor float32) {
	most := simd.Max(x)
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64((v - most) * factor)))
		sum += x[i]
	}
	share := 1 / sum
	for i := range x {
		x[i] *= share
	}
}

func add(x, y []float32) {
	for i, v := range y {
		x[i] += v
	}
}

// sized returns x with n elements, whatever they are.
func sized(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}
