package search

import (
	"fmt"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/rerank"
)

// MaxSim asks for candidates to be scored by the vectors of their tokens, which a Bytes
// field holds as rerank.PackTokens packs them.
type MaxSim struct {
	Field  string
	Tokens [][]float32 // of the question
}

// planMaxSim checks what candidates are scored with.
func (p *plan) planMaxSim() (err error) {
	m := p.q.MaxSim
	if m == nil {
		return nil
	}
	if m.Field == "" {
		return schema.BadValue("MaxSim.Field", "the name of the Bytes field that holds what rerank.PackTokens packs", "none")
	}
	f, at, ok := p.c.Rules.Field(m.Field)
	if !ok || f.Type != filter.Bytes {
		return &schema.Error{Collection: p.schema.Name, Field: schema.Shorten(m.Field), Msg: "is no Bytes field, as MaxSim needs one for the tokens that rerank.PackTokens packs"}
	}
	p.tokensAt = at
	if p.tokens, err = rerank.NewMaxSim(m.Tokens); err != nil {
		return fmt.Errorf("MaxSim: %w", err)
	}
	return nil
}

// maxSim scores candidates by the vectors of their tokens. Those without any come last,
// in the order that they had.
func (p *plan) maxSim(hits []Hit) ([]Hit, error) {
	if p.tokens == nil {
		return hits, nil
	}
	none, err := rerank.PackTokens(nil)
	if err != nil {
		return nil, err
	}
	for i := range hits {
		packed, ok := valueOf(&hits[i], p.tokensAt).([]byte)
		if !ok {
			packed = none
		}
		if hits[i].Score, err = p.tokens.Score(packed); err != nil {
			return nil, fmt.Errorf("MaxSim: %w", &rerank.CandidateError{Index: i, ID: hits[i].ID, Err: err})
		}
	}
	bestFirst(hits)
	return hits, nil
}
