package vecwire

import (
	"math"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// Element is the type of a vector's elements.
type Element = codec.Element

// The element types. They bear SQL's names; [Float] is a type of fields.
const (
	FLOAT  = codec.FLOAT  // float32, the default
	DOUBLE = codec.DOUBLE // float64
)

// Metric says how vectors are compared, and so what a [Hit]'s Score is.
type Metric = codec.Metric

// The metrics. See docs/scores.md for the formulas.
const (
	Cosine = codec.Cosine // cosine similarity, in [-1, 1]; the default
	Dot    = codec.Dot    // dot product
	L2     = codec.L2     // negated Euclidean distance
)

// FieldType is the type of a field's values; see [filter.Type] for the Go
// values that stand for each.
type FieldType = filter.Type

// The field types.
const (
	String = filter.String
	Int    = filter.Int
	Float  = filter.Float
	Bool   = filter.Bool
	Time   = filter.Time
	Bytes  = filter.Bytes

	Strings = filter.Strings
	Ints    = filter.Ints
	Floats  = filter.Floats

	JSON = filter.JSON
)

// Field describes a typed field that records may have and filters may use.
type Field struct {
	Name  string    // letters, digits and underscores, beginning with a letter; at most 48
	Type  FieldType // defaults to String
	Index bool      // makes filters over the field faster, and writes a little slower; not for JSON
	// Paths are the paths into a JSON field, such as "author.name", over which filters
	// are made faster: ==, in, prefix and the comparisons of numbers. At most 20.
	Paths []string
	// Expires says that a record is there until the time that this field has, and from
	// then on for no verb: it is as good as deleted, and removed later, see
	// [Collection.DeleteExpired]. A record without a value never expires, and one that is
	// stored again with a later one is there again. The field is of the type Time, has an
	// index, and is the only such one. Times are those of the clocks of the processes that
	// ask.
	Expires bool
}

// Schema describes a collection.
type Schema struct {
	// Name is the collection's name: letters, digits and underscores, beginning
	// with a letter; at most 48. Two names that differ only in case are the same.
	Name string
	// Dim is the number of elements of every vector. Required.
	Dim int
	// Element is the type of the vectors' elements. Defaults to FLOAT.
	Element Element
	// Metric says how vectors are compared. Defaults to Cosine.
	Metric Metric
	// Model names the embedding model that makes the vectors. The collection
	// then refuses embedders of another; see [Collection.WithEmbedder].
	Model string
	// Fields are what records may have beside ID, vector and text. Names that
	// differ only in case are the same; "id", "text", "vector" and names that
	// begin with "vecwire_" are taken.
	Fields []Field
	// Extra names a JSON field that gathers the values of a record that no field is
	// for, under their names, instead of having the record refused: with Extra "meta"
	// Fields{"color": "red"} is stored, and read, as Fields{"meta": map[string]any{"color":
	// "red"}}, and the filter's path is "meta.color". Defaults to none.
	Extra string
	// FullText keeps an index over the words of the texts, for [Query].Fusion.
	// Writing a text then takes longer. Defaults to NoFullText.
	FullText FullText
	// MaxRecords is how many records the collection has at most after any commit, for
	// caches: a call that adds more removes those that were not used for the longest
	// time, in the same transaction. To be used is to be stored or changed by ID, to be
	// what Get returns, and to be a hit of a search; docs/change.md says how exactly that
	// is known. It needs [Capabilities].MaxRecords. Defaults to 0, any number.
	MaxRecords int
	// Distributed spreads the records over the workers of Citus, and is [ErrUnsupported]
	// elsewhere. Defaults to NotDistributed.
	Distributed Distribution
	// Index says whether the embedded engine builds a vector index by itself once the
	// collection is large, from when on searches are approximate; see [AutoIndex].
	// NoIndex keeps them exact. Defaults to AutoIndex.
	Index Indexing
	// Codes says how much memory the embedded engine spends on what searches compare first,
	// and is [ErrUnsupported] elsewhere; see [SevenBits]. Defaults to SevenBits.
	Codes Codes
	// Vectors are further vectors that records may have, such as one of the title beside
	// that of the text, or of an image. At most 8; see [VectorField].
	Vectors []VectorField
}

// Indexing says whether a collection gets a vector index that nobody asked for.
type Indexing uint8

// The ways to have a vector index.
const (
	// AutoIndex, the default, has the embedded engine build one by itself when the
	// collection has grown so far that it pays: from 20,000 records on whose vectors have
	// 10,000,000 elements together (78,125 of 128 dimensions, 26,042 of 384), once few
	// of its records change. It is built in the background, on one processor, and
	// searches go first.
	//
	// From then on searches are approximate unless [Query].Exact is set: of 60,000
	// real embeddings they find 99 % of the nearest. [Result].Exact and Plan say what each
	// one used. An index that [Collection.DropIndex] has removed does not come
	// back by itself. Servers build only what [Collection.BuildIndex] asks for.
	AutoIndex = Indexing(engine.AutoIndex)
	// NoIndex leaves it to [Collection.BuildIndex], without which all searches are exact.
	NoIndex = Indexing(engine.NoIndex)
)

// String returns "auto" or "none".
func (i Indexing) String() string { return engine.Indexing(i).String() }

// Codes says how many bits each element of a vector has in the codes that the embedded
// engine keeps in memory. Searches compare codes first and the vectors of the best in full,
// so that scores are those of the vectors, and exact searches are exact, whatever the codes
// are like. [DB.AlterCollection] changes them, also of a collection that has records.
type Codes uint8

// The kinds of codes.
const (
	// SevenBits, the default, takes a byte for each element, and half a byte more once exact
	// searches read all codes.
	SevenBits = Codes(engine.SevenBits)
	// FourBits takes half a byte for each element, and nothing more: it is for collections
	// that fill the memory. A search through the vector index compares more vectors in full
	// for that, and finds about as many of the nearest; docs/embedded.md has the numbers.
	// Vectors of 32 dimensions and fewer stay as they are.
	FourBits = Codes(engine.FourBits)
)

// String returns "7-bit" or "4-bit".
func (c Codes) String() string { return engine.Codes(c).String() }

// VectorField describes a further vector that records may have beside their own. Its
// elements are float32.
type VectorField struct {
	// Name names it: letters, digits and underscores, beginning with a letter; at most 48.
	// No field and no other vector of the schema has the name.
	Name string
	// Dim is the number of elements. Required.
	Dim int
	// Metric says how these vectors are compared. Defaults to Cosine.
	Metric Metric
	// Model names the embedding model that makes them; see
	// [Collection.WithVectorEmbedder].
	Model string
	// Source names the String field that the vector stands for, which an embedder is
	// given. Defaults to the record's text.
	Source string
}

// FullText says whether the texts of a collection can be searched by their words,
// and as what a word counts. A word is a run of letters, digits and marks after
// compatibility composition (NFKC) and case folding; accents count. Runs of Han,
// Hiragana, Katakana, Thai, Lao, Khmer and Myanmar, which are written without
// spaces, are taken apart into overlapping pairs of characters. Texts and
// questions have the same words on every engine.
type FullText uint8

// The kinds of full text.
const (
	// NoFullText, the default, keeps no index over the texts.
	NoFullText = FullText(engine.NoFullText)
	// Words finds words as they are written, in any language.
	Words = FullText(engine.Words)
	// English finds English words by their stems: "searching" finds "searched".
	English = FullText(engine.English)
)

// Stem finds the words of a language by their stems, as Snowball's stemmers make them:
// the language is a code of ISO 639-1, one of ar, da, de, en, es, fi, fr, ga, hu, it, nl,
// no, pt, ro, ru, sv, ta and tr. [English] is Stem("en"). The others leave no words out,
// however common they are. Words of other scripts, and with digits, stay as they are. For
// another language it returns what no schema may have.
func Stem(language string) FullText {
	f, known := engine.Stem(language)
	if !known {
		return unknownStem
	}
	return FullText(f)
}

const unknownStem = FullText(math.MaxUint8)

// ParseFullText returns the kind of full text whose String is name, and false if there
// is none.
func ParseFullText(name string) (f FullText, known bool) {
	parsed, known := engine.ParseFullText(name)
	return FullText(parsed), known
}

// String returns "none", "words", "english", or "stem-" and the code of a language.
func (f FullText) String() string { return engine.FullText(f).String() }

// Distribution says how the records of a collection are spread over the workers of
// Citus, an extension of PostgreSQL; see docs/postgres.md, "More than one machine".
type Distribution uint8

// The distributions.
const (
	// NotDistributed, the default, keeps all records on the server that is connected to.
	NotDistributed = Distribution(engine.NotDistributed)
	// ByID spreads the records by their IDs, over one shard a worker. Every search and
	// scan asks every worker. Indexes, and exact searches, are shared out among them.
	ByID = Distribution(engine.ByID)
	// ByNamespace keeps each namespace as a whole on one worker, so that what a
	// [Collection.Namespace] is asked goes to that one. The schema has the field
	// [NamespaceField], which no Update may change, and every record has a value of it,
	// with which, and a slash, its ID begins.
	ByNamespace = Distribution(engine.ByNamespace)
)

// String returns "none", "id" or "namespace".
func (d Distribution) String() string { return engine.Distribution(d).String() }

func (s Schema) check(caps engine.Capabilities) error { return schema.Check(s.plan(), s.Extra, caps) }

// plan returns the field as engines have it. Extra is the schema's.
func (f Field) plan(extra string) engine.Field {
	return engine.Field{Name: f.Name, Type: f.Type, Index: f.Index || f.Expires, Paths: slices.Clone(f.Paths), Extra: f.Name == extra, Expires: f.Expires}
}

func (s Schema) plan() engine.Schema {
	fields := make([]engine.Field, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = f.plan(s.Extra)
	}
	return engine.Schema{Name: s.Name, Dim: s.Dim, Element: s.Element, Metric: s.Metric, Model: s.Model, Fields: fields, FullText: engine.FullText(s.FullText), Vectors: planVectors(s.Vectors), Distributed: engine.Distribution(s.Distributed), MaxRecords: s.MaxRecords, Index: engine.Indexing(s.Index), Codes: engine.Codes(s.Codes)}
}

func schemaOf(p engine.Schema) Schema {
	fields := make([]Field, len(p.Fields))
	for i, f := range p.Fields {
		fields[i] = Field{Name: f.Name, Type: f.Type, Index: f.Index, Paths: slices.Clone(f.Paths), Expires: f.Expires}
	}
	return Schema{Extra: schema.Extra(p), Name: p.Name, Dim: p.Dim, Element: p.Element, Metric: p.Metric, Model: p.Model, Fields: fields, FullText: FullText(p.FullText), Vectors: vectorsOf(p.Vectors), Distributed: Distribution(p.Distributed), MaxRecords: p.MaxRecords, Index: Indexing(p.Index), Codes: Codes(p.Codes)}
}

// differs returns a [*SchemaError] that says what of a collection is not as the
// schema has it and cannot be made so, nil if all is. Fields that the collection
// lacks, or has more, do not count.
func (s Schema) differs(is engine.Schema) error { return schema.Differs(is, s.plan(), s.Extra) }

func planVectors(vectors []VectorField) (out []engine.NamedVector) {
	for _, v := range vectors {
		out = append(out, engine.NamedVector{Name: v.Name, Dim: v.Dim, Metric: v.Metric, Model: v.Model, Source: v.Source})
	}
	return out
}

func vectorsOf(vectors []engine.NamedVector) (out []VectorField) {
	for _, v := range vectors {
		out = append(out, vectorOf(v))
	}
	return out
}

func vectorOf(v engine.NamedVector) VectorField {
	return VectorField{Name: v.Name, Dim: v.Dim, Metric: v.Metric, Model: v.Model, Source: v.Source}
}
