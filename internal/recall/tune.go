package recall

import (
	"context"
	"errors"
	"slices"
)

// The reasons why Tune finds no effort.
var (
	// ErrNoIndex says that even with the least effort no answer came through an index.
	ErrNoIndex = errors.New("no answer came through an index")
	// ErrUnreachable says that the largest effort is not enough.
	ErrUnreachable = errors.New("the largest effort is not enough")
)

// Goal is what Tune looks for: the smallest effort from Least to Most that has the mean
// recall.
type Goal struct {
	Recall      float64
	Least, Most int
}

// Tuning says what Tune has found.
type Tuning struct {
	Effort int // 0 for none
	Recall float64
	Tried  []Step // by effort
}

// Step is the measurement of one effort.
type Step struct {
	Effort      int
	Recall      float64 // the mean
	Approximate int     // how many answers an index took part in
	Index       Latency
}

// Tune finds the smallest effort that reaches a goal, up to a sixteenth of it. It asks
// for the vectors at the places before n.
//
// An engine may find a large effort more work than looking at all records, and do that.
// Its answers are then exact, and such an effort reaches any goal.
func Tune(ctx context.Context, n int, g Goal, search Search) (Tuning, error) {
	var t Tuning
	if n == 0 {
		return t, ErrNoIndex
	}
	exact, err := answers(ctx, upTo(n), search, How{Exact: true})
	if err != nil {
		return t, err
	}
	try := func(effort int) (Step, error) {
		found, err := answers(ctx, upTo(n), search, How{Effort: effort})
		if err != nil {
			return Step{}, err
		}
		step := Step{Effort: effort, Index: latencyOf(found.took)}
		var all tally
		for i, a := range found.answers {
			all.add(countHits(a.Hits, exact.answers[i].Hits))
			if !a.Exact {
				step.Approximate++
			}
		}
		step.Recall = all.mean()
		at, _ := slices.BinarySearchFunc(t.Tried, effort, func(s Step, effort int) int { return s.Effort - effort })
		t.Tried = slices.Insert(t.Tried, at, step)
		if step.Recall >= g.Recall {
			t.Effort, t.Recall = effort, step.Recall
		}
		return step, nil
	}

	// Doubling finds an effort that is enough.
	low := 0
	for effort := min(g.Least, g.Most); t.Effort == 0; effort = min(g.Most, 2*effort) {
		step, err := try(effort)
		switch {
		case err != nil:
			return t, err
		case low == 0 && step.Approximate == 0:
			return Tuning{}, ErrNoIndex
		case t.Effort != 0:
		case effort == g.Most:
			return t, ErrUnreachable
		default:
			low = effort
		}
	}
	// Halving the interval below it finds the smallest.
	for low > 0 && t.Effort-low > max(1, t.Effort/16) {
		effort := low + (t.Effort-low)/2
		step, err := try(effort)
		if err != nil {
			return t, err
		}
		if step.Recall < g.Recall {
			low = effort
		}
	}
	return t, nil
}
