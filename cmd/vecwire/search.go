package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/cmd/vecwire/internal/folder"
)

// asking are the flags of search.
type asking struct {
	k, offset, context       int
	filter, mode, vector     string
	after                    string
	minScore, meaning, words float64
	diversity                float64
	exact, files, explain    bool
	groupBy                  string
}

func (a *app) search() *cobra.Command {
	var o asking
	cmd := &cobra.Command{
		Use: "search [flags] QUESTION...", Short: "find the records that answer a question", GroupID: "begin",
		Long: `Finds records by the meaning of the question and by its words, and fuses the two
lists. Scores of a hybrid search compare hits of one answer, not of two.`,
		Example: `vecwire search "how do I sail?"
vecwire search -k 3 --filter 'kind == "markdown"' --json how do I sail
vecwire search --files sail
vecwire search --context 1 --explain --mode meaning "how do I sail?"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 0 && o.vector == "" {
				return usagef("a question is needed: vecwire search \"how do I …?\"")
			}
			return a.withCollection(ctx, func(_ *vecwire.DB, c *vecwire.Collection) error {
				c, q, err := a.query(c, strings.Join(args, " "), o)
				if err != nil {
					return err
				}
				results, err := c.SearchMany(ctx, []vecwire.Query{q})
				if err != nil {
					return err
				}
				return a.answer(results[0], q, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&o.k, "k", "k", vecwire.DefaultK, "`NUMBER` of hits")
	flags.IntVar(&o.offset, "offset", 0, "`NUMBER` of the best hits to leave out, for the next page")
	flags.StringVar(&o.after, "after", "", "the page behind this `TOKEN`, as the page before it names it, with --json as \"next\"; not with hybrid or words")
	flags.StringVarP(&o.filter, "filter", "f", "", "`CONDITION` over fields, such as 'lang == \"go\" && year >= 2020'")
	flags.StringVar(&o.mode, "mode", "", "`WAY`: hybrid, meaning or words (default hybrid, where the collection has full text)")
	flags.IntVarP(&o.context, "context", "n", 0, "`NUMBER` of chunks to show before and after each hit, as one text; hits whose chunks touch share it")
	flags.BoolVar(&o.files, "files", false, "print the sources only, each once, the best first")
	flags.BoolVar(&o.explain, "explain", false, "say how the answer was found")
	flags.Float64Var(&o.minScore, "min-score", 0, "leave out hits that score less than this `NUMBER`")
	flags.Float64Var(&o.meaning, "meaning-weight", 1, "`NUMBER` by which the list by meaning counts")
	flags.Float64Var(&o.words, "words-weight", 1, "`NUMBER` by which the list by words counts")
	flags.StringVar(&o.groupBy, "group-by", "", "one hit for each value of this `FIELD`")
	flags.Float64Var(&o.diversity, "diversity", 0, "prefer hits that are unlike each other, by a `NUMBER` from 0 to 1")
	flags.BoolVar(&o.exact, "exact", false, "compare with every record, also if there is an index")
	flags.StringVar(&o.vector, "vector", "", "search for this `VECTOR`, a JSON array, in place of the question's")
	return cmd
}

// query makes the library's query of the flags.
func (a *app) query(c *vecwire.Collection, question string, o asking) (*vecwire.Collection, vecwire.Query, error) {
	f, err := parseFilter(o.filter)
	if err != nil {
		return nil, vecwire.Query{}, err
	}
	q := vecwire.Query{Text: question, K: o.k, Offset: o.offset, After: o.after, Filter: f, MinScore: o.minScore, GroupBy: o.groupBy, Diversity: o.diversity, Exact: o.exact, Around: o.context}
	if o.vector != "" {
		if err := json.Unmarshal([]byte(o.vector), &q.Vector64); err != nil {
			return nil, q, usagef("--vector: want a JSON array of numbers: %v", err)
		}
		if c.Schema().Element == vecwire.FLOAT {
			for _, x := range q.Vector64 {
				q.Vector = append(q.Vector, float32(x))
			}
			q.Vector64 = nil
		}
	}
	fullText := c.Schema().FullText != vecwire.NoFullText
	fusion := &vecwire.Fusion{VectorWeight: o.meaning, TextWeight: o.words}
	switch {
	case o.mode == "words":
		fusion.TextOnly = true
		q.Fusion = fusion
	case o.mode == "hybrid", o.mode == "" && fullText && question != "":
		q.Fusion = fusion
	case o.mode != "meaning" && o.mode != "":
		return nil, q, usagef("--mode %q: want hybrid, meaning or words", o.mode)
	}
	if q.After != "" && q.Fusion != nil {
		return nil, q, usagef("--after: the page behind a token is one of --mode meaning: page a hybrid search by --offset")
	}
	if o.vector == "" && o.mode != "words" {
		c, err = a.embedding(c)
	}
	return c, q, err
}

// answer prints what was found by a query.
func (a *app) answer(r vecwire.Result, q vecwire.Query, o asking) error {
	if o.explain {
		if err := a.plan(r); err != nil {
			return err
		}
	}
	if o.files {
		return a.sources(r.Hits)
	}
	if len(r.Hits) == 0 && !a.json {
		a.note("nothing was found")
	}
	shown := map[*vecwire.Passage]int{} // the number of the hit under which a passage stands
	for i, h := range r.Hits {
		if a.json {
			j := jsonOfHit(h)
			if e := h.Explanation; e != nil && o.explain {
				j.Legs = &legsJSON{e.Vector.Rank, e.Vector.Score, e.Text.Rank, e.Text.Score}
			}
			if i == len(r.Hits)-1 {
				j.Next, _ = next(r.Hits, q)
			}
			if err := a.line(j); err != nil {
				return err
			}
			continue
		}
		number, text := o.offset+i+1, h.Text
		if p := h.Passage; p != nil {
			if first, before := shown[p]; before {
				text = fmt.Sprintf("(in the text of number %d)", first)
			} else {
				shown[p], text = number, p.Text
			}
		}
		if err := a.hit(number, h, text, o.explain); err != nil {
			return err
		}
	}
	if token, full := next(r.Hits, q); full && !a.json {
		if token != "" {
			a.note("the next page: --after %q", token)
		} else {
			a.note("the next page: --offset %d", o.offset+len(r.Hits))
		}
	}
	return nil
}

// next returns the token of the page behind a full one, and whether it is full. Some
// searches have no tokens.
func next(hits []vecwire.Hit, q vecwire.Query) (token string, full bool) {
	if len(hits) == 0 || len(hits) < cmp.Or(q.K, vecwire.DefaultK) {
		return "", false
	}
	return q.Token(hits[len(hits)-1]), true
}

func (a *app) plan(r vecwire.Result) error {
	if a.json {
		return a.line(map[string]any{"plan": map[string]any{
			"path": r.Plan.Path, "index": r.Plan.Index, "effort": r.Plan.Effort, "records": r.Plan.Records, "why": r.Plan.Why, "exact": r.Exact}})
	}
	exact := "approximate"
	if r.Exact {
		exact = "exact"
	}
	index := ""
	if r.Plan.Index != "" {
		index = fmt.Sprintf(", index %s at effort %d", r.Plan.Index, r.Plan.Effort)
	}
	compared := ""
	if r.Plan.Records >= 0 {
		compared = fmt.Sprintf(", %s compared", count(r.Plan.Records, "record"))
	}
	return a.printf("plan: %s (%s)%s%s: %s\n\n", r.Plan.Path, exact, index, compared, r.Plan.Why)
}

// hit prints one hit for people: where it is, how near, and its text or passage.
func (a *app) hit(number int, h vecwire.Hit, text string, explain bool) error {
	legs := ""
	if e := h.Explanation; e != nil && explain {
		legs = fmt.Sprintf("  (by meaning %s, by words %s)", rank(e.Vector), rank(e.Text))
	}
	return a.printf("%d. %s  %.4f%s\n%s\n", number, place(h.Record), h.Score, legs, indent(text))
}

func rank(l vecwire.Leg) string {
	if l.Rank == 0 {
		return "not found"
	}
	return fmt.Sprintf("number %d", l.Rank)
}

// place says where a record is from: its file and line, or else its ID.
func place(r vecwire.Record) string {
	source, chunk := r.Fields[vecwire.SourceField].(string)
	line, hasLine := r.Fields[folder.LineField].(int64)
	switch {
	case chunk && hasLine:
		place := fmt.Sprintf("%s:%d", source, line)
		if headings, _ := r.Fields[folder.HeadingsField].(string); headings != "" {
			place += "  " + headings
		}
		return place
	case len(r.Fields) > 0:
		return r.ID + "  " + fieldsOf(r.Fields)
	}
	return r.ID
}

func indent(text string) string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return ""
	}
	return "   " + strings.ReplaceAll(text, "\n", "\n   ") + "\n"
}

// sources prints each source once.
func (a *app) sources(hits []vecwire.Hit) error {
	seen := map[string]bool{}
	for _, h := range hits {
		source, ok := h.Fields[vecwire.SourceField].(string)
		if !ok || seen[source] {
			continue
		}
		seen[source] = true
		if a.json {
			if err := a.line(map[string]any{"source": source, "score": h.Score}); err != nil {
				return err
			}
		} else if err := a.printf("%s\n", source); err != nil {
			return err
		}
	}
	return nil
}
