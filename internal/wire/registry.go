package wire

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// Spec is a collection's entry in the registry.
type Spec struct {
	Name    string         `json:"name"`
	Dim     int            `json:"dim"`
	Element string         `json:"element"`
	Metric  string         `json:"metric"`
	Model   string         `json:"model,omitempty"`
	Fields  []engine.Field `json:"fields,omitempty"`
	// Distributed is left out where the collection is on one server.
	Distributed string `json:"distributed,omitempty"`
	// FullText is left out where there is none.
	FullText string `json:"full_text,omitempty"`
	// Words says what the words of FullText are: WordsFormat, or 0 in a table that
	// was made when the server itself took texts apart.
	Words int `json:"words,omitempty"`
	// Vectors are left out where there are none.
	Vectors []engine.NamedVector `json:"vectors,omitempty"`
	// Indexes says what the indexes over lists, paths and words are: IndexesFormat, or 0 for
	// those of a version before it. It is left out where there are none.
	Indexes int `json:"indexes,omitempty"`
}

// IndexesFormat is the format of the indexes over lists, paths and words: 1 since those
// over lists and words keep little aside, and numbers of paths have indexes of their own.
const IndexesFormat = 1

// WordsFormat is the format of the words of full text: those of package words.
const WordsFormat = 1

// ServerWords reports whether the server itself took the texts apart.
func (s Spec) ServerWords() bool { return s.FullText != "" && s.Words == 0 }

// SpecOf returns the entry of a schema.
func SpecOf(s engine.Schema) Spec {
	out := Spec{Name: s.Name, Dim: s.Dim, Element: s.Element.String(), Metric: s.Metric.String(), Model: s.Model, Fields: s.Fields, Vectors: s.Vectors}
	if s.Distributed != engine.NotDistributed {
		out.Distributed = s.Distributed.String()
	}
	if s.FullText != engine.NoFullText {
		out.FullText, out.Words = s.FullText.String(), WordsFormat
	}
	if !s.Dated && out.hasIndexes() {
		out.Indexes = IndexesFormat
	}
	return out
}

// hasIndexes reports whether there are indexes that Indexes is about.
func (s Spec) hasIndexes() bool {
	return s.FullText != "" || slices.ContainsFunc(s.Fields, func(f engine.Field) bool {
		_, list := f.Type.Elem()
		return list && f.Index || len(f.Paths) > 0
	})
}

// Schema returns the schema of an entry.
func (s Spec) Schema() (engine.Schema, error) {
	out := engine.Schema{Name: s.Name, Dim: s.Dim, Model: s.Model, Fields: s.Fields, Vectors: s.Vectors}
	for _, out.Element = range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		if out.Element.String() == s.Element {
			break
		}
	}
	for _, out.Metric = range []codec.Metric{codec.Cosine, codec.Dot, codec.L2} {
		if out.Metric.String() == s.Metric {
			break
		}
	}
	if out.Element.String() != s.Element || out.Metric.String() != s.Metric {
		return out, fmt.Errorf("the registry says element %q and metric %q, which this version does not know", s.Element, s.Metric)
	}
	out.Dated = s.Indexes < IndexesFormat && s.hasIndexes()
	if s.Words > WordsFormat {
		return out, fmt.Errorf("the registry says that the words of full text have format %d, this version knows %d", s.Words, WordsFormat)
	}
	var known bool
	if out.Distributed, known = engine.ParseDistribution(cmp.Or(s.Distributed, engine.NotDistributed.String())); !known {
		return out, fmt.Errorf("the registry says that the collection is distributed by %q, which this version does not know", s.Distributed)
	}
	if out.FullText, known = engine.ParseFullText(s.FullText); !known {
		return out, fmt.Errorf("the registry says full text %q, which this version does not know", s.FullText)
	}
	return out, nil
}
