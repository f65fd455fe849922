package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
	"github.com/vecwire/vecwire/transfer/parquet"
)

func (a *app) export() *cobra.Command {
	var condition, vectors, named string
	var noVectors bool
	var mapping map[string]string
	cmd := &cobra.Command{
		Use: "export [flags] [FILE]", Short: "write records to a file: JSONL, CSV or Parquet", GroupID: "move",
		Long: `Writes the schema and then a JSON object a line for each record; import reads it back,
bit for bit. Without FILE, or with -, it writes to standard output. Vectors may go to a
file of their own that NumPy (.npy) or FAISS (.fvecs) reads. --map gives the parts of a
record other names, for other programs; the schema is then left out, and so it is of CSV.`,
		Example: `vecwire export backup.jsonl
vecwire export --no-vectors --filter 'kind == "markdown"'
vecwire export --vectors vectors.npy records.jsonl
vecwire export --map id=doc_id,vector=embedding,source=meta.path articles.jsonl
vecwire export articles.parquet`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			f, err := parseFilter(condition)
			if err != nil {
				return err
			}
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			format, err := formatOf(name, named)
			if err != nil {
				return err
			}
			o := transfer.Options{Filter: f, NoVectors: noVectors, Comma: commaOf(format)}
			if len(mapping) > 0 {
				names := namesOf(mapping)
				o.Names = &names
			}
			if ext := filepath.Ext(vectors); vectors != "" && ext != ".npy" && ext != ".fvecs" {
				return usagef("--vectors %q: want a file that ends in .npy or .fvecs", vectors)
			}
			if vectors != "" && noVectors {
				return usagef("--vectors and --no-vectors exclude each other")
			}
			if vectors != "" && format != formatJSONL {
				return usagef("--vectors goes with JSONL, and %s is %s", name, format)
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				if name == "-" {
					_, err := written(ctx, a.out, format, vectors, c, o)
					return err
				}
				n, err := intoFile(name, func(w io.Writer) (int, error) { return written(ctx, w, format, vectors, c, o) })
				if err != nil {
					return err
				}
				if a.json {
					return a.line(map[string]any{"collection": c.Schema().Name, "file": name, "records": n})
				}
				return a.printf("%s → %s: %s\n", c.Schema().Name, name, count(n, "record"))
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&condition, "filter", "f", "", "`CONDITION` over fields")
	flags.StringVar(&named, "format", "", formatHelp)
	flags.StringToStringVar(&mapping, "map", nil, "what names are in the file: `NAME=KEY,NAME=KEY…`, where a key may be a path with dots")
	flags.StringVar(&vectors, "vectors", "", "write the vectors to this `FILE`, .npy or .fvecs")
	flags.BoolVar(&noVectors, "no-vectors", false, "leave the vectors out; import makes them again")
	return cmd
}

// written writes the schema and the records, and the vectors to a file if it is named.
func written(ctx context.Context, w io.Writer, format, vectors string, c *vecwire.Collection, o transfer.Options) (int, error) {
	switch format {
	case formatCSV, formatTSV:
		return transfer.WriteCSV(ctx, w, c, o)
	case formatParquet:
		return parquet.Write(ctx, w, c, o)
	}
	if o.Names == nil { // else it is for a program that knows no schema
		if err := transfer.WriteSchema(w, c.Schema()); err != nil {
			return 0, err
		}
	}
	if vectors == "" {
		return transfer.WriteJSONL(ctx, w, c, o)
	}
	write := transfer.WriteVecs
	if filepath.Ext(vectors) == ".npy" {
		write = transfer.WriteNPY
	}
	return intoFile(vectors, func(v io.Writer) (int, error) { return write(ctx, v, w, c, o) })
}

// intoFile writes a file beside its place and moves it there when it is whole, so that
// an export that fails leaves the earlier one. What is not a file, such as a pipe, is
// written to as it is.
func intoFile(name string, write func(io.Writer) (int, error)) (n int, err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return 0, err
		}
		n, err := write(f)
		return n, errors.Join(err, f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return 0, err
	}
	if n, err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return n, err
}
