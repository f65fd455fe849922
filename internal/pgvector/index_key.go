package pgvector

import (
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// pgvector's limits for an index's dimensions (pgvector, README, "HNSW"). That
// for bits is 64,000, more than any vector has.
const (
	maxIndexDim = 2_000
	maxHalfDim  = 4_000
)

// indexKey is what an index can be over: the column of vectors, or copies of it.
type indexKey struct {
	compress engine.Compress
	copies   bool   // not the column itself
	column   string // what is indexed
	query    string // the same of the query, the statement's first argument
	operator string // the distance between the two
	class    string // the class of operators, without a schema
}

// keys returns what an index over the table can be over, the most precise first.
func (t *table) keys() []indexKey {
	n, query := t.schema.Dim, "$1::"+t.ext+".vector"
	opClass := "_" + opClass(t.schema.Metric)
	cast := func(typ string) string { return fmt.Sprintf("::%s.%s(%d)", t.ext, typ, n) }
	bits := func(v string) string { return fmt.Sprintf("%s.binary_quantize(%s)::bit(%d)", t.ext, v, n) }

	itself := indexKey{column: t.vector, query: query, operator: t.operator(), class: "vector" + opClass}
	single := indexKey{
		copies: true, column: t.vector + cast("vector"), query: query + cast("vector"),
		operator: t.operator(), class: "vector" + opClass,
	}
	half := indexKey{
		compress: engine.HalfPrecision, copies: true, column: t.vector + cast("halfvec"), query: query + cast("halfvec"),
		operator: t.operator(), class: "halfvec" + opClass,
	}
	signs := indexKey{
		compress: engine.Bits, copies: true, column: bits(t.vector), query: bits(query),
		operator: fmt.Sprintf(" OPERATOR(%s.<~>) ", t.ext), class: "bit_hamming_ops",
	}
	var keys []indexKey
	switch t.vectorKind {
	case asHalf:
		itself.query, itself.class = query+"::"+t.ext+".halfvec", "halfvec"+opClass
		keys = []indexKey{itself}
	case asDoubles:
		signs.column = bits(single.column)
		keys = []indexKey{single, half}
	default:
		keys = []indexKey{itself, single, half}
	}
	if t.schema.Metric != codec.L2 {
		keys = append(keys, signs)
	}
	return keys
}

func opClass(m codec.Metric) string {
	switch m {
	case codec.Dot:
		return "ip_ops"
	case codec.L2:
		return "l2_ops"
	default:
		return "cosine_ops"
	}
}

// keyOf finds out what an index is over, from its first column as the server
// writes it and the class of its operators.
func (t *table) keyOf(definition, class string) (indexKey, bool) {
	for _, k := range t.keys() {
		if k.class == class && t.bare(k.column) == t.bare(definition) {
			return k, true
		}
	}
	return indexKey{}, false
}

// bare takes out of an expression what is written in several ways.
func (t *table) bare(sql string) string {
	sql = strings.NewReplacer(t.ext+".", "", strings.Trim(t.ext, `"`)+".", "").Replace(sql)
	return strings.NewReplacer(`"`, "", "(", "", ")", "", " ", "").Replace(sql)
}

// keyFor returns what an index that is asked for is over.
func (t *table) keyFor(c engine.Compress, x extension) (indexKey, error) {
	unsupported := func(what, instead string, args ...any) (indexKey, error) {
		return indexKey{}, fmt.Errorf("%w: %s by the postgres engine: %s", engine.ErrUnsupported, what, fmt.Sprintf(instead, args...))
	}
	if t.vectorKind == asHalf && c == engine.HalfPrecision || c == engine.NoCompression && t.schema.Dim <= maxIndexDim {
		c = engine.NoCompression
	} else if c == engine.NoCompression && t.vectorKind != asHalf {
		c = engine.HalfPrecision
	}
	switch {
	case c == engine.Bits && t.schema.Metric == codec.L2:
		return unsupported("an index of bits for the metric L2", "bits hold no lengths; use HalfPrecision, or the metric Cosine")
	case c != engine.Bits && t.schema.Dim > maxHalfDim:
		instead := "use vectors of fewer dimensions (many models can shorten theirs), search without an index, or the embedded engine"
		if t.schema.Metric != codec.L2 {
			instead = "compress it to Bits, " + instead
		}
		return unsupported(fmt.Sprintf("an index over %d dimensions", t.schema.Dim), "it has %d at most, in half precision; %s", maxHalfDim, instead)
	case c != engine.NoCompression && !x.atLeast(0, 7):
		return unsupported("an index of "+c.String(), "pgvector is %s here, and 0.7.0 is needed", x.version)
	}
	for _, k := range t.keys() {
		if k.compress == c {
			return k, nil
		}
	}
	return unsupported("an index of "+c.String(), "it has none over %s", t.vectorType())
}
