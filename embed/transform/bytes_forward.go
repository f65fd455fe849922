package transform

import (
	"context"
	"math"
	"sync"

	"github.com/vecwire/vecwire/embed/transform/internal/kernels"
)

// chunkTokens is how many tokens go through the dense part of a layer together: so
// many that the time to read its weights does not count, and so few that what is
// computed of them stays in the cache of a core.
const chunkTokens = 48

// queries is how many rows of kernels.Tile there are.
const queries = 4

// byteScratch is the memory of one run of a byteEncoder, kept for the next.
type byteScratch struct {
	x, y, mixed []float32    // a row for each token
	attention   [2][]float32 // queries, keys and values of each token, of this layer and of the last one
	workers     []workerScratch
}

// workerScratch is what each worker has for itself.
type workerScratch struct {
	rows, inner  kernels.Rows
	up           []float32
	keys, scores []float32
	out          [queries * kernels.Panel]float32
}

func (e *byteEncoder) dim() int { return e.hidden }

// run is that of encoder. The tokens are divided among several workers, each on a
// goroutine of its own, who wait for one another once in each layer: when all
// queries, keys and values are there. Those of the next layer go to other memory,
// so that nobody has to wait for the last reader of these.
func (e *byteEncoder) run(ctx context.Context, s *scratch, texts [][]int32, workers int) ([]float32, error) {
	b := &s.bytes
	tokens, longest := 0, 0
	for _, text := range texts {
		tokens += len(text)
		longest = max(longest, len(text))
	}
	workers = max(1, min(workers, tokens/2))
	for _, part := range []*[]float32{&b.x, &b.y, &b.mixed} {
		*part = sized(*part, tokens*e.hidden)
	}
	for i := range b.attention { // tiles read up to three rows too many
		b.attention[i] = sized(b.attention[i], (tokens+queries-1)*3*e.hidden)
	}
	for len(b.workers) < workers {
		b.workers = append(b.workers, workerScratch{})
	}
	meeting := newBarrier(workers)
	work := func(i int) bool {
		w := &b.workers[i]
		padded := upTo(longest, kernels.Panel)
		w.keys = sized(w.keys, e.hidden/e.heads*padded)
		w.scores = sized(w.scores, queries*padded)
		from, to := tokens*i/workers, tokens*(i+1)/workers
		e.embed(b, texts, from, to)
		for l := range e.layers {
			e.project(b, w, &e.layers[l], l%2, from, to)
			if ended := meeting.wait(func() bool { return ctx.Err() != nil }); ended {
				return false
			}
			e.attend(b, w, texts, l%2, from, to)
			e.transform(b, w, &e.layers[l], from, to)
		}
		return true
	}
	var others sync.WaitGroup
	for i := 1; i < workers; i++ {
		others.Go(func() { work(i) })
	}
	done := work(0)
	others.Wait()
	if !done {
		return nil, ctx.Err()
	}
	return b.x, nil
}

// embed sets rows from up to to of x to the sums of the tokens' and the positions'.
func (e *byteEncoder) embed(b *byteScratch, texts [][]int32, from, to int) {
	row := 0
	for _, text := range texts {
		for i := max(0, from-row); i < min(len(text), to-row); i++ {
			x := b.x[(row+i)*e.hidden:][:e.hidden]
			id, second := typed(text[i])
			word, scale := e.words[id*e.hidden:][:e.hidden], e.wordScales[id]
			for j := range x {
				x[j] = float32(word[j]) * scale
			}
			if second {
				add(x, e.second)
			}
			kernels.AddNorm(x, e.positions[i*e.hidden:][:e.hidden], e.norm.w, e.norm.b, e.eps)
		}
		row += len(text)
	}
}

// project computes the queries, keys and values of some rows.
func (e *byteEncoder) project(b *byteScratch, w *workerScratch, l *byteLayer, odd, from, to int) {
	for chunk := range chunks(from, to) {
		w.rows.Resize(chunk.n, e.hidden)
		w.rows.Set(0, b.x[chunk.from*e.hidden:][:chunk.n*e.hidden])
		l.attention.Apply(b.attention[odd][chunk.from*3*e.hidden:], 3*e.hidden, &w.rows, 0, chunk.n, 0, l.attention.Panels())
	}
}

