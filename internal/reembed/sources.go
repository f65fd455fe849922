package reembed

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// from returns what the records are read from: the old collection, or Options.From.
func (j *job) from(old engine.Collection) engine.Collection {
	if j.From != nil {
		return j.From
	}
	return old
}

// Sources returns a collection for Options.From, over one whose records have a text of
// their own for the vector that is made again. It has no fields, and leaves out the records
// without that text.
func Sources(c engine.Collection, text func(*engine.Record) string) engine.Collection {
	return sources{c, text}
}

type sources struct {
	engine.Collection
	text func(*engine.Record) string
}

// Scan implements engine.Collection. A page is full as long as there are more records.
func (s sources) Scan(ctx context.Context, plan engine.Scan) ([]engine.Record, error) {
	limit, out := plan.Limit, []engine.Record(nil)
	for {
		page, err := s.Collection.Scan(ctx, plan)
		if err != nil {
			return nil, err
		}
		for i := range page {
			if text := s.text(&page[i]); text != "" {
				out = append(out, engine.Record{ID: page[i].ID, Text: text, Fields: []any{}})
			}
		}
		if len(page) < plan.Limit || len(out) == limit {
			return out, nil
		}
		plan.After, plan.Limit = page[len(page)-1].ID, limit-len(out)
	}
}
