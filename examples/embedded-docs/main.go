// Embedded-docs is a program that searches its own documentation by meaning of words,
// which it has inside, as a store that was put there when it was compiled:
//
//	go run ./examples/embedded-docs "what does each process see that another process has committed?"
//
// It needs no file, no server and no model at run time. The store is made again by
//
//	go run ./examples/embedded-docs -build docs
//
// which writes examples/embedded-docs/data/docs.db.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/lexical"
	"github.com/vecwire/vecwire/examples/internal/corpus"
)

//go:embed data/docs.db
var files embed.FS

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "embedded-docs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("embedded-docs", flag.ContinueOnError)
	flags.SetOutput(stderr)
	folder := flags.String("build", "", "make the store again, of the texts in `FOLDER`")
	to := flags.String("to", "examples/embedded-docs/data/docs.db", "the `FILE` that is made")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *folder != "" {
		return build(ctx, corpus.Folder{Path: *folder}, *to)
	}
	return search(ctx, strings.Join(flags.Args(), " "), stdout)
}

// build makes the store, and closes it, so that its file has all.
func build(ctx context.Context, folder corpus.Folder, to string) (err error) {
	var words lexical.Fitter
	for text, err := range folder.Texts() {
		if err != nil {
			return err
		}
		words.Add(text)
	}
	e, err := words.Fit(lexical.Options{Dim: dim})
	if err != nil {
		return err
	}
	db, err := vecwire.Open(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	docs, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "docs", Dim: e.Dim(), Model: e.Model(), Fields: corpus.Fields})
	if err != nil {
		return err
	}
	if docs, err = docs.WithEmbedder(e); err != nil {
		return err
	}
	_, err = folder.Sync(ctx, docs, nil)
	return err
}

const dim = 256

// search asks the store inside the program. What the embedder knows of the words, it
// learns from the texts in the store.
func search(ctx context.Context, question string, stdout io.Writer) (err error) {
	db, err := vecwire.Config{FS: files}.Open(ctx, "data/docs.db")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	docs, err := db.OpenCollection(ctx, "docs")
	if err != nil {
		return err
	}
	var words lexical.Fitter
	for r, err := range docs.All(ctx, vecwire.Scan{}) {
		if err != nil {
			return err
		}
		words.Add(r.Text)
	}
	e, err := words.Fit(lexical.Options{Dim: dim})
	if err != nil {
		return err
	}
	if docs, err = docs.WithEmbedder(e); err != nil {
		return err
	}
	hits, err := docs.Search(ctx, vecwire.Query{Text: question, K: 3})
	for _, h := range hits {
		fmt.Fprintf(stdout, "%.2f %s, %s\n", h.Score, h.Fields[vecwire.SourceField], h.Fields["headings"])
	}
	return err
}
