package pgvector

import (
	"strconv"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// behind adds the condition that a record comes after the hit behind which a search goes
// on, by the distance that the server computes, and gives what it binds to args. What the
// server cannot compare passes, to be noticed as in a search from the best on.
func (c *collection) behind(s engine.Search, distance, condition string, args []any) (where string, all []any) {
	if s.After == nil {
		return condition, args
	}
	bound := -s.After.Score
	if c.schema.Metric == codec.Cosine {
		bound = 1 - s.After.Score // exactly what the score was made of: one of the two subtractions loses nothing
	}
	args = append(args, bound, s.After.ID)
	n := len(args)
	after := "ROW(" + distance + ", " + c.idOrder() + ") > ROW($" + strconv.Itoa(n-1) + "::float8, $" + strconv.Itoa(n) + "::" + idTypes[c.idKind] + ")"
	if c.schema.Metric == codec.Cosine {
		after = "(" + after + " OR " + distance + " IN (0, 1) AND " + c.outOfRange() + ")"
	}
	return wire.And(condition, after), args
}

// outOfRange is the condition that the square of a vector's length is not one of 32 bits.
func (c *collection) outOfRange() string {
	return c.ext + ".vector_norm(" + c.single() + ") NOT BETWEEN 1e-15 AND 1e15"
}
