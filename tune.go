package vecwire

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// DefaultRecall is the recall that [Collection.Tune] wants by default.
const DefaultRecall = 0.95

// maxEffort is the largest effort that Tune tries: what pgvector allows.
const maxEffort = 1000

// TuneOptions says what [Collection.Tune] looks for.
type TuneOptions struct {
	// Recall is the mean recall that is wanted, more than 0 and at most 1.
	// Defaults to DefaultRecall.
	Recall float64
	// Measure says how it is measured; see [Collection.Recall].
	Measure RecallOptions
}

// TuneReport says what [Collection.Tune] has found.
type TuneReport struct {
	Effort int        // what searches use from now on
	Recall float64    // what that gives
	Tried  []TuneStep // what was measured, in the order of the effort
}

// TuneStep is one measurement.
type TuneStep struct {
	Effort int
	Recall float64 // the mean
	Index  Latency
}

// tuned is what Tune has found, as far as this handle knows.
type tuned struct{ effort atomic.Pointer[int] }

const effortNote = "effort"

// tunedEffort returns what Tune has found, 0 for nothing. It asks the database once.
func (c *Collection) tunedEffort(ctx context.Context) (int, error) {
	if known := c.tuned.effort.Load(); known != nil {
		return *known, nil
	}
	if c.tx != nil || !c.db.engine.Capabilities().Effort {
		return 0, nil
	}
	found, err := c.db.note(ctx, c.noteID(effortNote))
	if err != nil {
		return 0, err
	}
	effort := int(found)
	c.tuned.effort.Store(&effort)
	return effort, nil
}

// Tune finds the smallest Query.Effort that reaches a recall on the collection's
// own records, and keeps it in the database: searches through this handle, and
// through those that are opened later, use it unless a query has its own. Build
// the index first, and tune again when the data has changed much.
//
// If even the largest effort does not reach the recall, nothing is kept, and the
// report says how far it goes. Tune returns [ErrUnsupported] if the engine has no
// such setting.
func (c *Collection) Tune(ctx context.Context, o TuneOptions) (TuneReport, error) {
	const verb = "tune"
	report, err := c.tune(ctx, o)
	return report, c.wrap(verb, err)
}

func (c *Collection) tune(ctx context.Context, o TuneOptions) (report TuneReport, err error) {
	if !c.db.engine.Capabilities().Effort {
		return report, unsupported("setting the effort of a search", c.db.engine.Capabilities().Engine)
	}
	if o.Recall == 0 {
		o.Recall = DefaultRecall
	}
	if !(o.Recall > 0 && o.Recall <= 1) {
		return report, &ValueError{Field: "Recall", Pos: -1, Want: "more than 0 and at most 1", Got: fmt.Sprint(o.Recall)}
	}
	queries, err := c.recallQueries(ctx, o.Measure)
	if err != nil {
		return report, err
	}
	exact, err := c.exactAnswers(ctx, queries)
	if err != nil {
		return report, err
	}
	best := 0
	// Doubling finds an effort that is enough, and halving the interval below it
	// the smallest, up to a sixteenth.
	low, high := 0, 0
	for effort := max(8, (&Query{K: o.Measure.K}).k()); ; {
		step, approximate, err := c.measure(ctx, queries, exact, effort)
		if err != nil {
			return report, err
		}
		if approximate == 0 {
			return report, errors.New("no answer came through an index: build one, see BuildIndex; a small collection needs none")
		}
		report.add(step)
		if step.Recall >= o.Recall {
			high, best = effort, effort
			report.Effort, report.Recall = effort, step.Recall
		} else {
			low = effort
		}
		switch {
		case high == 0 && effort == maxEffort:
			return report, fmt.Errorf("the largest effort, %d, has a recall of %.3f, and %.3f is wanted: build the index with a larger M or EfConstruction", effort, step.Recall, o.Recall)
		case high == 0:
			effort = min(maxEffort, 2*effort)
			continue
		case low > 0 && high-low > max(1, high/16):
			effort = (low + high) / 2
			continue
		}
		break
	}
	if err := c.db.putNote(ctx, c.noteID(effortNote), int64(best)); err != nil {
		return report, err
	}
	c.tuned.effort.Store(&best)
	return report, nil
}

// add keeps the steps in the order of their effort.
func (r *TuneReport) add(step TuneStep) {
	at := 0
	for at < len(r.Tried) && r.Tried[at].Effort < step.Effort {
		at++
	}
	r.Tried = append(r.Tried[:at], append([]TuneStep{step}, r.Tried[at:]...)...)
}
