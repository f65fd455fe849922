// River ingests files by jobs of a queue, https://riverqueue.com, in PostgreSQL:
//
//	cd examples/river
//	go run . -db "$DATABASE_URL" -ask "transactions" ../../docs/*.md
//
// Each file is a job. Its worker stores a row of the program's own, the file's passages
// and the end of the job in one transaction, by vecwire.WithPgxTx. So the queue, the
// rows and the index never disagree. When all jobs have ended the program answers -ask
// with the nearest passages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/examples/internal/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("river", flag.ContinueOnError)
	flags.SetOutput(stderr)
	url := flags.String("db", os.Getenv("DATABASE_URL"), "`URL` of a PostgreSQL with pgvector")
	ask := flags.String("ask", "", "a `QUESTION` to answer when all files are in")
	var options model.Options
	options.Register(flags)
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	flags.StringVar(&options.File, "words", filepath.Join(cache, "vecwire", "river", "words"), "`FILE` that keeps the weights of words, without -embed-url")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, *url)
	if err != nil {
		return err
	}
	defer pool.Close()
	e, metric, err := options.Open(contents(flags.Args()))
	if err != nil {
		return err
	}
	db, docs, err := prepare(ctx, pool, e, metric)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := ingest(ctx, pool, &IngestWorker{pool: pool, docs: docs, e: e}, flags.Args(), stderr); err != nil {
		return err
	}
	if *ask == "" {
		return nil
	}
	hits, err := docs.Search(ctx, vecwire.Query{Text: *ask, K: 3})
	for _, h := range hits {
		fmt.Fprintf(stdout, "%.2f  %s\n", h.Score, h.ID)
	}
	return err
}

// contents yields the texts of files, for the weights of words.
func contents(paths []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if !yield(string(text), err) {
				return
			}
		}
	}
}

// prepare makes the tables: river's, the program's own, and the collection. A queue,
// rows and vectors share the pool.
func prepare(ctx context.Context, pool *pgxpool.Pool, e vecwire.Embedder, metric vecwire.Metric) (*vecwire.DB, *vecwire.Collection, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, nil, err
	}
	if _, err := pool.Exec(ctx, `CREATE TABLE IF NOT EXISTS files (path text PRIMARY KEY, passages int NOT NULL)`); err != nil {
		return nil, nil, err
	}
	db, err := vecwire.OpenPool(ctx, pool)
	if err != nil {
		return nil, nil, err
	}
	docs, err := db.EnsureCollection(ctx, vecwire.Schema{
		Name: "passages", Dim: e.Dim(), Metric: metric, Model: e.Model(),
		Fields: []vecwire.Field{{Name: vecwire.SourceField, Index: true}},
	})
	if err == nil {
		docs, err = docs.WithEmbedder(e)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, docs, nil
}

// ingest makes a job of each file, works them, and waits until they have ended.
func ingest(ctx context.Context, pool *pgxpool.Pool, w *IngestWorker, paths []string, stderr io.Writer) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}}, Workers: workers,
	})
	if err != nil {
		return err
	}
	events, unsubscribe := client.Subscribe(river.EventKindJobCompleted, river.EventKindJobCancelled, river.EventKindJobFailed)
	defer unsubscribe()
	// All jobs or none: the queue is in the same database.
	waiting := map[int64]string{}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, path := range paths {
			inserted, err := client.InsertTx(ctx, tx, IngestArgs{Path: path}, nil)
			if err != nil {
				return err
			}
			waiting[inserted.Job.ID] = path
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), client.Stop(context.WithoutCancel(ctx)))
		case event := <-events:
			if event.Kind == river.EventKindJobFailed {
				fmt.Fprintln(stderr, "will be tried again:", waiting[event.Job.ID])
				continue
			}
			fmt.Fprintln(stderr, event.Job.State, waiting[event.Job.ID])
			delete(waiting, event.Job.ID)
		}
	}
	return client.Stop(ctx)
}
