package mirror

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// texts reports whether the copy has the texts and their words.
func (m *Mirror) texts() bool { return m.o.FullText != engine.NoFullText }

// SearchText implements engine.Collection: by the copy if that has the texts. A hit with
// text and fields is read from the inner collection, as in Search.
func (m *Mirror) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	if !m.texts() || slices.ContainsFunc(searches, func(s engine.TextSearch) bool { return m.foreign(s.Filter) || s.Vectors && len(m.schema.Vectors) > 0 }) {
		return m.inner.SearchText(ctx, searches)
	}
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.gate.Leave()
	if err := m.dropped(); err != nil {
		return nil, err
	}
	for round := 1; ; round++ {
		results, err := m.copy.SearchText(ctx, searches)
		if err != nil {
			return nil, err
		}
		var hits []*engine.Hit
		for i := range results {
			if searches[i].Payload {
				for j := range results[i] {
					hits = append(hits, &results[i][j])
				}
			}
		}
		outdated, err := m.fillHits(ctx, hits)
		if err != nil || len(outdated) == 0 {
			return results, err
		}
		if err := m.reread(ctx, outdated); err != nil {
			return nil, err
		}
		if round == maxRounds {
			return m.afterAll(ctx, searches, results, outdated)
		}
	}
}

// afterAll answers after hits were out of date again and again: by the inner collection
// if that has full text, or else without those hits.
func (m *Mirror) afterAll(ctx context.Context, searches []engine.TextSearch, results [][]engine.Hit, outdated []string) ([][]engine.Hit, error) {
	if m.inner.Can().FullText && m.inner.Schema().FullText == m.o.FullText {
		return m.inner.SearchText(ctx, searches)
	}
	for i := range results {
		results[i] = slices.DeleteFunc(results[i], func(h engine.Hit) bool { return searches[i].Payload && slices.Contains(outdated, h.ID) })
	}
	return results, nil
}

// passes refuses a filter for a verb that the inner collection answers if only the copy
// knows what it means.
func (m *Mirror) passes(f filter.Filter) error {
	if !m.texts() {
		return nil
	}
	for _, arg := range f.Args() {
		if err := m.passes(arg); err != nil {
			return err
		}
	}
	can := m.inner.Can()
	op, text := f.Op(), f.Field() == "text"
	if op == filter.OpWords && m.inner.Schema().FullText != m.o.FullText || op == filter.OpLike && !can.Like || text && !can.TextFilters {
		return fmt.Errorf("%w: the filter %s outside of the mirror's searches: the database answers the other verbs", engine.ErrUnsupported, f)
	}
	return nil
}
