package typed_test

import (
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

func TestIngest(t *testing.T) {
	docs := ensure[strict](t, nil)
	input := func(values ...strict) iter.Seq2[strict, error] {
		return func(yield func(strict, error) bool) {
			for _, v := range values {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
	good := func(id uint8) strict { return strict{ID: id, Vector: [2]float32{1, 0}} }
	big, unwritable := good(2), good(3)
	big.Big, unwritable.Picky.s = math.MaxUint64, "bad"
	for _, o := range []vecwire.IngestOptions{{}, {MaxErrors: -1, Ordered: true}} {
		report, err := docs.Ingest(t.Context(), input(good(1), big, unwritable, good(4)), o)
		if o.MaxErrors == 0 {
			require.NoError(t, err)
			require.EqualValues(t, 2, report.Inserted)
			err = report.Err()
		}
		require.EqualValues(t, 2, report.Failed)
		slices.SortFunc(report.Failures, func(a, b vecwire.RecordError) int { return a.Index - b.Index })
		require.ErrorContains(t, &report.Failures[0], `record 1 (id "2"): typed_test.strict.Big: big is Int 18446744073709551615, want Int`)
		require.EqualError(t, &report.Failures[1], `record 2 (id "3"): typed_test.strict.Picky: cannot be written as text: it is bad`)
		var field *typed.StructError
		require.ErrorAs(t, err, &field)
		require.ErrorContains(t, err, "typed_test.strict.Big")
	}
	got, err := docs.Get(t.Context(), "1", "2", "3", "4")
	require.NoError(t, err)
	require.Equal(t, []strict{good(1), good(4)}, got)

	broken := errors.New("broken")
	_, err = docs.Ingest(t.Context(), func(yield func(strict, error) bool) { yield(strict{}, broken) }, vecwire.IngestOptions{})
	require.ErrorIs(t, err, broken)
	report, err := docs.Ingest(t.Context(), input(good(1), good(5)), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Unchanged)
	require.EqualValues(t, 1, report.Inserted)
}

// TestSearchVerbs compares SearchMany and SearchAll with the verbs beneath.
func TestSearchVerbs(t *testing.T) {
	docs := ensure[everything](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more"}) })
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 150 {
		require.NoError(t, docs.Upsert(t.Context(), randomEverything(rng, int32(i))))
	}
	queries := []vecwire.Query{
		{Vector: []float32{1, 1, 1}, K: 7, Vectors: true},
		{Vector: []float32{1, 0, -1}, K: 3, Vectors: true, Filter: filter.Eq("b", true)},
	}
	want, err := docs.Collection.SearchMany(t.Context(), queries)
	require.NoError(t, err)
	got, err := docs.SearchMany(t.Context(), queries)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	same := func(want vecwire.Hit, got typed.Hit[everything]) {
		t.Helper()
		value, err := docs.Value(want.Record)
		require.NoError(t, err)
		require.Equal(t, typed.Hit[everything]{Value: value, Score: want.Score, Distance: want.Distance}, got)
	}
	for i, r := range want {
		require.Equal(t, r.Exact, got[i].Exact)
		require.Equal(t, r.Plan.Path, got[i].Plan.Path)
		require.Len(t, got[i].Hits, len(r.Hits))
		for j := range r.Hits {
			same(r.Hits[j], got[i].Hits[j])
		}
	}

	var all []vecwire.Hit
	for h, err := range docs.Collection.SearchAll(t.Context(), queries[0]) {
		require.NoError(t, err)
		all = append(all, h)
	}
	require.Len(t, all, 150)
	n := 0
	for h, err := range docs.SearchAll(t.Context(), queries[0]) {
		require.NoError(t, err)
		same(all[n], h)
		n++
	}
	require.Equal(t, 150, n)
	for range docs.SearchAll(t.Context(), queries[0]) {
		break
	}

	bad := vecwire.Query{Vector: []float32{1}}
	_, err = docs.SearchMany(t.Context(), []vecwire.Query{bad})
	var dim *vecwire.DimensionError
	require.ErrorAs(t, err, &dim)
	for _, err = range docs.SearchAll(t.Context(), bad) {
		require.ErrorAs(t, err, &dim)
	}
}

// TestReplaceSource leaves the field of the source to the verb, or sets it.
func TestReplaceSource(t *testing.T) {
	type part struct {
		ID     string
		Vector [2]float32
		Source string `vecwire:",index"`
		Picky  picky
	}
	docs := ensure[part](t, nil)
	require.NoError(t, docs.Upsert(t.Context(), part{ID: "other", Vector: [2]float32{1, 1}, Source: "b.md"}))
	one, two := part{ID: "1", Vector: [2]float32{1, 0}}, part{ID: "2", Vector: [2]float32{0, 1}, Source: "a.md"}
	report, err := docs.ReplaceSource(t.Context(), "a.md", one, two)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Inserted)
	got, err := docs.Get(t.Context(), "1", "2")
	require.NoError(t, err)
	one.Source = "a.md"
	require.Equal(t, []part{one, two}, got)

	for field, change := range map[string]func(*part){
		"Source": func(p *part) { p.Source = "b.md" },
		"Picky":  func(p *part) { p.Picky.s = "bad" },
	} {
		bad := part{ID: "3", Vector: [2]float32{1, 0}}
		change(&bad)
		_, err = docs.ReplaceSource(t.Context(), "a.md", two, bad)
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 1)
		require.Equal(t, 1, batch.Failed[0].Index)
		var s *typed.StructError
		require.ErrorAs(t, err, &s)
		require.Equal(t, field, s.Field)
		require.ErrorContains(t, err, s.Error())
	}
	report, err = docs.ReplaceSource(t.Context(), "a.md", two)
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Unchanged)
	require.EqualValues(t, 1, report.Deleted)
	n, err := docs.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

// TestSource reads a document back in the order in which its values were given, and
// brings what stands around a hit.
func TestSource(t *testing.T) {
	type part struct {
		ID     string
		Vector [2]float32
		Text   string
		Source string `vecwire:",index"`
		Part   int
	}
	docs := ensure[part](t, nil)
	given := []part{
		{ID: "c", Vector: [2]float32{1, 0}, Text: "one"}, {ID: "a", Vector: [2]float32{0, 1}, Text: "two"}, {ID: "b", Vector: [2]float32{1, 1}, Text: "three"},
	}
	_, err := docs.ReplaceSource(t.Context(), "a.md", given...)
	require.NoError(t, err)
	got, err := docs.Source(t.Context(), "a.md")
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, p := range got {
		require.Equal(t, part{ID: given[i].ID, Text: given[i].Text, Source: "a.md", Part: i}, p)
	}
	_, err = docs.Source(t.Context(), "b.md")
	require.ErrorIs(t, err, vecwire.ErrNotFound)
	hits, err := docs.Search(t.Context(), vecwire.Query{Vector: []float32{0, 1}, K: 1, Around: 1})
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\nthree", hits[0].Passage.Text)

	given[0].Part, given[1].Part = 2, 1 // of their own, 0 among them
	_, err = docs.ReplaceSource(t.Context(), "a.md", given...)
	require.NoError(t, err)
	got, err = docs.Source(t.Context(), "a.md")
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a", "c"}, []string{got[0].ID, got[1].ID, got[2].ID})
}

// TestNamespace uses one struct for the collection and for its namespaces.
func TestNamespace(t *testing.T) {
	type note struct {
		ID        string
		Vector    [2]float32
		Namespace string `vecwire:",index"`
		Year      int
	}
	docs := ensure[note](t, nil)
	tenant := func(name string) *typed.Collection[note] {
		part, err := docs.Namespace(name)
		require.NoError(t, err)
		return part
	}
	acme, umbrella := tenant("acme"), tenant("umbrella")
	require.NoError(t, acme.Upsert(t.Context(), note{ID: "1", Vector: [2]float32{1, 0}, Year: 2020}))
	require.NoError(t, umbrella.Upsert(t.Context(), note{ID: "1", Vector: [2]float32{1, 0}, Namespace: "umbrella", Year: 2021}))
	err := acme.Upsert(t.Context(), note{ID: "2", Vector: [2]float32{1, 0}, Namespace: "umbrella"})
	require.ErrorContains(t, err, `.Namespace: namespace is String "umbrella", want String "acme" or nothing`)
	var batch *vecwire.BatchError
	require.ErrorAs(t, err, &batch)

	got, err := acme.Get(t.Context(), "1", "2")
	require.NoError(t, err)
	require.Equal(t, []note{{ID: "1", Vector: [2]float32{1, 0}, Namespace: "acme", Year: 2020}}, got)
	hits, err := umbrella.Search(t.Context(), vecwire.Query{Vector: []float32{1, 0}})
	require.NoError(t, err)
	require.Len(t, hits, 1)
	require.Equal(t, 2021, hits[0].Value.Year)
	for n, err := range docs.All(t.Context(), vecwire.Scan{Filter: filter.Eq("namespace", "acme")}) {
		require.NoError(t, err)
		require.Equal(t, note{ID: "acme/1", Namespace: "acme", Year: 2020}, n)
	}
	n, err := acme.DeleteWhere(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 1, n)

	type plain struct {
		ID     string
		Vector [2]float32
		Year   int
	}
	bare, err := docs.Collection.Namespace("umbrella")
	require.NoError(t, err)
	plains, err := typed.Of[plain](bare)
	require.NoError(t, err)
	read, err := plains.Get(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, []plain{{ID: "1", Vector: [2]float32{1, 0}, Year: 2021}}, read)
	_, err = docs.Namespace("no/name")
	require.Error(t, err)
}

// TestMirror binds a struct to a mirror.
func TestMirror(t *testing.T) {
	docs := ensure[strict](t, nil)
	require.NoError(t, docs.Upsert(t.Context(), strict{ID: 1, Vector: [2]float32{1, 0}, Small: 7}))
	mirror, err := docs.Mirror(t.Context(), vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer mirror.Close()
	mirrored, err := typed.Of[strict](mirror.Collection)
	require.NoError(t, err)
	hits, err := mirrored.Search(t.Context(), vecwire.Query{Vector: []float32{1, 0}, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, []typed.Hit[strict]{{Value: strict{ID: 1, Vector: [2]float32{1, 0}, Small: 7}, Score: 1}}, hits)
}

// TestEveryVerbIsTyped finds verbs of the collection beneath that would take or
// return records beside T, and what hits and results say that these do not.
func TestEveryVerbIsTyped(t *testing.T) {
	untyped := map[string]string{
		"Mirror": "it has verbs of its own; Of takes its Collection",
		"In":     "it is about one of the vectors; Query.In searches that for values",
	}
	beneath, ours := reflect.TypeFor[*vecwire.Collection](), reflect.TypeFor[*typed.Collection[strict]]()
	for i := range beneath.NumMethod() {
		m := beneath.Method(i)
		if _, known := untyped[m.Name]; known {
			continue
		}
		own, _ := ours.MethodByName(m.Name)
		for j := 1; j < own.Type.NumIn(); j++ {
			require.False(t, untypedIn(own.Type.In(j)), "%s takes a %s", m.Name, own.Type.In(j))
		}
		for j := range own.Type.NumOut() {
			require.False(t, untypedIn(own.Type.Out(j)), "%s returns a %s", m.Name, own.Type.Out(j))
		}
	}
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[vecwire.Hit](), reflect.TypeFor[typed.Hit[strict]]()},
		{reflect.TypeFor[vecwire.Result](), reflect.TypeFor[typed.Result[strict]]()},
	} {
		for _, f := range reflect.VisibleFields(pair[0]) {
			if f.Name != "Record" && len(f.Index) == 1 {
				_, has := pair[1].FieldByName(f.Name)
				require.True(t, has, "%s has no %s", pair[1], f.Name)
			}
		}
	}
}

// untypedIn tells whether a type is made of records.
func untypedIn(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[vecwire.Record](), reflect.TypeFor[vecwire.Hit](), reflect.TypeFor[vecwire.Result](), reflect.TypeFor[vecwire.Collection](), reflect.TypeFor[vecwire.Mirror]():
		return true
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Array:
		return untypedIn(t.Elem())
	case reflect.Func:
		for i := range t.NumIn() {
			if untypedIn(t.In(i)) {
				return true
			}
		}
		for i := range t.NumOut() {
			if untypedIn(t.Out(i)) {
				return true
			}
		}
	}
	return false
}
