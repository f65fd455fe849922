package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) salvage() *cobra.Command {
	return &cobra.Command{
		Use: "salvage FILE", Short: "bring what is whole of a damaged store into a new one", GroupID: "tune",
		Long: `Reads a damaged embedded store, and writes all records that are whole into a new store.
It says what is lost, by collection and record; check names the same before. The damaged
store is not changed. The exit code is 1 if something is lost. Indexes are built again.`,
		Example: `vecwire salvage whole.db`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				report, err := db.Salvage(ctx, args[0])
				if err != nil {
					return err
				}
				return a.printCheck(report)
			})
		},
	}
}
