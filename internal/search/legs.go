package search

import (
	"fmt"
	"math"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// VectorLeg is a search by a named vector as a part of a [Fusion].
type VectorLeg struct {
	In     string
	Vector []float32
	Weight float64
}

// EmbedLegs gives a vector to each search by a named vector that has none. The function
// embed makes them, all of one name at once, and returns none without an embedder: the
// check of the query says what is missing. The queries are seen through a named vector if
// through is true.
func EmbedLegs(queries []Query, through bool, embed func(name string, texts []string) ([][]float32, error)) error {
	var names []string
	lacking := map[string][]*VectorLeg{}
	texts := map[string][]string{}
	for i := range queries {
		q := &queries[i]
		if q.Fusion == nil {
			continue
		}
		if n := len(q.Fusion.Vectors); through && n > 0 {
			return schema.BadValue("Fusion.Vectors", "none beside In", n)
		}
		text := q.asked()
		for n := range q.Fusion.Vectors {
			leg := &q.Fusion.Vectors[n]
			if leg.Vector != nil || text == "" {
				continue
			}
			if lacking[leg.In] == nil {
				names = append(names, leg.In)
			}
			lacking[leg.In], texts[leg.In] = append(lacking[leg.In], leg), append(texts[leg.In], text)
		}
	}
	for _, name := range names {
		vectors, err := embed(name, texts[name])
		if err != nil {
			return fmt.Errorf("the vector %q: %w", name, err)
		}
		for i, v := range vectors {
			lacking[name][i].Vector = v
		}
	}
	return nil
}

// planLegs checks the searches by named vectors of a fusion. find says how many hits they
// look for.
func (c *Collection) planLegs(q *Query, s *engine.Search) (plan []engine.Search, err error) {
	if q.Fusion == nil || len(q.Fusion.Vectors) == 0 {
		return nil, nil
	}
	if n := len(q.Fusion.Vectors); n > schema.MaxVectors {
		return nil, schema.BadValue("Fusion.Vectors", fmt.Sprintf("at most %d", schema.MaxVectors), n)
	}
	of := c.Rules.Schema()
	for i, leg := range q.Fusion.Vectors {
		at, name := of.VectorPlace(leg.In), fmt.Sprintf("Fusion.Vectors[%d]", i)
		switch {
		case at < 0:
			return nil, schema.NoVector(*of, leg.In)
		case leg.Vector == nil:
			return nil, schema.BadValue(name+".Vector", "a vector, or a Text and an embedder, see WithVectorEmbedder", "none")
		case !(leg.Weight >= 0 && leg.Weight <= math.MaxFloat64):
			return nil, schema.BadValue(name+".Weight", "a positive number, or 0 for the default", leg.Weight)
		}
		if err := of.Vectors[at].Check(leg.Vector); err != nil {
			return nil, err
		}
		plan = append(plan, engine.Search{In: at + 1, Vector: engine.Vector{F32: leg.Vector}, Filter: s.Filter, Exact: s.Exact, Effort: q.Effort})
	}
	return plan, nil
}
