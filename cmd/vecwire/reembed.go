package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) reembed() *cobra.Command {
	var o vecwire.ReembedOptions
	cmd := &cobra.Command{
		Use: "reembed [flags]", Short: "give a collection the vectors of another model", GroupID: "move",
		Long: `Embeds all texts again by the model that --embedder names. Searches go on with the old
vectors until the new ones are complete; interrupted, it goes on where it was.`,
		Example: `vecwire reembed
vecwire reembed --embedder openai --embed-url http://localhost:11434/v1 --embed-model nomic-embed-text --embed-dim 768`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			e, err := a.embedder()
			if err != nil {
				return err
			}
			return a.withCollection(ctx, func(db *vecwire.DB, c *vecwire.Collection) error {
				show, end := a.progress("embedding")
				o.Progress = show
				_, report, err := db.Reembed(ctx, c.Schema().Name, e, o)
				end()
				if err != nil {
					return err
				}
				return a.ingested(ingestJSON{Collection: c.Schema().Name, Source: e.Model()}, report)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.In, "in", "", "embed the sources of this one `VECTOR` of the schema again, not the texts")
	flags.StringVar(&o.Keep, "keep", "", "keep the collection with the old vectors under this `NAME`")
	flags.BoolVar(&o.SkipFailed, "skip-failed", false, "leave out records that cannot be embedded")
	return cmd
}
