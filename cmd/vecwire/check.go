package main

import (
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

type checkJSON struct {
	Collections []checkedJSON `json:"collections"`
	Problems    []problemJSON `json:"problems"`
	Total       int           `json:"total"`
}

type checkedJSON struct {
	Name    string `json:"name"`
	Records int    `json:"records"`
}

type problemJSON struct {
	Collection string `json:"collection,omitempty"`
	ID         string `json:"id,omitempty"`
	What       string `json:"what"`
}

func (a *app) check() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "compare all that the store keeps of its records", GroupID: "tune",
		Long: `Reads the whole of an embedded store, which others may read and write meanwhile, and
says what is wrong, by collection and record: SQLite's pages, vectors, texts, the indexes
over words, fields and vectors. It changes nothing. The exit code is 1 if there is a
problem. A server has tools of its own for that.`,
		Example: `vecwire check
vecwire check --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				report, err := db.Check(ctx)
				if err != nil {
					return err
				}
				return a.printCheck(report)
			})
		},
	}
}

// printCheck tells what was found, and returns errProblems if there are problems.
func (a *app) printCheck(report vecwire.CheckReport) error {
	if err := a.printFindings(report); err != nil {
		return err
	}
	if report.Total > 0 {
		return errProblems
	}
	return nil
}

func (a *app) printFindings(report vecwire.CheckReport) error {
	if a.json {
		j := checkJSON{Collections: []checkedJSON{}, Problems: []problemJSON{}, Total: report.Total}
		for _, c := range report.Collections {
			j.Collections = append(j.Collections, checkedJSON(c))
		}
		for _, p := range report.Problems {
			j.Problems = append(j.Problems, problemJSON(p))
		}
		return a.line(j)
	}
	for _, c := range report.Collections {
		if err := a.printf("%s: %d records read\n", c.Name, c.Records); err != nil {
			return err
		}
	}
	for _, p := range report.Problems {
		where := "the file"
		if p.Collection != "" {
			where = p.Collection
		}
		if p.ID != "" {
			where += " " + p.ID
		}
		if err := a.printf("problem: %s: %s\n", where, p.What); err != nil {
			return err
		}
	}
	return a.printf("%d problems\n", report.Total)
}
