package search

import (
	"context"

	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/passage"
	"github.com/vecwire/vecwire/internal/schema"
)

// checkAround refuses what cannot be brought around a hit.
func (c *Collection) checkAround(q *Query) error {
	switch {
	case q.Around < 0:
		return schema.BadValue("Around", "a positive number of parts, or 0 for none", q.Around)
	case q.AroundTokens < 0:
		return schema.BadValue("AroundTokens", "a positive number of tokens, or 0 for no bound", q.AroundTokens)
	case q.Around == 0:
		return nil
	}
	return c.hasParts("for Around")
}

// mostWindows is how many windows one scan asks for.
const mostWindows = 100

// around gives hits their passages.
func (p *plan) around(ctx context.Context, hits []Hit) error {
	if p.q.Around == 0 {
		return nil
	}
	found := make([]*passage.Part[engine.Record], len(hits))
	for i := range hits {
		part := p.c.part(hits[i].Record)
		if _, ok := p.c.value(hits[i].Record, SourceField).(string); ok && part.Place != passage.Nowhere {
			found[i] = part
		}
	}
	var near []passage.Part[engine.Record]
	for windows := passage.Windows(found, p.q.Around); len(windows) > 0; {
		n := min(len(windows), mostWindows)
		in, err := p.c.Rules.Filter(p.c.inWindows(windows[:n]))
		if err != nil {
			return err
		}
		parts, err := p.c.parts(ctx, filter.And(p.search.Filter, in))
		if err != nil {
			return err
		}
		near, windows = append(near, parts...), windows[n:]
	}
	budget := passage.Budget{Most: p.q.AroundTokens, Count: p.q.AroundCount}
	if budget.Count == nil {
		budget.Count = chunk.EstimateTokens
	}
	count, negative := budget.Count, 0
	budget.Count = func(text string) int {
		n := count(text)
		negative = min(negative, n)
		return n
	}
	all := passage.Around(found, near, p.q.Around, budget)
	if negative < 0 {
		return schema.BadValue("AroundCount", "what returns a positive number of tokens, or 0", negative)
	}
	for i, around := range all {
		hits[i].Passage = around
	}
	return nil
}

// inWindows lets the parts pass that stand in one of the windows.
func (c *Collection) inWindows(windows []passage.Window) filter.Filter {
	t, ok := c.Rules.TypeOf(engine.NamespaceField)
	spaces := ok && t == filter.String
	in := make([]filter.Filter, len(windows))
	for i, w := range windows {
		in[i] = filter.And(filter.Eq(SourceField, w.Source), filter.Between(PartField, w.From, w.To))
		switch {
		case w.Owned:
			in[i] = filter.And(filter.Eq(engine.NamespaceField, w.Namespace), in[i])
		case spaces:
			in[i] = filter.And(filter.IsNull(engine.NamespaceField), in[i])
		}
	}
	return filter.Or(in...)
}
