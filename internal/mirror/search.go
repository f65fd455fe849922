package mirror

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// maxRounds is how often a search looks again after hits were out of date, before
// the inner collection answers it. One round mends what changed before the search;
// a second and a third are only needed if other programs go on changing the same
// hits, which then are cheaper to find there.
const maxRounds = 3

// Search implements engine.Collection.
func (m *Mirror) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.gate.Leave()
	if err := m.dropped(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(searches, func(s engine.Search) bool { return m.foreign(s.Filter) || m.named(s) || m.o.Attached && s.After != nil }) {
		return m.inner.Search(ctx, searches)
	}
	for range maxRounds {
		results, err := m.nearest(ctx, searches)
		if err != nil {
			return nil, err
		}
		if results == nil {
			break
		}
		outdated, err := m.fill(ctx, searches, results)
		if err != nil || len(outdated) == 0 {
			return results, err
		}
		if err := m.reread(ctx, outdated); err != nil {
			return nil, err
		}
	}
	return m.inner.Search(ctx, searches)
}

// nearest searches the copy. It returns nil where only the inner collection knows
// the order of records of equal score: the key of an existing table may be a
// number.
func (m *Mirror) nearest(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if m.o.Attached {
		searches = slices.Clone(searches)
		for i := range searches {
			searches[i].K = max(searches[i].K, searches[i].K+1) // so that a tie that K cuts through is seen
		}
	}
	results, err := m.copy.Search(ctx, searches)
	if err != nil {
		return nil, err
	}
	for i := range results {
		r := &results[i]
		r.Plan.Path, r.Plan.Why = "mirror "+r.Plan.Path, "the mirror has all vectors"
		if m.o.Attached {
			for j := range r.Hits[:max(1, len(r.Hits))-1] {
				if r.Hits[j].Score == r.Hits[j+1].Score {
					return nil, nil
				}
			}
			r.Hits = r.Hits[:min(len(r.Hits), searches[i].K-1)]
		}
	}
	return results, nil
}

// fill reads the texts and fields of the hits that are to have them. It returns
// the IDs of those whose records are gone, or have other fields, or another text, than
// the copy.
func (m *Mirror) fill(ctx context.Context, searches []engine.Search, results []engine.Result) (outdated []string, err error) {
	var hits []*engine.Hit
	for i := range results {
		if searches[i].Payload {
			for j := range results[i].Hits {
				hits = append(hits, &results[i].Hits[j])
			}
		}
	}
	return m.fillHits(ctx, hits)
}

// fillHits is fill for hits that are all to have texts and fields.
func (m *Mirror) fillHits(ctx context.Context, all []*engine.Hit) (outdated []string, err error) {
	var ids []string
	hits := make(map[string][]*engine.Hit, len(all))
	for _, h := range all {
		if hits[h.ID] == nil {
			ids = append(ids, h.ID)
		}
		hits[h.ID] = append(hits[h.ID], h)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := m.inner.Get(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		all := hits[r.ID]
		if len(all) == 0 || !engine.SameFields(all[0].Fields, r.Fields) || m.texts() && all[0].Text != r.Text {
			continue
		}
		for _, h := range all {
			h.Text, h.Fields = r.Text, r.Fields
		}
		delete(hits, r.ID)
	}
	for id := range hits {
		outdated = append(outdated, id)
	}
	return outdated, nil
}

// named reports whether a search is about named vectors, of which there is no copy.
func (m *Mirror) named(s engine.Search) bool {
	return s.In != 0 || s.Vectors && len(m.schema.Vectors) > 0
}

// foreign reports whether a filter may mean something else to the inner collection
// than to the copy: the key of an existing table may be a number, and the copy may have
// no texts.
func (m *Mirror) foreign(f filter.Filter) bool {
	switch f.Op() {
	case filter.OpAnd, filter.OpOr, filter.OpNot:
		return slices.ContainsFunc(f.Args(), m.foreign)
	}
	return f.Field() == "text" && !m.texts() || m.o.Attached && f.Field() == "id"
}
