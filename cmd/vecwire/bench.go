package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/cmd/vecwire/internal/chart"
	"github.com/vecwire/vecwire/embed"
)

// efforts are those that bench measures, as far as the index takes them.
var efforts = []int{10, 20, 40, 80, 160, 320, 640}

func (a *app) bench() *cobra.Command {
	var o measuring
	var svg, questions string
	cmd := &cobra.Command{
		Use: "bench [flags]", Short: "plot recall against time on your own data", GroupID: "tune",
		Long: `Measures searches of a collection on this machine, one after another: exact ones, and
through the index with one effort after the other. Records of the collection are
searched for, or the questions of a file, one a line, which tell more.`,
		Example: `vecwire bench --sample 20
vecwire bench --questions questions.txt --svg recall.svg`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := o.check(); err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				if questions != "" {
					vectors, err := a.embedLines(ctx, questions)
					if err != nil {
						return err
					}
					o.Queries, o.Sample = vectors, 0
				}
				points, err := a.measure(ctx, c, o)
				if err != nil || svg == "" {
					return err
				}
				f, err := os.Create(svg)
				if err != nil {
					return err
				}
				title := fmt.Sprintf("%s: recall@%d against the median time of a search", c.Schema().Name, o.K)
				return errors.Join(chart.Write(f, title, "recall", "milliseconds", points), f.Close())
			})
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&questions, "questions", "", "search for the questions in this `FILE`, one a line")
	cmd.Flags().StringVar(&svg, "svg", "", "draw the plot into this `FILE`")
	return cmd
}

// measure prints a row for the exact search and for each effort.
func (a *app) measure(ctx context.Context, c *vecwire.Collection, o measuring) ([]chart.Point, error) {
	var points []chart.Point
	rows := [][]string{{"SEARCH", "RECALL", "P50", "P95", "P99", "A SECOND"}}
	row := func(name string, recall float64, l vecwire.Latency) error {
		points = append(points, chart.Point{X: recall, Y: l.P50.Seconds() * 1000, Label: name})
		perSecond := 0.0
		if l.P50 > 0 {
			perSecond = 1 / l.P50.Seconds()
		}
		if a.json {
			return a.line(map[string]any{"collection": c.Schema().Name, "search": name, "k": o.K, "recall": recall,
				"p50_us": micros(l.P50), "p95_us": micros(l.P95), "p99_us": micros(l.P99)})
		}
		rows = append(rows, []string{name, fmt.Sprintf("%.4f", recall), l.P50.String(), l.P95.String(), l.P99.String(), fmt.Sprintf("%.0f", perSecond)})
		return nil
	}
	for i, effort := range efforts {
		o.Effort = max(effort, o.K)
		if i > 0 && o.Effort == max(efforts[i-1], o.K) {
			continue
		}
		r, err := c.Recall(ctx, o.RecallOptions)
		if err != nil {
			return nil, err
		}
		if len(points) == 0 {
			if err := row("exact", 1, r.Exact); err != nil {
				return nil, err
			}
		}
		if r.Approximate == 0 {
			break // no index, or looking at all records was less work
		}
		if err := row(fmt.Sprintf("effort %d", o.Effort), r.Mean, r.Index); err != nil {
			return nil, err
		}
	}
	if a.json {
		return points, nil
	}
	if err := a.table(rows); err != nil {
		return nil, err
	}
	if len(points) == 1 {
		return points, a.printf("no index took part: vecwire index builds one\n")
	}
	return points, nil
}

// embedLines embeds the lines of a file as questions.
func (a *app) embedLines(ctx context.Context, name string) ([][]float32, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if line := strings.TrimSpace(scan.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s has no questions", name)
	}
	e, err := a.embedder()
	if err != nil {
		return nil, err
	}
	return e.Embed(ctx, lines, embed.Query)
}
