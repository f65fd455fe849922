package ann

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/codec"
)

const (
	// trainFrom is the number of vectors from which an arena has codes.
	trainFrom = 1024
	// sampleElements is about how many elements codes are made from: enough for a
	// mean and a spread, and no more than a few milliseconds of work.
	sampleElements = 1 << 18
	sampleLeast    = 512
	// givenUpFrom is how many searches must find codes useless before new ones are
	// made. Making them takes less time than those searches lost.
	givenUpFrom = 64
	// codedPerSet is how many rows one Set encodes for codes that are being made.
	codedPerSet = 8
	// codedAtOnce is how many rows Maintain encodes before it lets a writer in.
	codedAtOnce = 2048
)

// wantsCodes reports whether codes are to be made: there are none; or the vectors
// have been replaced or have become many more since; or many were set that the
// codes do not fit; or some were set, and searches find the codes useless. Each of
// these takes work that grows with the arena, so that all the making adds no more
// than a few times its cost.
func (a *Arena[T]) wantsCodes() bool {
	if a.count < trainFrom || a.dim > maxCodeDim {
		return false
	}
	if a.codes == nil {
		return true
	}
	trained := a.codes.trained
	return a.sets >= 3*trained ||
		a.sets >= trained/2 && a.poor >= a.sets/8 ||
		a.sets > 0 && a.givenUp.Load() >= givenUpFrom
}

// encode keeps the codes in line with a row that was set, and goes on with the
// making of new ones.
func (a *Arena[T]) encode(row int32) {
	a.sets++
	if a.codes != nil {
		a.codes.grow(a.Rows())
		if !setCode(a.codes, row, a.row(row)) {
			a.poor++
		}
	}
	if a.next == nil {
		if !a.wantsCodes() {
			return
		}
		a.begin(a.train())
	}
	if int(row) < a.coded {
		setCode(a.next, row, a.row(row))
	}
	a.proceed(codedPerSet)
	a.finish()
}

// begin makes c the codes that are being made.
func (a *Arena[T]) begin(c *codes) {
	a.next, a.coded, a.sets, a.poor = c, 0, 0, 0
}

// proceed encodes the next n rows.
func (a *Arena[T]) proceed(n int) {
	end := min(a.coded+n, a.Rows())
	a.next.grow(end)
	for ; a.coded < end; a.coded++ {
		if row := int32(a.coded); a.live.Has(row) {
			setCode(a.next, row, a.row(row))
		}
	}
}

// finish puts the new codes into use if they are complete.
func (a *Arena[T]) finish() bool {
	if a.coded < a.Rows() {
		return false
	}
	if a.codes != nil {
		a.codes.free()
	}
	a.codes, a.next = a.next, nil
	a.givenUp.Store(0)
	return true
}

// Maintain makes new codes if the arena wants some, and returns when they are in
// use. [Arena.Set] does that work a little at a time, so nobody needs to call
// Maintain; it has the codes ready sooner, after a load for example. mu is the
// owner's lock, which the caller must not hold: Maintain holds it for reading for
// a few milliseconds at a time, beside searches, and for writing for a moment at
// the end. It returns nil at once if another Maintain is at work, and ctx's error
// if that ends first; what was done then is not lost.
func (a *Arena[T]) Maintain(ctx context.Context, mu *sync.RWMutex) error {
	if !a.making.TryLock() {
		return nil
	}
	defer a.making.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if a.maintain(mu) {
			return nil
		}
	}
}

// maintain does one step of Maintain and reports whether it was the last.
func (a *Arena[T]) maintain(mu *sync.RWMutex) bool {
	mu.RLock()
	var c *codes
	switch {
	case a.next == nil && !a.wantsCodes():
		mu.RUnlock()
		return true
	case a.next == nil:
		c = a.train()
	default:
		a.proceed(codedAtOnce)
	}
	done := a.next != nil && a.coded == a.Rows()
	mu.RUnlock()
	if c == nil && !done {
		return false
	}
	mu.Lock()
	defer mu.Unlock()
	if c != nil {
		if a.next == nil && a.wantsCodes() { // as before the lock was changed
			a.begin(c)
		}
		return false
	}
	return a.next == nil || a.finish()
}

// train returns codes without rows, made for a sample of the arena's vectors.
func (a *Arena[T]) train() *codes {
	sample := a.sample()
	mean := center(a, sample)
	norms := make([]float64, len(sample))
	wide := make([]float64, a.dim)
	for i, row := range sample {
		for j, x := range a.row(row) {
			wide[j] = float64(x) - mean[j]
		}
		norms[i] = rms(wide)
	}
	// In units of the typical element the rotation neither overflows nor
	// underflows.
	unit := quantile(norms, 0.5)
	if !(unit > 0 && unit <= math.MaxFloat64) {
		unit = 1
	}
	c := newCodes(a.metric, mean, unit)
	tops := norms
	for i, row := range sample {
		y := c.tmp[:a.dim]
		transform(c, y, a.row(row))
		top := float32(0)
		for _, v := range y {
			top = max(top, v, -v)
		}
		tops[i] = float64(top)
	}
	// The largest elements of one row in two hundred are cut off, which gives all
	// others a finer step.
	if top := quantile(tops, 0.995); top > 0 && top <= math.MaxFloat32 {
		c = newCodes(a.metric, mean, unit*top/(codeZero-1))
		c.usual = math.Sqrt(float64(a.dim)) * (codeZero - 1) / top
	}
	c.trained = a.count
	return c
}

// sample returns rows with vectors, spread over the arena.
func (a *Arena[T]) sample() []int32 {
	n := min(a.count, max(sampleLeast, sampleElements/a.dim))
	rows := make([]int32, 0, n)
	i := 0
	for row := range a.live.All() {
		if i*n/a.count >= len(rows) {
			rows = append(rows, row)
		}
		i++
	}
	return rows
}

// center returns the mean of the rows, without those that are far longer than
// most: one alone could move it out of the data.
func center[T codec.Float](a *Arena[T], rows []int32) []float64 {
	wide := make([]float64, a.dim)
	norms := make([]float64, len(rows))
	for i, row := range rows {
		for j, x := range a.row(row) {
			wide[j] = float64(x)
		}
		norms[i] = rms(wide)
	}
	longest := 4 * quantile(slices.Clone(norms), 0.9)
	n := 0
	for _, norm := range norms {
		if norm <= longest {
			n++
		}
	}
	mean := make([]float64, a.dim)
	for i, row := range rows {
		if norms[i] > longest {
			continue
		}
		for j, x := range a.row(row) {
			mean[j] += float64(x) / float64(n)
		}
	}
	return mean
}

// rms returns the root mean square of x.
func rms(x []float64) float64 {
	top := 0.0
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	if top == 0 || top-top != 0 {
		return top
	}
	s := 0.0
	for _, v := range x {
		s += (v / top) * (v / top)
	}
	return top * math.Sqrt(s/float64(len(x)))
}

// quantile sorts x and returns what a share p of it is at most.
func quantile(x []float64, p float64) float64 {
	slices.Sort(x)
	return x[int(p*float64(len(x)-1))]
}
