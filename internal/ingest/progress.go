package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/vecwire/vecwire/internal/fault"
)

// Report says what became of each record of an input. A record whose ID comes
// again later in the input counts as the one that the later one updated.
type Report struct {
	Inserted, Updated, Unchanged, Failed int64
	Deleted                              int64 // of whoever drives the job
	Embedded                             int64 // texts given to the embedder
	Elapsed                              time.Duration
	Failures                             []Failure // the first MaxFailures, as they were found
}

// Done returns how many records the report is about.
func (r Report) Done() int64 { return r.Inserted + r.Updated + r.Unchanged + r.Failed }

// Progress says how far a job is.
type Progress struct {
	Done    int64         // records that are stored, unchanged or failed
	Failed  int64         // records that failed
	Total   int64         // as Options has it, 0 if unknown
	Rate    float64       // records a second, of late
	Elapsed time.Duration // since the job began
	ETA     time.Duration // until the end, 0 if unknown
}

// Ahead returns the progress of a job whose input leaves out records that are done
// already, if there were more of them than p knows.
func (p Progress) Ahead(more int64) Progress {
	p.Done += more
	if p.ETA > 0 {
		p.ETA = eta(float64(max(0, p.Total-p.Done)) / p.Rate)
	}
	return p
}

// state is what the workers of a job write down together.
type state struct {
	mu     sync.Mutex
	counts Report
	cursor int64           // every record before it is done
	saved  int64           // the cursor as it is kept; of the one goroutine that keeps it
	ahead  map[int64]int64 // batches behind it that are done: from and to
}

// note adds what became of a batch. It returns an error when too many records
// have failed.
func (j *Job[R]) note(b *batch[R]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := &j.counts
	t.Inserted += b.counts.Inserted
	t.Updated += b.counts.Updated
	t.Unchanged += b.counts.Unchanged
	t.Failed += int64(len(b.failed))
	t.Failures = append(t.Failures, b.failed[:min(len(b.failed), MaxFailures-len(t.Failures))]...)
	j.ahead[b.from] = b.to
	for to, ok := j.ahead[j.cursor]; ok; to, ok = j.ahead[j.cursor] {
		delete(j.ahead, j.cursor)
		j.cursor = to
	}
	if j.MaxErrors != 0 && t.Failed > int64(max(0, j.MaxErrors)) {
		return ErrTooManyFailed
	}
	return nil
}

func (j *Job[R]) noteEmbedded(texts int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Embedded += int64(texts)
}

// Report says what the job has done so far.
func (j *Job[R]) Report() Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.counts
	r.Elapsed = time.Since(j.begun)
	return r
}

// watch reports the progress and keeps the cursor while the job runs. A panic in
// Progress calls cancel. The function that watch returns ends all that, after a
// last report, and returns that panic.
func (j *Job[R]) watch(ctx context.Context, cancel func()) (stop func() error) {
	end, ended := make(chan struct{}), make(chan struct{})
	var panicked error
	var pace pace
	tell := func() Progress {
		p := j.progress(&pace)
		if j.Progress != nil && panicked == nil {
			panicked = fault.Guard("Progress", func() error {
				j.Progress(p)
				return nil
			})
			if panicked != nil {
				cancel()
			}
		}
		return p
	}
	go func() {
		defer close(ended)
		ticks := time.NewTicker(j.Every)
		defer ticks.Stop()
		logged := j.begun
		for {
			select {
			case now := <-ticks.C:
				p := tell()
				if now.Sub(logged) >= logEvery {
					logged = now
					j.Log.InfoContext(ctx, "ingest", "collection", j.Collection.Schema().Name, "done", p.Done, "failed", p.Failed, "rate", int(p.Rate), "eta", p.ETA)
				}
				j.saveCursor(ctx)
			case <-end:
				tell()
				return
			}
		}
	}()
	return func() error {
		close(end)
		<-ended
		return panicked
	}
}

// pace is the rate at which records are done, smoothed.
type pace struct {
	at   time.Time
	done int64
	rate float64
}

// halfLife is how long a rate of the past counts: long enough to be read, and short
// enough to notice that a server has become slow.
const halfLife = 5 * time.Second

func (j *Job[R]) progress(pc *pace) Progress {
	r, now := j.Report(), time.Now()
	p := Progress{Done: j.Skipped + r.Done(), Failed: r.Failed, Total: j.Total, Elapsed: r.Elapsed}
	if pc.at.IsZero() {
		pc.at, pc.done = j.begun, j.Skipped
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
		p.ETA = eta(float64(left) / p.Rate)
	}
	return p
}

// eta is a number of seconds, rounded, and at most what a Duration holds.
func eta(seconds float64) time.Duration {
	const most = 1 << 62
	if seconds >= most/float64(time.Second) {
		return most
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}
