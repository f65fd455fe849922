package pgvector

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
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
	dims     int    // over so many first dimensions, 0 for all
	copies   bool   // not the column itself
	column   string // what is indexed
	query    string // the same of the query, the statement's first argument
	operator string // the distance between the two
	class    string // the class of operators, without a schema
}

// keys returns what an index over the table, or over the given number of its vectors'
// first dimensions, can be over, the most precise first.
func (t *table) keys(dims int) []indexKey {
	n, vector, query := t.schema.Dim, t.vector, "$1::"+t.ext+".vector"
	first := func(v string) string { return v }
	if dims > 0 {
		n, first = dims, func(v string) string { return fmt.Sprintf("%s.subvector(%s, 1, %d)", t.ext, v, dims) }
	}
	opClass := "_" + opClass(t.schema.Metric)
	cast := func(typ string) string { return fmt.Sprintf("::%s.%s(%d)", t.ext, typ, n) }
	bits := func(v string) string { return fmt.Sprintf("%s.binary_quantize(%s)::bit(%d)", t.ext, v, n) }

	if t.vectorKind == asDoubles && dims > 0 {
		vector += fmt.Sprintf("::%s.vector(%d)", t.ext, t.schema.Dim)
	}
	itself := indexKey{column: t.vector, query: query, operator: t.operator(), class: "vector" + opClass}
	single := indexKey{
		dims: dims, copies: true, column: first(vector) + cast("vector"), query: first(query) + cast("vector"),
		operator: t.operator(), class: "vector" + opClass,
	}
	half := indexKey{
		dims: dims, compress: engine.HalfPrecision, copies: true, column: first(vector) + cast("halfvec"), query: first(query) + cast("halfvec"),
		operator: t.operator(), class: "halfvec" + opClass,
	}
	signs := indexKey{
		dims: dims, compress: engine.Bits, copies: true, column: bits(first(vector)), query: bits(first(query)),
		operator: fmt.Sprintf(" OPERATOR(%s.<~>) ", t.ext), class: "bit_hamming_ops",
	}
	var keys []indexKey
	switch {
	case dims > 0 && t.vectorKind == asHalf: // its copies in half precision are itself
		half.compress, half.query = engine.NoCompression, first(query+"::"+t.ext+".halfvec")+cast("halfvec")
		keys = []indexKey{half}
	case dims > 0:
		keys = []indexKey{single, half}
	case t.vectorKind == asHalf:
		itself.query, itself.class = query+"::"+t.ext+".halfvec", "halfvec"+opClass
		keys = []indexKey{itself}
	case t.vectorKind == asDoubles:
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

// prefixRE finds how many dimensions of a vector an index is over.
var prefixRE = regexp.MustCompile(`subvector"?\(.*, 1, ([0-9]{1,9})\)`)

// keyOf finds out what an index is over, from its first column as the server
// writes it and the class of its operators.
func (t *table) keyOf(definition, class string) (indexKey, bool) {
	dims := 0
	if found := prefixRE.FindStringSubmatch(definition); found != nil {
		dims, _ = strconv.Atoi(found[1])
	}
	for _, k := range t.keys(dims) {
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
func (t *table) keyFor(p engine.IndexPlan, x extension) (indexKey, error) {
	c, dim := p.Compress, t.schema.Dim
	if p.Dims < 0 || p.Dims > dim {
		return indexKey{}, &codec.ValueError{Field: "Dims", Pos: -1, Want: fmt.Sprintf("1 to %d, the vectors' dimension, or 0 for all", dim), Got: strconv.Itoa(p.Dims)}
	}
	if p.Dims == dim {
		p.Dims = 0
	}
	dim = cmp.Or(p.Dims, dim)
	unsupported := func(what, instead string, args ...any) (indexKey, error) {
		return indexKey{}, fmt.Errorf("%w: %s by the postgres engine: %s", engine.ErrUnsupported, what, fmt.Sprintf(instead, args...))
	}
	if p.Method == diskann || p.Method == vchordrq {
		if c != engine.NoCompression {
			return unsupported(fmt.Sprintf("an index of the method %s and %s", p.Method, c), "it compresses by itself; leave IndexOptions.Compress open")
		}
		if p.Dims > 0 { // pgvectorscale 0.9.0 ends the server's process
			return unsupported(fmt.Sprintf("an index of the method %s over %d dimensions", p.Method, p.Dims), "leave IndexOptions.Dims open, or take the method HNSW")
		}
	} else if t.vectorKind == asHalf && c == engine.HalfPrecision || c == engine.NoCompression && dim <= maxIndexDim {
		c = engine.NoCompression
	} else if c == engine.NoCompression && t.vectorKind != asHalf {
		c = engine.HalfPrecision
	}
	switch {
	case c == engine.Bits && t.schema.Metric == codec.L2:
		return unsupported("an index of bits for the metric L2", "bits hold no lengths; use HalfPrecision, or the metric Cosine")
	case p.Dims > 0 && !x.atLeast(0, 7):
		return unsupported("an index over some dimensions", "pgvector is %s here, and 0.7.0 is needed", x.version)
	case (p.Method == "" || p.Method == hnsw) && c != engine.Bits && dim > maxHalfDim:
		instead := "use vectors of fewer dimensions (many models can shorten theirs), index the first of them by IndexOptions.Dims, search without an index, or the embedded engine"
		if t.schema.Metric != codec.L2 {
			instead = "compress it to Bits, " + instead
		}
		return unsupported(fmt.Sprintf("an index over %d dimensions", dim), "it has %d at most, in half precision; %s", maxHalfDim, instead)
	case c != engine.NoCompression && !x.atLeast(0, 7):
		return unsupported("an index of "+c.String(), "pgvector is %s here, and 0.7.0 is needed", x.version)
	}
	for _, k := range t.keys(p.Dims) {
		if k.compress == c {
			return k, nil
		}
	}
	return unsupported("an index of "+c.String(), "it has none over %s", t.vectorType())
}
