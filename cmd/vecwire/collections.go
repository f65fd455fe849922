package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
)

func (a *app) collections() *cobra.Command {
	return &cobra.Command{
		Use: "collections", Short: "list collections", GroupID: "look",
		Long: `Lists the collections of a database with their numbers of records.
With --json each line has the whole schema, too.`,
		Example: `vecwire collections
vecwire collections --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				schemas, err := db.Collections(ctx)
				if err != nil {
					return err
				}
				rows := [][]string{{"COLLECTION", "RECORDS", "DIM", "MODEL"}}
				for _, s := range schemas {
					c, err := db.OpenCollection(ctx, s.Name)
					if err != nil {
						return err
					}
					n, err := c.Count(ctx, filter.Filter{})
					if err != nil {
						return err
					}
					rows = append(rows, []string{s.Name, strconv.Itoa(n), strconv.Itoa(s.Dim), s.Model})
					if a.json {
						schema, err := transfer.SchemaJSON(s)
						if err != nil {
							return err
						}
						if err := a.line(map[string]any{"collection": s.Name, "records": n, "dim": s.Dim, "model": s.Model, "schema": schema}); err != nil {
							return err
						}
					}
				}
				if a.json {
					return nil
				}
				return a.table(rows)
			})
		},
	}
}
