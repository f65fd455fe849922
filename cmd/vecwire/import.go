package main

import (
	"bufio"
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

type importing struct {
	mapping map[string]string
	fields  []string
	records string
	metric  string
	format  string
}

func (a *app) load() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use: "import [flags] FILE|-", Short: "read records from a file: JSONL, CSV, Parquet, .npy or .fvecs", GroupID: "move",
		Long: `Stores the records of a file: what export wrote, or a file of another program with --map,
which says where a name is: --map id=_id,text=body,year=meta.year. Names that are not
mapped are looked for as they are; what is no field is left out. In CSV and Parquet a name
is that of a column; an empty cell of CSV is no value, and lists are JSON. Vectors of a
.npy or .fvecs file go with the JSONL that --records names. A collection that is not
there is made by the file's schema, or by --field. Run again, it goes on.`,
		Example: `vecwire import -c copy backup.jsonl
vecwire import -c articles --map id=_id,text=body,lang=meta.lang --field lang --field year:Int articles.jsonl
vecwire import -c papers --map id=doc_id,vector=embedding --field title --field tags:Strings papers.csv`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			db, err := a.openURL(ctx, a.settings.DB)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			in, closeIn, err := a.input(args[0])
			if err != nil {
				return err
			}
			defer closeIn()
			report, c, err := a.imported(ctx, db, args[0], in, o)
			if err != nil {
				return err
			}
			return a.ingested(ingestJSON{Collection: c.Schema().Name, Source: args[0]}, report)
		},
	}
	flags := cmd.Flags()
	flags.StringToStringVar(&o.mapping, "map", nil, "where names are in the file: `NAME=KEY,NAME=KEY…`, where a key may be a path with dots")
	flags.StringArrayVar(&o.fields, "field", nil, "a field of the collection that is made: `NAME[:TYPE]`, String by default; repeat it for more")
	flags.StringVar(&o.format, "format", "", formatHelp)
	flags.StringVar(&o.records, "records", "", "the JSONL `FILE` that goes with a file of vectors")
	flags.StringVar(&o.metric, "metric", "", "`METRIC` of the collection that is made: cosine, dot or l2 (default cosine)")
	return cmd
}

// input opens a file, or standard input.
func (a *app) input(name string) (in *bufio.Reader, closeIn func(), err error) {
	if name == "-" {
		return bufio.NewReaderSize(a.in, 1<<20), func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return bufio.NewReaderSize(f, 1<<20), func() { _ = f.Close() }, nil
}

func (a *app) imported(ctx context.Context, db *vecwire.DB, name string, in *bufio.Reader, o importing) (vecwire.IngestReport, *vecwire.Collection, error) {
	failed := func(err error) (vecwire.IngestReport, *vecwire.Collection, error) {
		return vecwire.IngestReport{}, nil, err
	}
	format, err := formatOf(name, o.format, formatNPY, formatVecs)
	if err != nil {
		return failed(err)
	}
	f := inFile{format: format, in: in, lines: in}
	switch format {
	case formatNPY, formatVecs:
		if o.records == "" {
			return failed(usagef("%s holds vectors only: name the JSONL with their IDs by --records", name))
		}
		var closeLines func()
		if f.lines, closeLines, err = a.input(o.records); err != nil {
			return failed(err)
		}
		defer closeLines()
	case formatParquet:
		if name == "-" {
			return failed(usagef("a Parquet file is read from its end: name a file instead of -"))
		}
		file, size, err := opened(name)
		if err != nil {
			return failed(err)
		}
		defer file.Close()
		f.file, f.size = file, size
	}
	schema, err := f.schema()
	made := func() (vecwire.Schema, error) { return schema, nil }
	if errors.Is(err, transfer.ErrNoSchema) {
		made, err = func() (vecwire.Schema, error) { return a.schemaOf(f, o) }, nil
	}
	if err != nil {
		return failed(err)
	}
	c, err := a.target(ctx, db, schema.Name, made)
	if err != nil {
		return failed(err)
	}
	show, end := a.progress("importing")
	defer end()
	report, err := c.Ingest(ctx, f.records(c.Schema(), o), vecwire.IngestOptions{Progress: show})
	return report, c, err
}

// target opens the collection that was named, or else the one of the file's schema, and
// makes it by that schema if it is not there. It has the settings' embedder if that is of its model.
func (a *app) target(ctx context.Context, db *vecwire.DB, name string, made func() (vecwire.Schema, error)) (*vecwire.Collection, error) {
	if a.settings.named || name == "" {
		name = a.settings.Collection
	}
	c, err := db.OpenCollection(ctx, name)
	if errors.Is(err, vecwire.ErrNotFound) {
		var schema vecwire.Schema
		if schema, err = made(); err != nil {
			return nil, err
		}
		schema.Name = name
		if !db.Capabilities().Distributed {
			schema.Distributed = vecwire.NotDistributed // here it is on one server
		}
		c, err = db.CreateCollection(ctx, schema)
	}
	if err != nil {
		return nil, err
	}
	if c.Schema().Model == "" {
		return c, nil
	}
	e, err := a.embedder()
	if err != nil {
		return nil, err
	}
	if e.Model() != c.Schema().Model || e.Dim() != c.Schema().Dim {
		return c, nil // its records bring their vectors; one that does not is refused
	}
	return c.WithEmbedder(e)
}
