package embed

import "sync"

// A pace decides how many texts go into each call of an [Isolator]. It is safe for
// concurrent use.
type pace struct {
	mu sync.Mutex

	// credit is how many texts may still be in calls that fail, so that at most two
	// texts are sent for each that is given: a text that is given adds one, and a call
	// takes as many as it has texts that it does not settle. A call of one text always
	// settles it, and takes none.
	credit int

	good, bad float64 // texts of late that were embedded and refused
	total     int     // texts that were embedded so far

	most int // how many texts the server takes in a call, as far as is known; 0 for any number
	row  int // how many calls of that size have succeeded
}

const (
	// window is how many texts are of late. It is large enough to measure a part of one
	// bad text in a hundred.
	window = 1024
	// prior texts count as embedded before the first, so that one text says little.
	prior = 32
	// share is the part of calls that should fail. If a part p of the texts is bad, a
	// call of n fails with the probability 1-(1-p)^n, which is about n*p if that is
	// small. Smaller calls cost more calls, larger ones more texts.
	share = 0.25
	// again is how many calls of most texts succeed before larger ones are tried: a
	// call may have failed for another reason than its size.
	again = 64
)

// next returns how many of the texts that are left go into the next call. The first of
// them are suspects: a call of these failed. So many fresh ones are given for the
// first time.
func (p *pace) next(left, suspects, fresh int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.credit += fresh
	n := left
	if suspects > 0 {
		n = max(1, suspects/2)
	}
	if p.most > 0 {
		n = min(n, p.most)
	}
	if p.bad > 0 {
		n = int(min(float64(n), share*(prior+p.good+p.bad)/p.bad))
	}
	n = max(1, min(n, p.credit))
	if n > 1 {
		p.credit -= n
	}
	return n
}

// settle notes the outcome of a call of n texts: good ones were embedded, bad ones
// refused, and nothing is known of the rest.
func (p *pace) settle(n, good, bad int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 1 {
		p.credit += good + bad
	} else {
		p.credit -= 1 - good - bad
	}
	p.total += good
	p.good += float64(good)
	p.bad += float64(bad)
	if seen := p.good + p.bad; seen > window {
		p.good *= window / seen
		p.bad *= window / seen
	}
	if n == p.most && good == n {
		if p.row++; p.row == again {
			p.most, p.row = 2*p.most, 0
		}
	}
}

// tooLarge notes that a call of n texts failed, although each of them was embedded in
// a smaller one.
func (p *pace) tooLarge(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most, p.row = max(1, n/2), 0
}

// embedded returns how many texts were embedded.
func (p *pace) embedded() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}
