// Batch-ingest keeps a collection of any engine in step with a folder of texts:
//
//	go run ./examples/batch-ingest docs
//	go run ./examples/batch-ingest -db postgres://app@localhost/app docs
//
// It splits .md, .txt and .jsonl files into chunks, embeds those that are new or
// have changed, and stores them. Kill it and run it again: it goes on where it was.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/examples/internal/bar"
	"github.com/vecwire/vecwire/examples/internal/corpus"
	"github.com/vecwire/vecwire/examples/internal/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "batch-ingest: interrupted; run it again to go on")
		os.Exit(130) // as a shell reports SIGINT
	case err != nil:
		fmt.Fprintln(os.Stderr, "batch-ingest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("batch-ingest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: batch-ingest [-db URL] [-collection NAME] [-embed-url URL ...] FOLDER")
		flags.PrintDefaults()
	}
	url := flags.String("db", "batch-ingest.db", "database `URL`: a file, postgres://… or iris://…")
	name := flags.String("collection", "chunks", "the collection's `NAME`")
	size := flags.Int("chunk", 0, "at most `N` tokens a chunk (default 200)")
	verbose := flags.Bool("v", false, "log to standard error")
	var embedder model.Options
	embedder.Register(flags)
	flags.StringVar(&embedder.File, "words", "batch-ingest.words", "`FILE` that keeps the weights of words, where no server embeds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return errors.New("one folder is needed")
	}

	folder := corpus.Folder{Path: flags.Arg(0), Size: *size}
	e, metric, err := embedder.Open(folder.Texts())
	if err != nil {
		return err
	}
	cfg := vecwire.Config{}
	if *verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	}
	db, err := cfg.Open(ctx, *url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.EnsureCollection(ctx, vecwire.Schema{Name: *name, Dim: e.Dim(), Metric: metric, Model: e.Model(), Fields: corpus.Fields})
	if err != nil {
		return err
	}
	if c, err = c.WithEmbedder(e); err != nil {
		return err
	}

	b := bar.New(stderr)
	report, err := folder.Sync(ctx, c, b.Ingest)
	b.End()
	fmt.Fprintf(stdout, "%d inserted, %d updated, %d unchanged, %d deleted, %d failed; %d texts embedded in %s\n",
		report.Inserted, report.Updated, report.Unchanged, report.Deleted, report.Failed, report.Embedded, report.Elapsed.Round(time.Millisecond))
	return errors.Join(err, report.Err())
}
