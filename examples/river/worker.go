package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/embed"
)

// IngestArgs is a job: a file that is to be found by its passages.
type IngestArgs struct {
	Path string `json:"path"`
}

// Kind implements river's JobArgs.
func (IngestArgs) Kind() string { return "ingest" }

// IngestWorker stores a file's row and its passages, and completes its job, in one
// transaction: after a crash at any moment there is all of it, or none of it and the
// job is worked again.
type IngestWorker struct {
	river.WorkerDefaults[IngestArgs]
	pool *pgxpool.Pool
	docs *vecwire.Collection
	e    vecwire.Embedder
}

// Work implements river's Worker. Whatever takes long is done before the transaction
// begins, so that no lock is held while a model is called.
func (w *IngestWorker) Work(ctx context.Context, job *river.Job[IngestArgs]) error {
	path := job.Args.Path
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return river.JobCancel(err) // to try again would not help
	}
	if err != nil {
		return err
	}
	passages, err := w.passages(ctx, path, string(text))
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO files (path, passages) VALUES ($1, $2)
			ON CONFLICT (path) DO UPDATE SET passages = EXCLUDED.passages`, path, len(passages))
		if err != nil {
			return err
		}
		// What the file had before and has no more is deleted with it.
		if _, err := w.docs.ReplaceSource(vecwire.WithPgxTx(ctx, tx), path, passages...); err != nil {
			return err
		}
		_, err = river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		return err
	})
}

// passages returns a file's passages with their vectors.
func (w *IngestWorker) passages(ctx context.Context, path, text string) ([]vecwire.Record, error) {
	chunks, err := chunk.Split(text, chunk.Options{})
	if err != nil || len(chunks) == 0 {
		return nil, err
	}
	texts := make([]string, len(chunks))
	for i, c := range chunks {
		texts[i] = c.Text
	}
	vectors, err := w.e.Embed(ctx, texts, embed.Document)
	if err != nil {
		return nil, err
	}
	records := make([]vecwire.Record, len(chunks))
	for i := range chunks {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%s#%d", path, i), Text: texts[i], Vector: vectors[i]}
	}
	return records, nil
}
