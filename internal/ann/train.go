package ann

import (
	"cmp"
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
	// New codes are made when more rows are off than this, and than one in offShare.
	offLeast = 64
	offShare = 64
	// shortReach is how much of what codes reach short ones do: where there are few steps,
	// finer ones are worth more than the elements that are cut off.
	shortReach = 0.8
	// codedPerSet is how many rows one Set encodes for codes that are being made.
	codedPerSet = 8
	// codedAtOnce is how many rows Maintain encodes before it lets a writer in.
	codedAtOnce = 2048
)

// wantsCodes reports whether codes are to be made: there are none; or the vectors
// have been replaced or have become many more since; or many were set that the
// codes do not fit; or many are off, and twice as many as when the codes were made;
// or some were set, and searches find the codes useless. Each of these takes work
// that grows with the arena, so that all the making adds no more than a few times
// its cost.
func (a *Arena[T]) wantsCodes() bool {
	if a.count < trainFrom || a.dim > maxCodeDim {
		return false
	}
	if a.codes == nil {
		return true
	}
	trained := a.codes.trained
	return a.HasOtherCodes() || a.sets >= 3*trained ||
		a.sets >= trained/2 && a.poor >= a.sets/8 ||
		a.codes.off.count >= 2*a.codes.before+max(offLeast, a.count/offShare) ||
		a.sets > 0 && a.givenUp.Load() >= givenUpFrom
}

// encode keeps the codes in line with a row that was set, and goes on with the
// making of new ones.
func (a *Arena[T]) encode(row int32) {
	a.sets++
	if a.codes != nil {
		a.codes.grow(a.Rows())
		if !setCode(a.codes, row, a.read(a.exclusive(), row)) {
			a.poor++
		}
	}
	if a.next != nil && int(row) < a.coded {
		setCode(a.next, row, a.read(a.exclusive(), row))
	}
	a.goOn()
}

// goOn goes on with the making of new codes, if they are wanted. Where a vector that it reads
// is just not where it was outside, that is left for later: what was set is not at fault.
func (a *Arena[T]) goOn() {
	if a.away.count > 0 {
		if a.away.later > 0 {
			a.away.later--
			return
		}
		defer func() {
			if p := recover(); p != nil {
				if a.damagedBy(p) == nil {
					panic(p)
				}
				a.away.later = setsUntilNext
			}
		}()
	}
	if a.next == nil {
		if !a.wantsCodes() {
			return
		}
		a.begin(a.train())
	}
	a.proceed(codedPerSet)
	a.finish()
}

// setsUntilNext is how many rows are set before codes are gone on with that could not be.
const setsUntilNext = 256

// exclusive returns memory for one vector, for who holds the owner's lock for writing.
func (a *Arena[T]) exclusive() []T {
	if a.away.from == nil && !a.asGiven() {
		return nil
	}
	return sized(&a.unit, a.dim)
}

// begin makes c the codes that are being made.
func (a *Arena[T]) begin(c *codes) {
	a.next, a.coded, a.sets, a.poor = c, 0, 0, 0
}

// proceed encodes the next n rows.
func (a *Arena[T]) proceed(n int) {
	end := min(a.coded+n, a.Rows())
	a.next.grow(end)
	var buf []T
	if a.away.from != nil || a.asGiven() {
		buf = make([]T, a.dim)
	}
	for ; a.coded < end; a.coded++ {
		if row := int32(a.coded); a.live.Has(row) {
			setCode(a.next, row, a.read(buf, row))
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
	a.codes.before = a.codes.off.count
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
	c, done, idle := a.maintainBeside(mu)
	if idle || c == nil && !done {
		return idle
	}
	mu.Lock()
	defer mu.Unlock()
	if c != nil {
		if a.next == nil && a.wantsCodes() && c.short == a.short { // as before the lock was changed
			a.begin(c)
		}
		return false
	}
	return a.next != nil && a.finish() // else they were to be of the other kind meanwhile
}

// maintainBeside does what searches may run beside: it begins codes, or goes on with
// those that were begun, and reports whether they are done, or none are wanted.
func (a *Arena[T]) maintainBeside(mu *sync.RWMutex) (c *codes, done, idle bool) {
	mu.RLock()
	defer mu.RUnlock()
	switch {
	case a.next == nil && !a.wantsCodes():
		return nil, false, true
	case a.next == nil:
		c = a.train()
	default:
		a.proceed(codedAtOnce)
	}
	return c, a.next != nil && a.coded == a.Rows(), false
}

// train returns codes without rows, made for a sample of the arena's vectors.
func (a *Arena[T]) train() *codes {
	sample := a.sample()
	for {
		c, within := a.fit(sample)
		if 100*len(within) > 96*len(sample) || len(within) < fewestWithin {
			c.trained = a.count
			return c
		}
		sample = within // the others must not shift the mean
	}
}

// fewestWithin is how many rows codes are fitted to at least.
const fewestWithin = 64

// fit returns codes for the rows of a sample, and those of them that they reach.
func (a *Arena[T]) fit(sample []int32) (c *codes, within []int32) {
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
	c = newCodes(a.metric, mean, unit, a.short)
	extents := make([]extent, len(sample))
	for i, row := range sample {
		y := c.tmp[:a.dim]
		transform(c, y, a.row(row))
		e := &extents[i]
		for _, v := range y {
			e.top = max(e.top, float64(max(v, -v)))
			e.rms += float64(v) * float64(v)
		}
		e.rms = math.Sqrt(e.rms / float64(a.dim))
	}
	top := reach(slices.Clone(extents))
	for i, e := range extents {
		if e.top <= top {
			within = append(within, sample[i])
		}
	}
	if a.short && a.metric != codec.Dot { // there the long ones are what is found
		top *= shortReach
	}
	if top > 0 && top <= math.MaxFloat32 {
		c = newCodes(a.metric, mean, unit*top/(codeZero-1), a.short)
		c.usual = math.Sqrt(float64(a.dim)) * (codeZero - 1) / top
	}
	return c, within
}

// extent is the largest element of a row and the root of their mean square, both
// centred and rotated.
type extent struct{ top, rms float64 }

// reach returns up to what size the elements of codes should go. The largest elements
// of one row in two hundred are cut off, which gives all others a finer step. Where
// that leaves most rows no more than a step or two, because some are a world apart,
// it is less, such that codes say something of as many rows as possible.
func reach(rows []extent) float64 {
	const fewest = 1.5 // steps
	slices.SortFunc(rows, func(a, b extent) int { return cmp.Compare(a.top, b.top) })
	best, most := 0.0, -1
	for _, share := range []float64{0.995, 0.97, 0.9, 0.75, 0.5} {
		last := int(share * float64(len(rows)-1))
		top, n := rows[last].top, 0
		for _, r := range rows[:last+1] {
			if r.rms*(codeZero-1) >= fewest*top {
				n++
			}
		}
		if n > most {
			best, most = top, n
		}
	}
	return best
}

// sample returns the rows that codes are made from.
func (a *Arena[T]) sample() []int32 { return a.spread(max(sampleLeast, sampleElements/a.dim)) }

// spread returns n rows with vectors, or all, spread over the arena.
func (a *Arena[T]) spread(n int) []int32 {
	n = min(a.count, n)
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
