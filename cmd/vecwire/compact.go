package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) compact() *cobra.Command {
	return &cobra.Command{
		Use: "compact", Short: "give the room of deleted records back to the disk", GroupID: "tune",
		Long: `Writes an embedded store again without gaps. Others read it meanwhile, and wait to write.
The disk needs room for twice what the store takes afterwards. A server does this by
itself.`,
		Example: `vecwire compact`,
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				before := a.storeBytes()
				if err := db.Compact(ctx); err != nil {
					return err
				}
				after := a.storeBytes()
				if a.json {
					return a.line(map[string]any{"bytes_before": before, "bytes": after})
				}
				return a.printf("%s: %s → %s\n", a.settings.DB, bytesText(before), bytesText(after))
			})
		},
	}
}

// storeBytes returns how large the store's files are, 0 for one that has none.
func (a *app) storeBytes() int64 {
	file, ok := fileOf(a.settings.DB)
	if !ok {
		return 0
	}
	return bytesOf(file)
}
