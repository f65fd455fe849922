package search

import (
	"fmt"
	"math"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/rerank"
)

// Query asks for the records whose vectors are the nearest to one. Its fields are those
// of the root's Query.
type Query struct {
	In           string // a named vector, "" for the records' own. Whoever searches takes the collection that is seen through it
	Vector       []float32
	Vector64     []float64
	Text         string
	Away         [][]float32
	K            int
	Offset       int
	After        string
	Filter       filter.Filter
	Exact        bool
	Effort       int
	IDsOnly      bool
	Vectors      bool
	Snippets     int
	Around       int
	AroundTokens int
	AroundCount  func(text string) int
	Fusion       *Fusion
	Candidates   int
	Rescore      bool
	MaxSim       *MaxSim
	Reranker     rerank.Reranker
	Boosts       []Boost
	MinScore     float64
	GroupBy      string
	GroupSize    int
	Diversity    float64

	summed uint64 // see Sum
}

// DefaultK is how many hits a query asks for that does not say.
const DefaultK = 10

// DefaultCandidates is how many candidates a query takes, at least, that chooses among
// them.
const DefaultCandidates = 50

// checkQuery refuses numbers out of their range and settings that make no sense
// together, and fills in defaults.
func (c *Collection) checkQuery(q *Query) error {
	caps := c.Caps
	whole := "a positive number, or 0 for the default"
	switch {
	case q.K < 0:
		return schema.BadValue("K", whole, q.K)
	case q.Offset < 0:
		return schema.BadValue("Offset", "0 or more", q.Offset)
	case q.Effort < 0:
		return schema.BadValue("Effort", whole, q.Effort)
	case q.Candidates < 0:
		return schema.BadValue("Candidates", whole, q.Candidates)
	case q.GroupSize < 0:
		return schema.BadValue("GroupSize", whole, q.GroupSize)
	case !(q.Diversity >= 0 && q.Diversity <= 1):
		return schema.BadValue("Diversity", "0 to 1", q.Diversity)
	case q.MinScore-q.MinScore != 0:
		return schema.BadValue("MinScore", "a finite number", q.MinScore)
	}
	if q.K == 0 {
		q.K = DefaultK
	}
	if q.GroupSize == 0 {
		q.GroupSize = 1
	}
	switch {
	case q.Candidates > 0 && q.Candidates < q.last():
		return schema.BadValue("Candidates", fmt.Sprintf("at least K + Offset, which is %d", q.last()), q.Candidates)
	case q.Effort > 0 && !caps.Effort:
		return engine.Unsupported("setting the effort of a search", caps.Engine)
	case q.Reranker != nil && q.Text == "":
		return schema.BadValue("Text", "a text for the Reranker", "none")
	case q.Snippets < 0:
		return schema.BadValue("Snippets", "a positive number of bytes, or 0 for none", q.Snippets)
	case q.Snippets > 0 && q.Text == "":
		return schema.BadValue("Text", "a text for Snippets", "none")
	}
	if err := c.checkAround(q); err != nil {
		return err
	}
	f, _, ok := c.Rules.Field(q.GroupBy)
	if ok && f.Type == filter.JSON {
		return &schema.Error{Collection: c.Rules.Schema().Name, Field: q.GroupBy, Msg: "is JSON, which has no groups"}
	}
	if q.GroupBy != "" && !ok {
		return &schema.Error{Collection: c.Rules.Schema().Name, Field: schema.Shorten(q.GroupBy), Msg: "does not exist, to group by"}
	}
	if q.Fusion != nil {
		return c.checkFusion(q)
	}
	return nil
}

// checkFusion refuses what cannot be fused.
func (c *Collection) checkFusion(q *Query) error {
	f := q.Fusion
	switch caps := c.Caps; {
	case f.NoText && len(f.Vectors) == 0:
		return schema.BadValue("Fusion.NoText", "Vectors, to fuse something", "none")
	case f.NoText && f.Syntax != Plain:
		return schema.BadValue("Fusion.Syntax", "Plain beside NoText", uint8(f.Syntax))
	case f.NoText:
	case !caps.FullText:
		return engine.Unsupported(engine.LackFullText, caps.Engine)
	case c.Rules.Schema().FullText == engine.NoFullText:
		return fmt.Errorf("%w: full text in this collection, which has none: DB.AlterCollection turns it on by Alter.FullText", engine.ErrUnsupported)
	case q.Text == "":
		return schema.BadValue("Text", "a text for Fusion", "none")
	}
	if f.Method > Relative {
		return schema.BadValue("Fusion.Method", "RRF or Relative", uint8(f.Method))
	}
	if f.Syntax > Web {
		return schema.BadValue("Fusion.Syntax", "Plain or Web", uint8(f.Syntax))
	}
	for _, number := range []struct {
		field string
		value float64
	}{{"Fusion.K", f.K}, {"Fusion.VectorWeight", f.VectorWeight}, {"Fusion.TextWeight", f.TextWeight}} {
		if !(number.value >= 0 && number.value <= math.MaxFloat64) {
			return schema.BadValue(number.field, "a positive number, or 0 for the default", number.value)
		}
	}
	if f.TextOnly {
		switch {
		case q.Vector != nil || q.Vector64 != nil:
			return schema.BadValue("Vector", "none beside Fusion.TextOnly", "one")
		case q.Away != nil:
			return schema.BadValue("Away", "none beside Fusion.TextOnly", len(q.Away))
		case q.Rescore:
			return schema.BadValue("Rescore", "false beside Fusion.TextOnly", "true")
		case q.Diversity != 0:
			return schema.BadValue("Diversity", "0 beside Fusion.TextOnly", q.Diversity)
		}
	}
	return filter.CheckString("Text", q.Text)
}

// last is the place of the last hit that is wanted: K + Offset, at most MaxInt.
func (q *Query) last() int {
	if q.Offset > math.MaxInt-q.K {
		return math.MaxInt
	}
	return q.K + q.Offset
}

// chooses reports whether the answer is not simply the K nearest.
func (q *Query) chooses() bool {
	return q.looksAround() || q.MinScore != 0 || q.Offset != 0 || q.Snippets != 0 || q.Around != 0
}

// looksAround reports whether the answer is chosen among more than K candidates.
func (q *Query) looksAround() bool {
	return q.Fusion != nil || q.Rescore || q.reranks() || q.Diversity != 0 || q.GroupBy != "" || len(q.Boosts) > 0
}

// reranks reports whether candidates get other scores than those of the search.
func (q *Query) reranks() bool { return q.Reranker != nil || q.MaxSim != nil }

// byWords reports whether the query searches by words.
func (q *Query) byWords() bool { return q.Fusion != nil && !q.Fusion.NoText }

// textOnly reports whether the query compares no vectors.
func (q *Query) textOnly() bool { return q.Fusion != nil && q.Fusion.TextOnly }
