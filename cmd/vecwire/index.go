package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

var compressions = map[string]vecwire.Compress{"none": vecwire.NoCompression, "half": vecwire.HalfPrecision, "bits": vecwire.Bits}

func (a *app) index() *cobra.Command {
	var o vecwire.IndexOptions
	var list bool
	var drop, compress, where, method string
	cmd := &cobra.Command{
		Use: "index [flags]", Short: "build, list or drop the index over the vectors", GroupID: "tune",
		Long: `Builds an approximate index (HNSW). Searches then take microseconds and may miss a
record: recall measures how many. Tens of thousands of records do well without.

PostgreSQL also has indexes over the records that pass a filter, for searches with
that filter; over the first elements of vectors that can be cut off (Matryoshka); and
those of the extensions pgvectorscale (diskann) and VectorChord (vchordrq).`,
		Example: `vecwire index
vecwire index --list
vecwire index --m 24 --ef-construction 300
vecwire index --db postgres://user@localhost/app --where 'kind == "markdown"' --dims 64`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			kind, ok := compressions[compress]
			if !ok {
				return usagef("--compress %q: want none, half or bits", compress)
			}
			o.Compress, o.Method = kind, vecwire.IndexMethod(method)
			var err error
			if o.Where, err = parseFilterOf("where", where); err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				switch {
				case list:
				case drop != "":
					if err := c.DropIndex(ctx, drop); err != nil {
						return err
					}
				default:
					show, end := a.progress("indexing")
					o.Progress = show
					err := c.BuildIndex(ctx, o)
					end()
					if err != nil {
						return err
					}
				}
				indexes, err := c.Indexes(ctx)
				if err != nil {
					return err
				}
				rows := [][]string{{"INDEX", "KIND", "M", "EF-CONSTRUCTION", "BYTES", "COMPRESS", "DIMS", "WHERE", "VALID"}}
				for _, i := range indexes {
					rows = append(rows, []string{i.Name, i.Kind, strconv.Itoa(i.M), strconv.Itoa(i.EfConstruction), strconv.FormatInt(i.Bytes, 10), i.Compress.String(), strconv.Itoa(i.Dims), i.Where, fmt.Sprint(i.Valid)})
					if a.json {
						if err := a.line(map[string]any{"index": i.Name, "kind": i.Kind, "m": i.M, "ef_construction": i.EfConstruction, "bytes": i.Bytes,
							"compress": i.Compress.String(), "dims": i.Dims, "where": i.Where, "valid": i.Valid}); err != nil {
							return err
						}
					}
				}
				switch {
				case a.json:
					return nil
				case len(indexes) == 0:
					return a.printf("no index: every search compares all records\n")
				}
				return a.table(rows)
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&list, "list", false, "list the indexes, and build none")
	flags.StringVar(&drop, "drop", "", "drop the index of this `NAME`")
	flags.IntVar(&o.M, "m", 0, "`NUMBER` of links of a node (default 16)")
	flags.IntVar(&o.EfConstruction, "ef-construction", 0, "`NUMBER` of candidates looked at for each node (default 64, embedded 200)")
	flags.IntVar(&o.Workers, "workers", 0, "`NUMBER` of workers that build")
	flags.Int64Var(&o.MemoryBytes, "memory", 0, "`BYTES` that building may take on PostgreSQL")
	flags.StringVar(&where, "where", "", "`CONDITION` of the records that the index is over, on PostgreSQL")
	flags.IntVar(&o.Dims, "dims", 0, "`NUMBER` of first elements that the index is over, on PostgreSQL (default all)")
	flags.StringVar(&method, "method", "", "`KIND` of index: hnsw, diskann or vchordrq (default \"hnsw\")")
	flags.StringVar(&compress, "compress", "none", "`KIND` of copies that PostgreSQL indexes in place of vectors: none, half or bits")
	return cmd
}
