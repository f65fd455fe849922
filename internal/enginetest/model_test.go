package enginetest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// The model is what engines are held against, so it is pinned by hand.
func TestModelThinksInThreeValues(t *testing.T) {
	schema := vecwire.Schema{Dim: 1, Fields: []vecwire.Field{{Name: "a", Type: vecwire.Int}, {Name: "b", Type: vecwire.Int}}}
	m := newModel(schema,
		vecwire.Record{ID: "both", Fields: vecwire.Fields{"a": 1, "b": 2}},
		vecwire.Record{ID: "a only", Fields: vecwire.Fields{"a": 1}},
		vecwire.Record{ID: "neither"},
	)
	tests := []struct {
		f    filter.Filter
		want []string
	}{
		{filter.Filter{}, []string{"a only", "both", "neither"}},
		{filter.Or(), []string{}},
		{filter.Not(filter.Or()), []string{"a only", "both", "neither"}},
		{filter.Eq("b", 2), []string{"both"}},
		{filter.Not(filter.Eq("b", 2)), []string{}},
		{filter.Ne("b", 3), []string{"both"}},
		{filter.Not(filter.Ne("b", 2)), []string{"both"}},
		{filter.NotIn("b", 3), []string{"both"}},
		{filter.NotIn[int]("b"), []string{"a only", "both", "neither"}},
		{filter.Not(filter.In[int]("b")), []string{"a only", "both", "neither"}},
		{filter.IsNull("b"), []string{"a only", "neither"}},
		{filter.Not(filter.IsNull("b")), []string{"both"}},
		{filter.Or(filter.Eq("a", 1), filter.Eq("b", 2)), []string{"a only", "both"}},              // true or unknown is true
		{filter.And(filter.Eq("a", 1), filter.Eq("b", 2)), []string{"both"}},                       // true and unknown is unknown
		{filter.Not(filter.And(filter.Eq("a", 5), filter.Eq("b", 2))), []string{"a only", "both"}}, // false and unknown is false
		{filter.Not(filter.Or(filter.Eq("a", 5), filter.Eq("b", 5))), []string{"both"}},            // false or unknown is unknown
		{filter.Between("a", 1, 1), []string{"a only", "both"}},
		{filter.Between("a", 2, 0), []string{}},
		{filter.Prefix("id", "b"), []string{"both"}},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, m.ids(tt.f), "%s", tt.f)
	}
}

func TestModelScores(t *testing.T) {
	for metric, want := range map[vecwire.Metric]float64{vecwire.Cosine: 0.6, vecwire.Dot: 9, vecwire.L2: -math.Sqrt(16)} {
		m := newModel(vecwire.Schema{Dim: 2, Metric: metric}, vecwire.Record{ID: "x", Vector: []float32{3, 4}})
		got, _ := m.score(vecwire.Query{Vector: []float32{3, 0}}, "x")
		require.InDelta(t, want, got, 1e-15, "%s", metric)
	}
	huge := newModel(vecwire.Schema{Dim: 2, Element: vecwire.DOUBLE}, vecwire.Record{ID: "x", Vector64: []float64{1e200, 1e200}})
	got, _ := huge.score(vecwire.Query{Vector64: []float64{1e200, 0}}, "x")
	require.False(t, math.IsNaN(got))
}

func TestRankedBreaksTiesByID(t *testing.T) {
	m := newModel(vecwire.Schema{Dim: 1, Metric: vecwire.Dot},
		vecwire.Record{ID: "b", Vector: []float32{1}}, vecwire.Record{ID: "a", Vector: []float32{1}}, vecwire.Record{ID: "c", Vector: []float32{2}})
	require.Equal(t, []scored{{"c", 2}, {"a", 1}, {"b", 1}}, m.ranked(vecwire.Query{Vector: []float32{1}}))
}

func TestDifference(t *testing.T) {
	r := versionedAs("1", 7)
	require.Empty(t, difference(r, r))
	for what, change := range map[string]func(*vecwire.Record){
		"ID":      func(r *vecwire.Record) { r.ID = "2" },
		"Text":    func(r *vecwire.Record) { r.Text += " " },
		"Vector":  func(r *vecwire.Record) { r.Vector[0] = math.Nextafter32(r.Vector[0], 9) },
		"field v": func(r *vecwire.Record) { r.Fields["v"] = 7 }, // int, where int64 is wanted
		"field s": func(r *vecwire.Record) { delete(r.Fields, "s") },
		"field x": func(r *vecwire.Record) { r.Fields["x"] = "" },
	} {
		other := versionedAs("1", 7)
		change(&other)
		require.Contains(t, difference(r, other), what)
	}
}
