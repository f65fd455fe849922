package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// Fact is one thing that an agent knows.
type Fact struct {
	ID         string    // made of the text if it is empty
	Text       string    // one sentence
	Source     string    `vecwire:"source,index"` // who or what said so
	At         time.Time // when it was learned, or confirmed
	Confidence float64   `vecwire:"confidence,index"` // from 0 to 1
	Until      time.Time `vecwire:"until,omitzero"`   // when it stops being true; zero for never
}

// Memory holds facts. What it does is the same on every engine.
type Memory struct {
	db    *vecwire.DB
	facts *typed.Collection[Fact]
}

// halfLife is the time in which a fact loses half of its weight.
const halfLife = 30 * 24 * time.Hour

// NewMemory opens the memory of a database, or makes it.
func NewMemory(ctx context.Context, db *vecwire.DB, e vecwire.Embedder) (*Memory, error) {
	facts, err := typed.Ensure[Fact](ctx, db, "facts", func(s *vecwire.Schema) {
		s.Dim, s.Model, s.FullText = e.Dim(), e.Model(), vecwire.Words
	})
	if err == nil {
		facts, err = facts.WithEmbedder(e)
	}
	return &Memory{db, facts}, err
}

// Learn stores facts. One that is known already, by its ID or word for word, is
// replaced: it is then as new and as sure as it was just said.
func (m *Memory) Learn(ctx context.Context, facts ...Fact) error {
	facts = slices.Clone(facts)
	for i := range facts {
		if facts[i].ID == "" {
			sum := sha256.Sum256([]byte(facts[i].Text))
			facts[i].ID = hex.EncodeToString(sum[:8])
		}
	}
	return m.facts.Upsert(ctx, facts...)
}

// Doubt multiplies the confidence of a fact, as when something speaks against it. The
// vector stays: nothing is embedded again. Two agents who doubt at once both count.
func (m *Memory) Doubt(ctx context.Context, id string, factor float64) error {
	return m.db.Tx(ctx, func(ctx context.Context) error {
		known, err := m.facts.Get(ctx, id)
		if err != nil || len(known) == 0 {
			return cmp.Or(err, vecwire.ErrNotFound)
		}
		return m.facts.Update(ctx, vecwire.Change{ID: id, Set: vecwire.Fields{"confidence": known[0].Confidence * factor}})
	})
}

// Correct replaces what is known under an ID by a newer fact.
func (m *Memory) Correct(ctx context.Context, id string, by Fact) error {
	by.ID = id
	return m.Learn(ctx, by)
}

// Recalled is a fact, and why it came to mind.
type Recalled struct {
	Fact
	Weight    float64 // what facts are ordered by: relevance, age and confidence together
	Relevance float64 // of the meaning and the words alone, 1 for the most relevant fact
}

// Recall returns the k facts that matter most for a question at a time: near in
// meaning or words, still true, recent, sure, and not the same thing said twice.
func (m *Memory) Recall(ctx context.Context, question string, now time.Time, k int) ([]Recalled, error) {
	hits, err := m.facts.Search(ctx, vecwire.Query{
		Text: question, K: 4 * k, Fusion: &vecwire.Fusion{}, Diversity: 0.3,
		Filter: filter.And(filter.Gt("confidence", 0.1), filter.Le("at", now), filter.Or(filter.IsNull("until"), filter.Gt("until", now))),
	})
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	best := slices.MaxFunc(hits, func(a, b typed.Hit[Fact]) int { return cmp.Compare(a.Score, b.Score) }).Score
	out := make([]Recalled, len(hits))
	for i, h := range hits {
		relevance := h.Score / best
		age := now.Sub(h.Value.At).Hours() / halfLife.Hours()
		out[i] = Recalled{h.Value, relevance * math.Exp2(-age) * h.Value.Confidence, relevance}
	}
	slices.SortStableFunc(out, func(a, b Recalled) int { return cmp.Compare(b.Weight, a.Weight) })
	return out[:min(k, len(out))], nil
}

// Forget removes what was learned before a time and has been confirmed by nobody
// since, what is hardly believed any more, and what is no longer true. It returns how
// many facts that were.
func (m *Memory) Forget(ctx context.Context, before, now time.Time) (int, error) {
	return m.facts.DeleteWhere(ctx, filter.Or(filter.Lt("at", before), filter.Le("confidence", 0.1), filter.Le("until", now)))
}
