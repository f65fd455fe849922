package vecwire

import (
	"context"
	"slices"
	"sync"
	"time"
)

// ingestState is what the workers of a job write down together.
type ingestState struct {
	mu     sync.Mutex
	counts IngestReport
	cursor int64           // every record before it is done
	saved  int64           // the cursor as it is kept; of the one goroutine that keeps it
	ahead  map[int64]int64 // batches behind it that are done: from and to
}

// item is a record of the input.
type item struct {
	Record
	index int64
}

// batch is a piece of the input.
type batch struct {
	from, to int64 // the indexes of its records
	bytes    int
	items    []item
	failed   []RecordError
	turn     <-chan struct{} // ends when all batches before are stored
	done     chan struct{}
}

// note adds what became of a batch. It returns an error when too many records
// have failed.
func (j *ingest) note(b *batch, counts IngestReport) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := &j.counts
	t.Inserted += counts.Inserted
	t.Updated += counts.Updated
	t.Unchanged += counts.Unchanged
	t.Failed += int64(len(b.failed))
	t.Failures = append(t.Failures, b.failed[:min(len(b.failed), MaxFailures-len(t.Failures))]...)
	j.ahead[b.from] = b.to
	for to, ok := j.ahead[j.cursor]; ok; to, ok = j.ahead[j.cursor] {
		delete(j.ahead, j.cursor)
		j.cursor = to
	}
	if j.o.MaxErrors != 0 && t.Failed > int64(max(0, j.o.MaxErrors)) {
		return t.failure()
	}
	return nil
}

func (j *ingest) noteEmbedded(texts int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Embedded += int64(texts)
}

func (j *ingest) report() IngestReport {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.counts
	r.Elapsed = time.Since(j.begun)
	return r
}

// watch reports the progress and keeps the cursor while the job runs. The
// function that it returns ends that, after a last report.
func (j *ingest) watch(ctx context.Context) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(j.o.Every)
		defer ticks.Stop()
		var pace pace
		logged := j.begun
		for {
			select {
			case now := <-ticks.C:
				p := j.progress(&pace)
				if j.o.Progress != nil {
					j.o.Progress(p)
				}
				if now.Sub(logged) >= ingestLogEvery {
					logged = now
					j.db.log.InfoContext(ctx, "ingest", "collection", j.schema.Name, "done", p.Done, "failed", p.Failed, "rate", int(p.Rate), "eta", p.ETA)
				}
				j.saveCursor(ctx)
			case <-end:
				if j.o.Progress != nil {
					j.o.Progress(j.progress(&pace))
				}
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// pace is the rate at which records are done, smoothed.
type pace struct {
	at   time.Time
	done int64
	rate float64
}

// halfLife is how long a rate of the past counts.
const halfLife = 5 * time.Second

func (j *ingest) progress(pc *pace) IngestProgress {
	r, now := j.report(), time.Now()
	p := IngestProgress{Done: j.o.Skipped + r.Done(), Failed: r.Failed, Total: j.o.Total, Elapsed: r.Elapsed}
	if pc.at.IsZero() {
		pc.at, pc.done = j.begun, j.o.Skipped
	}
	if passed := now.Sub(pc.at).Seconds(); passed > 0 {
		rate := float64(p.Done-pc.done) / passed
		weight := 1.0
		if pc.rate > 0 {
			weight = passed / (passed + halfLife.Seconds())
		}
		pc.rate += weight * (rate - pc.rate)
		pc.at, pc.done = now, p.Done
	}
	p.Rate = pc.rate
	if left := p.Total - p.Done; left > 0 && p.Rate > 0 {
		p.ETA = time.Duration(float64(left) / p.Rate * float64(time.Second)).Round(time.Second)
	}
	return p
}

// flight keeps batches apart that hold the same ID, so that the later one is
// stored later.
type flight struct {
	mu  sync.Mutex
	ids map[string]struct{} // of the batches under way
	// left is closed and made anew when a batch has left, if somebody waits.
	left chan struct{}
}

func (f *flight) enter(b *batch) {
	for {
		f.mu.Lock()
		taken := slices.ContainsFunc(b.items, func(it item) bool {
			_, ok := f.ids[it.ID]
			return ok
		})
		if !taken {
			for i := range b.items {
				f.ids[b.items[i].ID] = struct{}{}
			}
			f.mu.Unlock()
			return
		}
		if f.left == nil {
			f.left = make(chan struct{})
		}
		left := f.left
		f.mu.Unlock()
		<-left
	}
}

func (f *flight) leave(b *batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range b.items {
		delete(f.ids, b.items[i].ID)
	}
	if f.left != nil {
		close(f.left)
		f.left = nil
	}
}
