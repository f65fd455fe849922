package enginetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// fullTextFilters: a filter of any form says which of the records that have the words are
// found, and lets no others in, with texts and without.
func (s *suite) fullTextFilters(t *testing.T) {
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	v := []float32{1, 2}
	require.NoError(t, c.Upsert(t.Context(),
		vecwire.Record{ID: "a", Vector: v, Text: "oars and sails", Fields: vecwire.Fields{"n": 1}},
		vecwire.Record{ID: "b", Vector: v, Text: "oars and sails", Fields: vecwire.Fields{"n": 2}},
		vecwire.Record{ID: "c", Vector: v, Text: "oars and sails"},
		vecwire.Record{ID: "d", Vector: v, Text: "wings", Fields: vecwire.Fields{"n": 1}},
		vecwire.Record{ID: "e", Vector: v, Text: "wings", Fields: vecwire.Fields{"n": 2}},
		vecwire.Record{ID: "f", Vector: v, Fields: vecwire.Fields{"n": 2}},
		vecwire.Record{ID: "g", Vector: v},
	))
	one, two, none := filter.Eq("n", 1), filter.Eq("n", 2), filter.IsNull("n")
	for _, test := range []struct {
		f    filter.Filter
		want []string
	}{
		{filter.Or(one, two), []string{"a", "b"}},
		{filter.Or(none, two), []string{"b", "c"}},
		{filter.Not(filter.And(one, two)), []string{"a", "b"}},
		{filter.Or(filter.And(one, two), none), []string{"c"}},
		{filter.And(filter.Or(one, two), filter.Or(two, none)), []string{"b"}},
	} {
		q := byText("oars", 9)
		q.Filter = test.f
		require.ElementsMatch(t, test.want, searchIDs(t, c, q), fmt.Sprint(test.f))
	}
}

// updateIfEither: a condition of any form is one of the record that is changed, and changes
// no other.
func (s *suite) updateIfEither(t *testing.T) {
	if !s.caps.UpdateIf {
		return // as updateConditions checks
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	for id, n := range map[string]int{"a": 1, "b": 2, "c": 2} {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 2}, Fields: vecwire.Fields{"n": n}}))
	}
	either := filter.Or(filter.Eq("n", 1), filter.Eq("n", 2))
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": 7}, If: either}))
	n, err := c.Count(ctx, filter.Eq("n", 7))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Error(t, c.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": 8}, If: either}))
	n, err = c.Count(ctx, filter.Eq("n", 2))
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
