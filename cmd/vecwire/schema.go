package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "show what a collection holds", GroupID: "look",
		Long: `Shows the schema of a collection: dimension, metric, model, full text and fields.
With --json it is the line with which an export begins.`,
		Example: `vecwire schema
vecwire schema --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCollection(cmd.Context(), func(_ *vecwire.DB, c *vecwire.Collection) error {
				s := c.Schema()
				if a.json {
					return transfer.WriteSchema(a.out, s)
				}
				if err := a.printf("collection %s: %d dimensions, %v, %v, model %q, full text %v\n", s.Name, s.Dim, s.Element, s.Metric, s.Model, s.FullText); err != nil {
					return err
				}
				rows := [][]string{{"FIELD", "TYPE", "INDEX"}}
				for _, f := range s.Fields {
					index := ""
					if f.Index {
						index = "yes"
					}
					rows = append(rows, []string{f.Name, f.Type.String(), index})
				}
				return a.table(rows)
			})
		},
	}
}
