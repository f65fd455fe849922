package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
)

type getIn struct {
	Collection string   `json:"collection" jsonschema:"name of the collection, as list shows it"`
	IDs        []string `json:"ids" jsonschema:"IDs of records, as search and list show them; 1 to 50"`
	Offset     int      `json:"offset,omitempty" jsonschema:"byte of the text to begin at, to read on where an answer was cut; default 0"`
}

func (t *tools) addGet(s *sdk.Server) {
	addTool(t, s, &sdk.Tool{
		Name:        "get",
		Description: "Read records by their IDs: fields and text.",
		Annotations: reads("Get"),
	}, t.get)
}

func (t *tools) get(ctx context.Context, in getIn) (string, error) {
	if len(in.IDs) == 0 || len(in.IDs) > MaxK {
		return "", fmt.Errorf("ids: want 1 to %d, got %d", MaxK, len(in.IDs))
	}
	if in.Offset < 0 {
		return "", errors.New("offset: want 0 or more")
	}
	c, err := t.open(ctx, in.Collection)
	if err != nil {
		return "", err
	}
	records, err := c.Get(ctx, in.IDs...)
	if err != nil {
		return "", err
	}
	a := newAnswer(t.Tokens)
	if missing := missing(in.IDs, records); len(missing) > 0 {
		a.write("Not there: " + strings.Join(missing, ", "))
	}
	a.records(len(records), func(i int) (string, string, int) {
		text := records[i].Text
		from := min(in.Offset, len(text))
		for from < len(text) && !utf8.RuneStart(text[from]) {
			from++
		}
		return head(records[i], nil), text[from:], from
	})
	return a.text(), nil
}

// missing are the IDs that have no record.
func missing(ids []string, records []vecwire.Record) []string {
	there := map[string]bool{}
	for _, r := range records {
		there[r.ID] = true
	}
	var missing []string
	for _, id := range ids {
		if !there[id] {
			missing = append(missing, fmt.Sprintf("%q", id))
		}
	}
	return missing
}
