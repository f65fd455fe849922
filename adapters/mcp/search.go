package mcp

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
)

type searchIn struct {
	Collection string `json:"collection" jsonschema:"name of the collection, as list shows it"`
	Query      string `json:"query" jsonschema:"what you want to know, in natural language or as key words"`
	K          int    `json:"k,omitempty" jsonschema:"how many records, 1 to 50; default 5"`
	Filter     string `json:"filter,omitempty" jsonschema:"condition over fields, such as: kind == \"go\" && year >= 2020; default all records"`
}

func (t *tools) addSearch(s *sdk.Server) {
	addTool(t, s, &sdk.Tool{
		Name:        "search",
		Description: "Find the records that answer a question, by meaning and by words, the best first. Each has an ID for get, a score, its fields and its text.",
		Annotations: reads("Search"),
	}, t.search)
}

func (t *tools) search(ctx context.Context, in searchIn) (string, error) {
	if in.Query == "" {
		return "", errors.New("query: want a question, got an empty text")
	}
	c, f, k, err := t.choose(ctx, in.Collection, in.Filter, in.K, 5)
	if err != nil {
		return "", err
	}
	q := vecwire.Query{Text: in.Query, K: k, Filter: f}
	c, note, err := t.ask(c, &q)
	if err != nil {
		return "", err
	}
	hits, err := c.Search(ctx, q)
	if err != nil {
		return "", err
	}
	a := newAnswer(t.Tokens)
	a.write(note)
	if len(hits) == 0 {
		a.write("Nothing was found.")
	}
	a.records(len(hits), func(i int) (string, string, int) { return head(hits[i].Record, &hits[i].Score), hits[i].Text, 0 })
	return a.text(), nil
}

// ask completes a query as far as the collection and its model allow: both ways, by
// meaning, or by words, and then it says so.
func (t *tools) ask(c *vecwire.Collection, q *vecwire.Query) (*vecwire.Collection, string, error) {
	s := c.Schema()
	if s.FullText != vecwire.NoFullText {
		q.Fusion = &vecwire.Fusion{}
	}
	why := "this server has no model"
	if t.Embedder != nil {
		with, err := c.WithEmbedder(t.Embedder)
		if err == nil {
			return with, "", nil
		}
		why = fmt.Sprintf("its model is %q, this server's is %q", s.Model, t.Embedder.Model())
	}
	if q.Fusion == nil {
		return nil, "", fmt.Errorf("collection %q cannot be searched: it has no full text, and %s", s.Name, why)
	}
	q.Fusion.TextOnly = true
	return c, fmt.Sprintf("Found by words only: %s.", why), nil
}
