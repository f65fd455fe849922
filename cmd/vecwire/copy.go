package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

func (a *app) copy() *cobra.Command {
	var condition, as string
	cmd := &cobra.Command{
		Use: "copy [flags] SRC DST", Short: "copy collections between databases of any engine", GroupID: "move",
		Long: `Copies a collection from one database to another, or all if --collection names none.
A collection that DST lacks is made with the same schema. Records are compared, so a
copy that was interrupted goes on when it is run again.`,
		Example: `vecwire copy vecwire.db other.db
vecwire copy -c docs --as papers vecwire.db other.db
vecwire copy vecwire.db postgres://user@localhost/app`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			f, err := parseFilter(condition)
			if err != nil {
				return err
			}
			a.settings.DB = args[0]
			return a.with(ctx, func(src *vecwire.DB) (err error) {
				schemas, err := src.Collections(ctx)
				if err != nil {
					return err
				}
				if a.settings.named {
					c, err := a.collection(ctx, src)
					if err != nil {
						return err
					}
					schemas = []vecwire.Schema{c.Schema()}
				} else if as != "" {
					return usagef("--as names one collection: say which by --collection")
				}
				dst, err := a.openURL(ctx, args[1])
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, dst.Close()) }()
				partly := false
				for _, s := range schemas {
					err := a.copied(ctx, dst, src, s, as, transfer.CopyOptions{Filter: f})
					if partly = partly || errors.Is(err, errPartly); err != nil && !errors.Is(err, errPartly) {
						return err
					}
				}
				if partly {
					return errPartly
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&condition, "filter", "f", "", "copy records that pass this `CONDITION` only")
	cmd.Flags().StringVar(&as, "as", "", "`NAME` of the collection in DST")
	return cmd
}

func (a *app) copied(ctx context.Context, dst, src *vecwire.DB, s vecwire.Schema, as string, o transfer.CopyOptions) error {
	from, err := src.OpenCollection(ctx, s.Name)
	if err != nil {
		return err
	}
	if as != "" {
		s.Name = as
	}
	if s.FullText != vecwire.NoFullText && !dst.Capabilities().FullText {
		s.FullText = vecwire.NoFullText
		a.note("%s: the engine %s has no full text: the copy is searched by meaning", s.Name, dst.Capabilities().Engine)
	}
	to, err := dst.OpenCollection(ctx, s.Name)
	if errors.Is(err, vecwire.ErrNotFound) {
		if !dst.Capabilities().Distributed {
			s.Distributed = vecwire.NotDistributed // there it is on one server
		}
		to, err = dst.CreateCollection(ctx, s)
	}
	if err != nil {
		return err
	}
	show, end := a.progress("copying " + s.Name)
	o.Ingest.Progress = show
	report, err := transfer.Copy(ctx, to, from, o)
	end()
	if err != nil {
		return err
	}
	return a.ingested(ingestJSON{Collection: to.Schema().Name, Source: from.Schema().Name}, report)
}
