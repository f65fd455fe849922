package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) tune() *cobra.Command {
	var o measuring
	var wanted float64
	cmd := &cobra.Command{
		Use: "tune [flags]", Short: "set the index to the recall that you want", GroupID: "tune",
		Long: `Finds the least effort with which searches reach a recall on the collection's own
records, and keeps it in the database for all later searches.`,
		Example: `vecwire tune --recall 0.95`,
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := o.check(); err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				r, err := c.Tune(ctx, vecwire.TuneOptions{Recall: wanted, Measure: o.RecallOptions})
				if err != nil {
					return err
				}
				rows := [][]string{{"EFFORT", "RECALL", "P50", "P99"}}
				for _, step := range r.Tried {
					rows = append(rows, []string{strconv.Itoa(step.Effort), fmt.Sprintf("%.4f", step.Recall), step.Index.P50.String(), step.Index.P99.String()})
					if a.json {
						if err := a.line(map[string]any{"effort": step.Effort, "recall": step.Recall, "p50_us": micros(step.Index.P50), "p99_us": micros(step.Index.P99)}); err != nil {
							return err
						}
					}
				}
				if a.json {
					return a.line(map[string]any{"collection": c.Schema().Name, "effort": r.Effort, "recall": r.Recall, "wanted": wanted})
				}
				if err := a.table(rows); err != nil {
					return err
				}
				return a.printf("searches use effort %d, which gives a recall of %.4f\n", r.Effort, r.Recall)
			})
		},
	}
	cmd.Flags().Float64Var(&wanted, "recall", vecwire.DefaultRecall, "the mean recall that is wanted, a `NUMBER` up to 1")
	o.register(cmd)
	return cmd
}
