package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) facet() *cobra.Command {
	var o vecwire.FacetOptions
	var condition string
	cmd := &cobra.Command{
		Use: "facet [flags] FIELD", Short: "count the records of each value of a field", GroupID: "look",
		Long: `Counts how many records have each value of a field, the most frequent first.`,
		Example: `vecwire facet kind
vecwire facet source --limit 5 --filter 'kind == "markdown"'`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			if o.Filter, err = parseFilter(condition); err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				counts, err := c.Facet(ctx, args[0], o)
				if err != nil {
					return err
				}
				rows := [][]string{{args[0], "RECORDS"}}
				for _, n := range counts {
					if a.json {
						if err := a.line(map[string]any{"value": n.Value, "count": n.Count}); err != nil {
							return err
						}
					}
					value := "(none)"
					if n.Value != nil {
						value = fmt.Sprint(n.Value)
					}
					rows = append(rows, []string{value, fmt.Sprint(n.Count)})
				}
				if a.json {
					return nil
				}
				return a.table(rows)
			})
		},
	}
	cmd.Flags().StringVarP(&condition, "filter", "f", "", "`CONDITION` over fields")
	cmd.Flags().IntVar(&o.Limit, "limit", 20, "at most this `NUMBER` of values; 0 for all")
	return cmd
}
