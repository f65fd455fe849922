package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) backup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "copy the whole store while it is in use", GroupID: "move",
		Long: `Writes a copy of an embedded store, as it is at one moment, while others read and write
it. Interrupted, it goes on where it was when it is called again. A server has tools of
its own for that.`,
		Example: `vecwire backup backup.db`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				show, end := a.progressIn("backup", bytesText)
				err := db.Backup(ctx, args[0], vecwire.BackupOptions{Progress: show})
				end()
				if err != nil {
					return err
				}
				if a.json {
					return a.line(map[string]any{"backup": args[0], "bytes": bytesOf(args[0])})
				}
				return a.printf("%s → %s: %s\n", a.settings.DB, args[0], bytesText(bytesOf(args[0])))
			})
		},
	}
}
