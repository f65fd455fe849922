package schema

import (
	"fmt"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// Filter checks a filter against the schema, and that the engine can answer it.
func (r *Rules) Filter(f filter.Filter) (filter.Filter, error) {
	f, err := f.Check(r.filterType)
	if err != nil {
		return f, err
	}
	return f, r.checkText(f)
}

// filterType is TypeOf, and knows the text, which is no field.
func (r *Rules) filterType(field string) (filter.Type, bool) {
	if field == "text" {
		return filter.String, true
	}
	return r.TypeOf(field)
}

// checkText refuses what cannot be asked of the text, and what the engine lacks.
func (r *Rules) checkText(f filter.Filter) error {
	for _, arg := range f.Args() {
		if err := r.checkText(arg); err != nil {
			return err
		}
	}
	fail := func(format string, args ...any) error {
		return &filter.Error{Field: f.Field(), Offset: -1, Msg: fmt.Sprintf(format, args...)}
	}
	op, can := f.Op(), r.can()
	switch {
	case op == filter.OpLike && !can.Like:
		return engine.Unsupported("the filter like", r.engine)
	case op == filter.OpWords && f.Field() != "text":
		return fail("has no words: they are those of the text")
	case f.Field() != "text":
		return nil
	}
	switch op {
	case filter.OpWords:
		return r.checkWords(f, fail)
	case filter.OpPrefix, filter.OpContains, filter.OpLike, filter.OpIsNull:
		if !can.TextFilters {
			return engine.Unsupported("a filter over the text", r.engine)
		}
		return nil
	}
	return fail("is the record's text, which has no operation %s: it has contains, prefix, like, words and isNull", op)
}

func (r *Rules) checkWords(f filter.Filter, fail func(string, ...any) error) error {
	if r.schema.FullText == engine.NoFullText {
		return fail("has no words: the collection has no full text")
	}
	language := words.Named(r.schema.FullText.String())
	question, _ := f.Values()[0].(string)
	switch n := len(language.Distinct(question, engine.MaxWords+1)); {
	case n == 0:
		return &codec.ValueError{Field: "text", Pos: -1, Want: "a text with a word that counts", Got: filter.Describe(question)}
	case n > engine.MaxWords:
		return &codec.ValueError{Field: "text", Pos: -1, Want: fmt.Sprintf("at most %d different words", engine.MaxWords), Got: filter.Describe(question)}
	}
	return nil
}
