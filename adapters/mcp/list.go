package mcp

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

type listIn struct {
	Collection string `json:"collection,omitempty" jsonschema:"name of the collection; default: list the collections"`
	Filter     string `json:"filter,omitempty" jsonschema:"condition over fields, such as: kind == \"go\" && year >= 2020; default all records"`
	After      string `json:"after,omitempty" jsonschema:"begin after this ID, to go on where a list ended"`
	K          int    `json:"k,omitempty" jsonschema:"how many records, 1 to 50; default 20"`
}

func (t *tools) addList(s *sdk.Server) {
	addTool(t, s, &sdk.Tool{
		Name:        "list",
		Description: "List what there is: collections with their fields, or the records of one in the order of their IDs, each with the beginning of its text.",
		Annotations: reads("List"),
	}, t.list)
}

func (t *tools) list(ctx context.Context, in listIn) (string, error) {
	if in.Collection == "" && t.Collection == "" {
		return t.collections(ctx)
	}
	c, f, k, err := t.choose(ctx, in.Collection, in.Filter, in.K, 20)
	if err != nil {
		return "", err
	}
	n, err := c.Count(ctx, f)
	if err != nil {
		return "", err
	}
	a := newAnswer(t.Tokens)
	a.write(about(c.Schema(), n))
	shown, last := 0, ""
	for r, err := range c.All(ctx, vecwire.Scan{Filter: f, After: in.After}) {
		if err != nil {
			return "", err
		}
		if shown == k || a.left <= 0 {
			a.write(fmt.Sprintf("(more: list after %q)", last))
			break
		}
		a.write(head(r, nil) + " " + short(strings.Join(strings.Fields(r.Text), " "), 80))
		shown, last = shown+1, r.ID
	}
	return a.text(), nil
}

func (t *tools) collections(ctx context.Context) (string, error) {
	schemas, err := t.schemas(ctx)
	if err != nil {
		return "", err
	}
	a := newAnswer(t.Tokens)
	if len(schemas) == 0 {
		a.write("There is no collection.")
	}
	for _, s := range schemas {
		c, err := t.open(ctx, s.Name)
		if err != nil {
			return "", err
		}
		n, err := c.Count(ctx, filter.Filter{})
		if err != nil {
			return "", err
		}
		a.write(about(s, n))
	}
	return a.text(), nil
}

// about is the line about a collection.
func about(s vecwire.Schema, n int) string {
	var fields []string
	for _, f := range s.Fields {
		fields = append(fields, f.Name+" "+f.Type.String())
	}
	line := fmt.Sprintf("collection %q: %d records", s.Name, n)
	if len(fields) > 0 {
		line += "; fields for filters: " + strings.Join(fields, ", ")
	}
	return line
}
