package reembed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
)

// errBehind says that the second collection is not yet what the first one is.
var errBehind = errors.New("more was written than can be taken over while writers wait")

// swap puts the second collection in the place of the first. If texts stand in the
// way that have no vector yet, it returns errBehind and their records; if it is
// more than that, errBehind alone.
func (j *job) swap(ctx context.Context) (wanted []engine.Record, err error) {
	s := engine.Swap{Name: j.old.Schema().Name, Next: j.next.Schema().Name, Old: j.Keep, Drop: j.Keep == ""}
	if s.Drop {
		s.Old = oldName(j.Name, j.old.Schema().Model)
	}
	s.Settle = func(ctx context.Context, old, next engine.Collection) error {
		is, other := old.Schema(), next.Schema()
		if !slices.EqualFunc(is.Fields, other.Fields, engine.Field.Equal) || is.FullText != other.FullText || !is.SameVectors(other) {
			return fmt.Errorf("%w: run it again", engine.ErrAltered)
		}
		var rest leftover
		var err error
		if rest, err = j.compare(ctx, old, next); err == nil {
			err = j.settle(ctx, next, rest)
		}
		wanted = rest.wanted
		return err
	}
	err = j.Engine.Swap(ctx, s)
	return wanted, err
}

// leftover is what was written since the last pass.
type leftover struct {
	records []engine.Record // with the vectors that they are to have
	fields  []engine.Record // whose fields changed only, without vectors
	wanted  []engine.Record // whose texts have no vector yet
	gone    []string
}

func (l *leftover) size() int {
	return len(l.records) + len(l.fields) + len(l.wanted) + len(l.gone)
}

// compare finds what was written since the last pass. Records that failed in it,
// and are as they were then, stay out of the second collection.
func (j *job) compare(ctx context.Context, old, next engine.Collection) (leftover, error) {
	var l leftover
	for p, err := range pairs(ctx, j.from(old), next) {
		if err != nil {
			return leftover{}, err
		}
		if err := j.sort(&l, p); err != nil {
			return leftover{}, err
		}
		if l.size() > settleRecords {
			return leftover{}, errBehind
		}
	}
	return l, nil
}

func (j *job) sort(l *leftover, p pair) error {
	out := p.old == nil || p.old.Text == "" || j.failed.has(p.old)
	switch {
	case p.old != nil && p.old.Text == "" && !j.SkipFailed:
		return errBehind // which the next pass reports
	case out && p.next != nil:
		l.gone = append(l.gone, p.next.ID)
	case out || p.same():
	case p.next != nil && p.next.Text == p.old.Text:
		l.fields = append(l.fields, *p.old)
	default:
		r := *p.old
		var known bool
		if r.Vector, known = j.memo[r.Text]; known {
			l.records = append(l.records, r)
		} else {
			l.wanted = append(l.wanted, r)
		}
	}
	return nil
}

const (
	// Texts are embedded while writers wait only if they never pause, so that each
	// try to swap would find new ones: after so many tries, and for so long, because
	// an embedder that uses the same database may wait for the end.
	patience   = 3
	settleTime = 10 * time.Second
)

// settle takes over what was left, so that the second collection is what the first
// one is.
func (j *job) settle(ctx context.Context, next engine.Collection, l leftover) error {
	j.settled = ingest.Report{}
	if len(l.wanted) > 0 {
		if j.tries <= patience {
			return errBehind
		}
		embedding, cancel := context.WithTimeout(ctx, settleTime)
		all, err := j.remember(embedding, l.wanted)
		cancel()
		if err != nil || !all {
			return errBehind
		}
		for _, r := range l.wanted {
			r.Vector = j.memo[r.Text]
			l.records = append(l.records, r)
		}
	}
	records := l.records
	if len(l.fields) > 0 {
		stored, err := next.Get(ctx, engine.IDs(l.fields), true)
		if err != nil {
			return err
		}
		vectors := make(map[string]engine.Vector, len(stored))
		for _, r := range stored {
			vectors[r.ID] = r.Vector
		}
		for _, r := range l.fields {
			var ok bool
			if r.Vector, ok = vectors[r.ID]; !ok {
				return errBehind
			}
			records = append(records, r)
		}
	}
	if len(records) > 0 {
		if err := next.Upsert(ctx, records); errors.Is(err, engine.ErrRefused) {
			return errBehind // the next pass says which record it is
		} else if err != nil {
			return err
		}
		j.settled.Updated = int64(len(records))
	}
	if len(l.gone) > 0 {
		n, err := next.Delete(ctx, l.gone)
		j.settled.Deleted = int64(n)
		return err
	}
	return nil
}

// remember embeds the texts of records for the next try to swap. It reports
// whether all could be embedded; if not, the next pass says which could not.
func (j *job) remember(ctx context.Context, wanted []engine.Record) (all bool, err error) {
	texts := make([]string, len(wanted))
	for i := range wanted {
		texts[i] = wanted[i].Text
	}
	j.report.Embedded += int64(len(texts))
	vectors, failed, err := j.Embed(ctx, texts)
	if err != nil {
		return false, err
	}
	for i, text := range texts {
		j.memo[text] = vectors[i]
	}
	for _, f := range failed {
		delete(j.memo, texts[f.Index])
	}
	return len(failed) == 0, nil
}
