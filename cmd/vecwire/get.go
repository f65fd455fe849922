package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func (a *app) get() *cobra.Command {
	var vectors bool
	cmd := &cobra.Command{
		Use: "get [flags] ID|SOURCE...", Short: "show records by ID, or the chunks of a file", GroupID: "look",
		Long: `Shows records by their IDs, or all chunks of a file by its source.
The exit code is 3 if one of them is not there; the others are shown.`,
		Example: `vecwire get docs/guide.md
vecwire get --json docs/guide.md`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			ctx := cmd.Context()
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				missing := 0
				for _, name := range names {
					records, err := c.Get(ctx, name)
					if err != nil {
						return err
					}
					if len(records) == 0 && hasField(c, vecwire.SourceField) {
						if records, err = chunksOf(ctx, c, filter.Eq(vecwire.SourceField, name), vectors); err != nil {
							return err
						}
					}
					if len(records) == 0 {
						missing++
						a.note("vecwire: there is no record, and no source, %q", name)
					}
					for _, r := range records {
						if !vectors {
							r.Vector, r.Vector64 = nil, nil
						}
						if err := a.record(r); err != nil {
							return err
						}
					}
				}
				if missing > 0 {
					return remedy(vecwire.ErrNotFound, "vecwire ls lists IDs and sources")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&vectors, "vectors", false, "show the vectors, too")
	return cmd
}

// record prints a record with its text.
func (a *app) record(r vecwire.Record) error {
	if a.json {
		return a.line(jsonOf(r))
	}
	vector := ""
	switch {
	case r.Vector64 != nil:
		vector = jsonText(r.Vector64) + "\n"
	case r.Vector != nil:
		vector = jsonText(r.Vector) + "\n"
	}
	return a.printf("%s  %s\n%s%s\n", r.ID, fieldsOf(r.Fields), vector, indent(r.Text))
}
