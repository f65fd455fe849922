package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/cmd/vecwire/internal/folder"
)

// reading are the flags of the verbs that read folders.
type reading struct {
	tree     folder.Tree
	move     bool
	fullText string
}

func (o *reading) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.tree.Name, "as", "", "`NAME` that stands for the folder in sources (default the folder as written)")
	flags.StringVar(&o.tree.Kind, "kind", "", "read every file as this `KIND`: text, markdown, html, pdf, jsonl, csv, go, …")
	flags.IntVar(&o.tree.Chunk.Size, "size", 0, "at most this `NUMBER` of tokens a chunk (default 200)")
	flags.IntVar(&o.tree.Chunk.Overlap, "overlap", 0, "`NUMBER` of tokens that chunks share")
	flags.Int64Var(&o.tree.MaxBytes, "max-bytes", folder.DefaultMaxBytes, "leave out files of text larger than this `NUMBER` of bytes")
	flags.BoolVar(&o.tree.Hidden, "hidden", false, "read names that begin with a dot, too")
	flags.BoolVar(&o.tree.NoIgnore, "no-ignore", false, "read what .gitignore leaves out, too")
	flags.BoolVar(&o.move, "move", false, "the folder has moved: take over the records of the old one")
	flags.StringVar(&o.fullText, "full-text", "", "`KIND` of index over words: words, english or none (default english for builtin, else words)")
}

func (o *reading) check() error {
	if o.tree.Kind != "" && !folder.IsKind(o.tree.Kind) {
		return usagef("--kind %q: want text, markdown, html, pdf, jsonl, csv, tsv, or a language such as go", o.tree.Kind)
	}
	if _, ok := fullTexts[o.fullText]; !ok && o.fullText != "" {
		return usagef("--full-text %q: want words, english or none", o.fullText)
	}
	return nil
}

var fullTexts = map[string]vecwire.FullText{"words": vecwire.Words, "english": vecwire.English, "none": vecwire.NoFullText}

func (a *app) add() *cobra.Command {
	var o reading
	var dryRun bool
	cmd := &cobra.Command{
		Use: "add [flags] DIR|FILE|-...", Short: "read folders and files", GroupID: "begin",
		Long: `Reads folders and files, cuts them into chunks and stores these with their vectors.
Run again, it embeds only what has changed, and removes what is gone; interrupted, it
goes on. It heeds .gitignore, follows no link out of the folder, and leaves out hidden
and binary files and .svg pictures. PDF is read by the page, one that is damaged, scanned
or has a password is left out. - reads standard input.`,
		Example: `vecwire add docs
vecwire add --as notes docs/guide.md
vecwire add --kind markdown - < docs/guide.md`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) (err error) {
			ctx := cmd.Context()
			if err := o.check(); err != nil {
				return err
			}
			db, err := a.openURL(ctx, a.settings.DB)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			c, err := a.filled(ctx, db, &o)
			if err != nil {
				return err
			}
			partly := false
			for _, path := range paths {
				tree := o.tree
				tree.Path = path
				report, syncErr := a.read(ctx, c, tree, o.move, dryRun)
				if syncErr != nil && report.Done() == 0 {
					return syncErr
				}
				err := a.addedTo(c, path, report, dryRun)
				partly = partly || errors.Is(err, errPartly)
				if syncErr != nil {
					return syncErr
				}
				if err != nil && !partly {
					return err
				}
			}
			if partly {
				return errPartly
			}
			return nil
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "read and count, and store nothing")
	return cmd
}

// filled opens the collection for chunks, or makes it, with its embedder.
func (a *app) filled(ctx context.Context, db *vecwire.DB, o *reading) (*vecwire.Collection, error) {
	e, err := a.embedder()
	if err != nil {
		return nil, err
	}
	schema := vecwire.Schema{Name: a.settings.Collection, Dim: e.Dim(), Model: e.Model(), Fields: folder.Fields}
	if o.fullText == "" && db.Capabilities().FullText {
		schema.FullText = vecwire.Words
		if a.settings.Embedder == "" || a.settings.Embedder == "builtin" {
			schema.FullText = vecwire.English
		}
	} else {
		schema.FullText = fullTexts[o.fullText]
	}
	if there, err := db.OpenCollection(ctx, schema.Name); err == nil && o.fullText == "" {
		schema.FullText = there.Schema().FullText
	}
	if counts, ok := e.(counter); ok && o.tree.Chunk.Count == nil {
		o.tree.Chunk.Count = counts.CountTokens
	}
	c, err := db.EnsureCollection(ctx, schema)
	if err != nil {
		if _, other := errors.AsType[*vecwire.SchemaError](err); other {
			err = remedy(err, "the collection was made for something else: give the files one of their own by --collection, "+
				"or name its model by --embedder")
		}
		return nil, err
	}
	return c.WithEmbedder(e)
}

// read brings the collection up to date with one tree, or with standard input.
func (a *app) read(ctx context.Context, c *vecwire.Collection, tree folder.Tree, move, dryRun bool) (folder.Report, error) {
	if tree.Path == "-" {
		return a.readInput(ctx, c, tree)
	}
	if file, ok := fileOf(a.settings.DB); ok {
		tree.Store = file
	}
	show, end := a.progress("adding " + tree.Path)
	defer end()
	report, err := folder.Sync(ctx, c, tree, folder.Options{Move: move, DryRun: dryRun, Ingest: vecwire.IngestOptions{Progress: show}})
	if other, ok := errors.AsType[*folder.OriginError](err); ok {
		err = remedy(err, "give this one another name by --as NAME; if it is the same folder in another place, pass --move: %s", other.Source)
	}
	return report, err
}

// readInput reads standard input as one file.
func (a *app) readInput(ctx context.Context, c *vecwire.Collection, tree folder.Tree) (folder.Report, error) {
	f := folder.File{Source: tree.Name, Kind: tree.Kind, Open: func() (io.ReadCloser, error) { return io.NopCloser(a.in), nil }}
	if f.Source == "" {
		f.Source = "stdin"
	}
	if f.Kind == "" {
		f.Kind = folder.KindOf(f.Source)
	}
	var records []vecwire.Record
	for r, err := range f.Records(ctx, "stdin", tree.Chunk) {
		if err != nil {
			return folder.Report{}, err
		}
		records = append(records, r)
	}
	report, err := c.ReplaceSource(ctx, f.Source, records...)
	return folder.Report{IngestReport: report, Files: 1}, err
}

// addedTo prints what became of one tree.
func (a *app) addedTo(c *vecwire.Collection, path string, r folder.Report, dryRun bool) error {
	skipped := map[string]int{}
	for reason, n := range r.Skipped {
		skipped[string(reason)] = n
	}
	if !a.json {
		for _, reason := range slices.Sorted(maps.Keys(skipped)) {
			a.note("left out, %s: %s", reason, count(skipped[reason], "file"))
		}
	}
	if a.verbose {
		for _, skip := range r.Skips {
			a.note("%v", skip)
		}
	}
	if dryRun {
		if a.json {
			return a.line(map[string]any{"source": path, "files": r.Files, "chunks": r.Chunks, "skipped": skipped})
		}
		return a.printf("%s: %s in %s\n", path, count(r.Chunks, "chunk"), count(r.Files, "file"))
	}
	err := a.ingested(ingestJSON{Collection: c.Schema().Name, Source: path, Files: r.Files, Skipped: skipped}, r.IngestReport)
	if err != nil && !errors.Is(err, errPartly) {
		err = fmt.Errorf("report: %w", err)
	}
	return err
}
