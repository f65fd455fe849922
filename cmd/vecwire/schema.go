package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "show what a collection holds", GroupID: "look",
		Long: `Shows the schema of a collection: dimension, metric, model, full text, bounds, fields
with their indexes and paths, and named vectors.
With --json it is the line with which an export begins.`,
		Example: `vecwire schema
vecwire schema --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCollection(cmd.Context(), func(_ *vecwire.DB, c *vecwire.Collection) error {
				s := c.Schema()
				if a.json {
					return transfer.WriteSchema(a.out, s)
				}
				return a.describe(s)
			})
		},
	}
}

// describe prints all of a schema for people.
func (a *app) describe(s vecwire.Schema) error {
	line := fmt.Sprintf("collection %s: %d dimensions, %v, %v, model %q, full text %v", s.Name, s.Dim, s.Element, s.Metric, s.Model, s.FullText)
	if s.Extra != "" {
		line += ", other values in " + s.Extra
	}
	if s.MaxRecords > 0 {
		line += fmt.Sprintf(", at most %s", count(s.MaxRecords, "record"))
	}
	if s.Distributed != vecwire.NotDistributed {
		line += fmt.Sprintf(", distributed by %v", s.Distributed)
	}
	if s.Index == vecwire.NoIndex {
		line += ", no index by itself"
	}
	if s.Codes != vecwire.SevenBits {
		line += fmt.Sprintf(", %v codes", s.Codes)
	}
	if err := a.printf("%s\n", line); err != nil {
		return err
	}
	rows := [][]string{{"FIELD", "TYPE", "INDEX"}}
	for _, f := range s.Fields {
		var index []string
		if f.Index {
			index = append(index, "yes")
		}
		if f.Expires {
			index = append(index, "expires")
		}
		rows = append(rows, []string{f.Name, f.Type.String(), strings.Join(append(index, f.Paths...), ", ")})
	}
	if err := a.table(rows); err != nil || len(s.Vectors) == 0 {
		return err
	}
	rows = [][]string{{"VECTOR", "DIM", "METRIC", "MODEL", "OF"}}
	for _, v := range s.Vectors {
		rows = append(rows, []string{v.Name, strconv.Itoa(v.Dim), v.Metric.String(), v.Model, cmp.Or(v.Source, "the text")})
	}
	return a.table(rows)
}