// transform replaces some rows of x by what the dense part of a layer makes of them
// and of what attention has mixed.
func (e *byteEncoder) transform(b *byteScratch, w *workerScratch, l *byteLayer, from, to int) {
	for chunk := range chunks(from, to) {
		begin, end := chunk.from*e.hidden, (chunk.from+chunk.n)*e.hidden
		x, y := b.x[begin:end], b.y[begin:end]
		w.rows.Resize(chunk.n, e.hidden)
		w.rows.Set(0, b.mixed[begin:end])
		l.mixed.Apply(y, e.hidden, &w.rows, 0, chunk.n, 0, l.mixed.Panels())
		e.addNorm(x, y, l.mixedNorm)

		inner := len(l.up.Bias)
		w.up = sized(w.up, chunk.n*inner)
		w.rows.Set(0, x)
		l.up.Apply(w.up, inner, &w.rows, 0, chunk.n, 0, l.up.Panels())
		kernels.GELU(w.up)
		w.inner.Resize(chunk.n, inner)
		w.inner.Set(0, w.up)
		l.down.Apply(y, e.hidden, &w.inner, 0, chunk.n, 0, l.down.Panels())
		e.addNorm(x, y, l.downNorm)
	}
}

func (e *byteEncoder) addNorm(x, y []float32, by scale) {
	for i := 0; i < len(x); i += e.hidden {
		kernels.AddNorm(x[i:i+e.hidden], y[i:i+e.hidden], by.w, by.b, e.eps)
	}
}

// attend computes the self-attention of some rows into mixed.
func (e *byteEncoder) attend(b *byteScratch, w *workerScratch, texts [][]int32, odd, from, to int) {
	row := 0
	for _, text := range texts {
		if first, last := max(row, from), min(row+len(text), to); first < last {
			for head := range e.heads {
				e.attendHead(b, w, b.attention[odd], head, row, len(text), first, last)
			}
		}
		row += len(text)
	}
}

// attendHead does so for one head and rows first up to last of a text, which has n
// tokens from row on: a few queries at a time meet all keys, and what becomes of
// that all values, without a matrix of all scores.
func (e *byteEncoder) attendHead(b *byteScratch, w *workerScratch, attention []float32, head, row, n, first, last int) {
	d, stride := e.hidden/e.heads, 3*e.hidden
	padded := upTo(n, kernels.Panel)
	query, key, value := head*d, e.hidden+head*d, 2*e.hidden+head*d
	keys := w.keys[:d*padded] // a column for each token
	for j := range d {
		clear(keys[j*padded+n : (j+1)*padded])
	}
	for i := range n {
		for j, v := range attention[(row+i)*stride+key:][:d] {
			keys[j*padded+i] = v
		}
	}
	factor := float32(1 / math.Sqrt(float64(d)))
	for i := first; i < last; i += queries {
		scores := w.scores[:queries*padded]
		for j := 0; j < padded; j += kernels.Panel {
			kernels.Tile(scores[j:], padded, attention[i*stride+query:], stride, keys[j:], padded, d)
		}
		for q := range queries {
			line := scores[q*padded:][:padded]
			for j := n; j < padded; j++ {
				line[j] = float32(math.Inf(-1))
			}
			kernels.Softmax(line, factor)
		}
		for j := 0; j < d; j += kernels.Panel {
			values := attention[row*stride+value+j:]
			if last-i >= queries {
				kernels.Tile(b.mixed[i*e.hidden+head*d+j:], e.hidden, scores, padded, values, stride, n)
				continue
			}
			kernels.Tile(w.out[:], kernels.Panel, scores, padded, values, stride, n)
			for q := range last - i { // the rows behind are another worker's
				copy(b.mixed[(i+q)*e.hidden+head*d+j:][:kernels.Panel], w.out[q*kernels.Panel:])
			}
		}
	}
}

// chunk is rows from number from on.
type chunk struct{ from, n int }

// chunks divides rows into equal parts of at most chunkTokens.
func chunks(from, to int) func(yield func(chunk) bool) {
	parts := (to - from + chunkTokens - 1) / chunkTokens
	return func(yield func(chunk) bool) {
		for i := range parts {
			begin, end := from+(to-from)*i/parts, from+(to-from)*(i+1)/parts
			if !yield(chunk{begin, end - begin}) {
				return
			}
		}
	}
}

// upTo returns the least multiple of m that is not less than n.
func upTo(n, m int) int { return (n + m - 1) / m * m }
