package vecwire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// jobsSchema is the collection that the cursors of jobs are kept in. It is of
// our own, so that every engine has it, and hidden from DB.Collections.
var jobsSchema = engine.Schema{Name: "vecwire_jobs", Dim: 1, Metric: Dot, Fields: []engine.Field{{Name: "done", Type: Int}}}

const maxJob = 200

func checkJob(job string) error {
	if len(job) > maxJob {
		return &ValueError{Field: "Job", Pos: -1, Want: fmt.Sprintf("at most %d bytes", maxJob), Got: filter.Describe(job)}
	}
	return filter.CheckString("Job", job)
}

// jobID is what a collection's job is found by.
func jobID(collection, job string) string { return strings.ToLower(collection) + "/" + job }

// jobs opens the collection of cursors.
func (db *DB) jobs(ctx context.Context) (engine.Collection, error) {
	return db.engine.Open(ctx, jobsSchema.Name)
}

// Cursor returns how many records of its input a named job has done, counted
// from the beginning without a gap: each is stored, unchanged or failed. It is 0
// for a job that is not known, or that ended without an error. [Collection.Ingest]
// needs no cursor, since it compares; an input that is expensive to read can use
// it to begin further on, and say so in IngestOptions.Skipped. What was deleted
// meanwhile is then not stored again. The cursor is kept about every half second.
func (c *Collection) Cursor(ctx context.Context, job string) (int64, error) {
	const verb = "read a cursor of"
	if err := c.db.enter(); err != nil {
		return 0, c.wrap(verb, err)
	}
	defer c.db.leave()
	if err := checkJob(job); err != nil {
		return 0, c.wrap(verb, err)
	}
	jobs, err := c.db.jobs(ctx)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, c.wrap(verb, err)
	}
	found, err := jobs.Get(ctx, []string{jobID(c.schema.Name, job)}, false)
	if err != nil || len(found) == 0 {
		return 0, c.wrap(verb, err)
	}
	done, _ := found[0].Fields[0].(int64)
	return done, nil
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
	if err := j.db.putCursor(ctx, jobID(j.schema.Name, j.o.Job), cursor); err != nil {
		j.db.log.WarnContext(ctx, "the cursor of a job was not kept", "collection", j.schema.Name, "job", j.o.Job, "err", err)
		return
	}
	j.saved = cursor
}

func (db *DB) putCursor(ctx context.Context, id string, cursor int64) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.leave()
	jobs, err := db.jobs(ctx)
	if errors.Is(err, ErrNotFound) {
		jobs, err = db.engine.Create(ctx, jobsSchema)
		if errors.Is(err, ErrExists) { // made by another job meanwhile
			jobs, err = db.jobs(ctx)
		}
	}
	if err != nil {
		return err
	}
	return jobs.Upsert(ctx, []engine.Record{{ID: id, Vector: engine.Vector{F32: []float32{1}}, Fields: []any{cursor}}})
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
	return j.db.forgetJobs(ctx, filter.Eq("id", jobID(j.schema.Name, j.o.Job)))
}

// forgetJobs removes the cursors that pass.
func (db *DB) forgetJobs(ctx context.Context, which filter.Filter) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.leave()
	jobs, err := db.jobs(ctx)
	if err == nil {
		_, err = jobs.DeleteWhere(ctx, which)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
