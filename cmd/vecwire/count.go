package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) count() *cobra.Command {
	var condition string
	cmd := &cobra.Command{
		Use: "count [flags]", Short: "count records", GroupID: "look",
		Long: `Counts the records of a collection, or those that pass a filter.`,
		Example: `vecwire count
vecwire count --filter 'prefix(source, "docs/")'`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			f, err := parseFilter(condition)
			if err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				n, err := c.Count(ctx, f)
				switch {
				case err != nil:
					return err
				case a.json:
					return a.line(map[string]any{"collection": c.Schema().Name, "count": n})
				}
				return a.printf("%d\n", n)
			})
		},
	}
	cmd.Flags().StringVarP(&condition, "filter", "f", "", "`CONDITION` over fields")
	return cmd
}
