package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

// measuring are the flags of the verbs that measure recall.
type measuring struct {
	vecwire.RecallOptions
	condition string
}

func (o *measuring) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&o.Sample, "sample", 0, fmt.Sprintf("`NUMBER` of records to search for (default %d)", vecwire.DefaultSample))
	flags.IntVarP(&o.K, "k", "k", vecwire.DefaultK, "`NUMBER` of hits that are compared")
	flags.Uint64Var(&o.Seed, "seed", 0, "`NUMBER` that chooses the sample")
	flags.StringVarP(&o.condition, "filter", "f", "", "`CONDITION` of each query")
}

func (o *measuring) check() (err error) {
	o.Filter, err = parseFilter(o.condition)
	return err
}

func (a *app) recall() *cobra.Command {
	var o measuring
	cmd := &cobra.Command{
		Use: "recall [flags]", Short: "measure what the index misses, and what it saves", GroupID: "tune",
		Long: `Searches for records of the collection through the index and without it, and compares:
the mean recall, that of the worst part of the collection, and the times.`,
		Example: `vecwire recall --sample 20
vecwire recall --json -k 5`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := o.check(); err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				r, err := c.Recall(ctx, o.RecallOptions)
				if err != nil {
					return err
				}
				worst := 1.0
				if len(r.Groups) > 0 {
					worst = r.Groups[0].Mean
				} else if r.Queries > 0 {
					worst = r.Mean
				}
				if a.json {
					return a.line(map[string]any{"collection": c.Schema().Name, "queries": r.Queries, "recall": r.Mean, "worst_query": r.Min, "worst_group": worst,
						"approximate": r.Approximate, "index_p50_us": micros(r.Index.P50), "index_p99_us": micros(r.Index.P99),
						"exact_p50_us": micros(r.Exact.P50), "exact_p99_us": micros(r.Exact.P99)})
				}
				if err := a.printf("recall@%d of %s: %.3f; of the worst part of the collection %.3f, of the worst query %.3f\n",
					o.K, plural(r.Queries, "query", "queries"), r.Mean, worst, r.Min); err != nil {
					return err
				}
				if r.Approximate == 0 {
					return a.printf("no index took part: every answer was exact; half of them took %v or less\n", r.Exact.P50)
				}
				return a.table([][]string{{"", "P50", "P95", "P99"},
					{"by the index", r.Index.P50.String(), r.Index.P95.String(), r.Index.P99.String()},
					{"exact", r.Exact.P50.String(), r.Exact.P95.String(), r.Exact.P99.String()}})
			})
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&o.Effort, "effort", 0, "`NUMBER` of candidates that a search of the index looks at (default what tune has found)")
	return cmd
}
