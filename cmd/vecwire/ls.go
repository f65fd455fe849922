package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
)

func (a *app) ls() *cobra.Command {
	var condition, after string
	var scan vecwire.Scan
	var limit int
	var sources bool
	cmd := &cobra.Command{
		Use: "ls [flags]", Short: "list records, or the sources that they came from", GroupID: "look",
		Long: `Lists records in the order of their IDs, or of a field, each with the beginning of its
text.`,
		Example: `vecwire ls --sources
vecwire ls --limit 2 --filter 'kind == "markdown"'
vecwire ls --order-by line --desc
vecwire ls --json --after docs/guide.md`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			f, err := parseFilter(condition)
			if err != nil {
				return err
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				if sources && !hasField(c, vecwire.SourceField) {
					return usagef("--sources: the collection %s has no field %q", c.Schema().Name, vecwire.SourceField)
				}
				chunks, order := map[string]int{}, []string{}
				n, last := 0, vecwire.Record{}
				scan.Filter, scan.After = f, after
				for r, err := range c.All(ctx, scan) {
					if err != nil {
						return err
					}
					if sources {
						source, _ := r.Fields[vecwire.SourceField].(string)
						if chunks[source]++; chunks[source] == 1 {
							order = append(order, source)
						}
						continue
					}
					if n == limit && limit > 0 {
						if !a.json {
							a.note("more: --limit 0, or --after %q", scan.Token(last))
						}
						break
					}
					n, last = n+1, r
					if err := a.listed(r); err != nil {
						return err
					}
				}
				for _, source := range order {
					if err := a.source(source, chunks[source]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&condition, "filter", "f", "", "`CONDITION` over fields")
	flags.StringVar(&after, "after", "", "begin after this `ID`, or with --order-by after what the end of a list says")
	flags.StringVar(&scan.OrderBy, "order-by", "", "order by this `FIELD`")
	flags.BoolVar(&scan.Desc, "desc", false, "the greatest values first")
	flags.IntVar(&limit, "limit", 100, "at most this `NUMBER` of records; 0 for all")
	flags.BoolVar(&sources, "sources", false, "list sources, each with its number of chunks")
	return cmd
}

func (a *app) listed(r vecwire.Record) error {
	if a.json {
		return a.line(jsonOf(r))
	}
	text := strings.Join(strings.Fields(r.Text), " ")
	if utf8.RuneCountInString(text) > 60 {
		text = string([]rune(text)[:59]) + "…"
	}
	return a.printf("%s  %s\n", r.ID, text)
}

func (a *app) source(source string, chunks int) error {
	if a.json {
		return a.line(map[string]any{"source": source, "chunks": chunks})
	}
	return a.printf("%s  %s\n", source, fmt.Sprintf("(%s)", count(chunks, "chunk")))
}
