package vecwire

import (
	"context"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/filter"
)

const maxJob = 200

func checkJob(job string) error {
	if len(job) > maxJob {
		return &ValueError{Field: "Job", Pos: -1, Want: fmt.Sprintf("at most %d bytes", maxJob), Got: filter.Describe(job)}
	}
	return filter.CheckString("Job", job)
}

// jobNote names the note that holds the cursor of a job.
func (c *Collection) jobNote(job string) string {
	if n, ok := namespaceOf(c.engine); ok {
		job = n.prefix + job
	}
	return c.noteID("job/" + job)
}

// Cursor returns how many records of its input a named job has done, counted
// from the beginning without a gap: each is stored, unchanged or failed. It is 0
// for a job that is not known, or that ended without an error. [Collection.Ingest]
// needs no cursor, since it compares; an input that is expensive to read can use
// it to begin further on, and say so in IngestOptions.Skipped. What was deleted
// meanwhile is then not stored again. The cursor is kept about every half second.
func (c *Collection) Cursor(ctx context.Context, job string) (int64, error) {
	ctx, call, err := c.begin(ctx, "read a cursor of")
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if err := checkJob(job); err != nil {
		return 0, call.end(0, err)
	}
	done, err := c.db.note(ctx, c.jobNote(job))
	return done, call.end(0, err)
}

// saveCursor keeps the cursor if it has moved. Without it a job is slower to go
// on with, and nothing is lost: an error is only said in the log.
func (j *ingest) saveCursor(ctx context.Context) {
	j.mu.Lock()
	cursor := j.cursor
	j.mu.Unlock()
	if j.o.Job == "" || cursor == j.saved {
		return
	}
	if err := j.db.putNote(ctx, j.jobNote(j.o.Job), cursor); err != nil {
		j.db.log.WarnContext(ctx, "the cursor of a job was not kept", "collection", j.schema.Name, "job", j.o.Job, "err", err)
		return
	}
	j.saved = cursor
}

// endJob keeps the cursor of a job that ended early, and forgets that of one
// whose input has ended.
func (j *ingest) endJob(ctx context.Context, err error) error {
	if j.o.Job == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err != nil {
		j.saveCursor(ctx)
		return err
	}
	return j.db.forgetNotes(ctx, filter.Eq("id", j.jobNote(j.o.Job)))
}
