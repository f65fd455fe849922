package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func (a *app) remove() *cobra.Command {
	var condition, source, drop string
	var all, yes bool
	cmd := &cobra.Command{
		Use: "delete [flags] [ID...]", Short: "delete records, or a collection", GroupID: "move",
		Long: `Deletes records by their IDs, those that pass a filter, or those of one file or folder;
or drops a collection with all that is in it. Nothing of it can be had back. With --all it
asks first; where there is no terminal to ask on, --yes is needed.`,
		Example: `vecwire delete docs/guide.md#f00
vecwire delete --source docs/guide.md
vecwire delete --filter 'kind == "html"'`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			ctx := cmd.Context()
			ways := 0
			for _, way := range []bool{len(ids) > 0, condition != "", source != "", all, drop != ""} {
				if way {
					ways++
				}
			}
			if ways != 1 {
				return usagef("say in one way what to delete: IDs, --filter, --source, --all or --drop COLLECTION")
			}
			if drop != "" {
				return a.with(ctx, func(db *vecwire.DB) error {
					if err := db.DropCollection(ctx, drop); err != nil {
						return err
					}
					return a.deleted(map[string]any{"dropped": drop}, "dropped %s\n", drop)
				})
			}
			f, err := parseFilter(condition)
			if err != nil {
				return err
			}
			if source != "" {
				f = filter.Or(filter.Eq(vecwire.SourceField, source), filter.Prefix(vecwire.SourceField, source+"/"))
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				if all && !yes {
					if err := a.allowed(ctx, c); err != nil {
						return err
					}
				}
				var n int
				if len(ids) > 0 {
					n, err = c.Delete(ctx, ids...)
				} else {
					n, err = c.DeleteWhere(ctx, f)
				}
				if err != nil {
					return err
				}
				return a.deleted(map[string]any{"collection": c.Schema().Name, "deleted": n}, "deleted %s\n", count(n, "record"))
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&condition, "filter", "f", "", "`CONDITION` over fields")
	flags.StringVar(&source, "source", "", "the `FILE` or folder whose chunks go")
	flags.BoolVar(&all, "all", false, "every record of the collection")
	flags.BoolVar(&yes, "yes", false, "with --all, do not ask")
	flags.StringVar(&drop, "drop", "", "the `COLLECTION` that goes as a whole")
	return cmd
}

// allowed asks whether all records of a collection may go.
func (a *app) allowed(ctx context.Context, c *vecwire.Collection) error {
	n, err := c.Count(ctx, filter.Filter{})
	if err != nil || a.agreed(fmt.Sprintf("delete all %s of %s?", count(n, "record"), c.Schema().Name)) {
		return err
	}
	return usagef("nothing was deleted: --all needs --yes, or a yes on the terminal")
}

func (a *app) deleted(j map[string]any, format string, args ...any) error {
	if a.json {
		return a.line(j)
	}
	return a.printf(format, args...)
}
