package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// alter: a collection gets another schema, and all that have it open go on.
func (s *suite) alter(t *testing.T) {
	if !s.caps.Alter {
		c := s.create(t, vecwire.Schema{Dim: 2})
		name := c.Schema().Name
		err := s.db.AlterCollection(t.Context(), name, vecwire.Alter{AddFields: []vecwire.Field{{Name: "x"}}})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		_, err = s.db.EnsureCollection(t.Context(), vecwire.Schema{Name: name, Dim: 2, Fields: []vecwire.Field{{Name: "x"}}})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.Empty(t, c.Schema().Fields)
		return
	}
	run(t, "fields", s.alterFields)
	run(t, "lists", s.alterLists)
	run(t, "JSON", s.alterJSON)
	run(t, "refusals", s.alterRefusals)
	run(t, "words", s.alterWords)
	run(t, "names", s.alterNames)
	run(t, "ensure", s.alterEnsure)
	run(t, "handles", s.alterHandles)
	run(t, "indexes", s.alterVectorIndex)
	run(t, "reembed", s.alterReembed)
	run(t, "all at once", s.alterConcurrency)
}

// rename gives the model's fields other names, and takes away those of no name.
func (m *model) rename(schema vecwire.Schema, names map[string]string) {
	m.schema = schema
	for id, r := range m.records {
		fields := vecwire.Fields{}
		for name, v := range r.Fields {
			to, renamed := names[name]
			switch {
			case !renamed:
				fields[name] = v
			case to != "":
				fields[to] = v
			}
		}
		r.Fields = fields
		m.records[id] = r
	}
}

func (s *suite) alterFields(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	name := c.Schema().Name
	other := s.elsewhere(t, name)
	g := newGenerator(401, c.Schema())
	m := newModel(c.Schema(), g.records(40)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	check := func(what string, want []vecwire.Field) {
		t.Helper()
		require.Equal(t, want, c.Schema().Fields, what)
		reopened := s.elsewhere(t, name)
		require.Equal(t, want, reopened.Schema().Fields, what)
		g.schema = c.Schema()
		for _, h := range []*vecwire.Collection{c, reopened} {
			m.expectAll(t, h)
			for range s.sample(6) {
				m.expectSearch(t, h, vecwire.Query{Vector: g.vector(), Filter: g.filter(2), K: 20})
			}
		}
		records := g.records(5) // some of them new
		m.upsert(records...)
		require.NoError(t, c.Upsert(ctx, records...), what)
		m.expectAll(t, c)
	}
	alter := func(what string, a vecwire.Alter, names map[string]string, change func(fields []vecwire.Field) []vecwire.Field) {
		t.Helper()
		want := change(c.Schema().Fields)
		require.NoError(t, s.db.AlterCollection(ctx, name, a), what)
		m.rename(c.Schema(), names)
		check(what, want)
	}
	at := func(fields []vecwire.Field, name string) *vecwire.Field {
		return &fields[slices.IndexFunc(fields, func(f vecwire.Field) bool { return f.Name == name })]
	}
	alter("add", vecwire.Alter{AddFields: []vecwire.Field{{Name: "n1", Type: vecwire.Int, Index: true}, {Name: "n2"}, {Name: "order", Type: vecwire.Time}}}, nil,
		func(fields []vecwire.Field) []vecwire.Field {
			return append(fields, vecwire.Field{Name: "n1", Type: vecwire.Int, Index: true}, vecwire.Field{Name: "n2"}, vecwire.Field{Name: "order", Type: vecwire.Time})
		})
	alter("drop", vecwire.Alter{DropFields: []string{"si", "f", "yi"}}, map[string]string{"si": "", "f": "", "yi": ""}, func(fields []vecwire.Field) []vecwire.Field {
		return slices.DeleteFunc(fields, func(f vecwire.Field) bool { return f.Name == "si" || f.Name == "f" || f.Name == "yi" })
	})
	alter("rename", vecwire.Alter{RenameFields: map[string]string{"s": "title", "ii": "Year"}}, map[string]string{"s": "title", "ii": "Year"}, func(fields []vecwire.Field) []vecwire.Field {
		at(fields, "s").Name, at(fields, "ii").Name = "title", "Year"
		return fields
	})
	alter("exchange names", vecwire.Alter{RenameFields: map[string]string{"title": "n2", "n2": "title", "Year": "year"}}, map[string]string{"title": "n2", "n2": "title", "Year": "year"},
		func(fields []vecwire.Field) []vecwire.Field {
			a, b := at(fields, "title"), at(fields, "n2")
			a.Name, b.Name, at(fields, "Year").Name = "n2", "title", "year"
			return fields
		})
	alter("indexes", vecwire.Alter{Indexed: map[string]bool{"year": false, "i": true, "title": true, "bi": false, "b": false}}, nil, func(fields []vecwire.Field) []vecwire.Field {
		at(fields, "year").Index, at(fields, "bi").Index = false, false
		at(fields, "i").Index, at(fields, "title").Index = true, true
		return fields
	})
	alter("a dropped name is given to another type, and a renamed one to a new field", vecwire.Alter{
		AddFields:  []vecwire.Field{{Name: "f", Type: vecwire.String, Index: true}, {Name: "i", Type: vecwire.Bytes, Index: true}},
		DropFields: []string{"n1"}, RenameFields: map[string]string{"i": "j"}, Indexed: map[string]bool{"j": false},
	}, map[string]string{"n1": "", "i": "j"}, func(fields []vecwire.Field) []vecwire.Field {
		at(fields, "i").Index, at(fields, "i").Name = false, "j"
		fields = slices.DeleteFunc(fields, func(f vecwire.Field) bool { return f.Name == "n1" })
		return append(fields, vecwire.Field{Name: "f", Index: true}, vecwire.Field{Name: "i", Type: vecwire.Bytes, Index: true})
	})
	alter("nothing", vecwire.Alter{Indexed: map[string]bool{"i": true}}, nil, func(fields []vecwire.Field) []vecwire.Field { return fields })

	// A handle that does not know of it names what is gone, or does what it did.
	if s.target.Shared {
		_, err := other.Count(ctx, filter.Eq("si", "x"))
		require.Error(t, err)
		require.NotErrorIs(t, err, vecwire.ErrNotFound)
		n, err := other.Count(ctx, filter.IsNull("id"))
		require.NoError(t, err)
		require.Zero(t, n)
	}
}

func (s *suite) alterRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "a"}, {Name: "b", Type: vecwire.Int, Index: true}}})
	there := s.create(t, vecwire.Schema{Dim: 2})
	name := c.Schema().Name
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"a": "x", "b": 1}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	add := func(f vecwire.Field) vecwire.Alter { return vecwire.Alter{AddFields: []vecwire.Field{f}} }
	for what, a := range map[string]vecwire.Alter{
		"a field that is there":         add(vecwire.Field{Name: "a"}),
		"one in another case":           add(vecwire.Field{Name: "A"}),
		"a taken name":                  add(vecwire.Field{Name: "vecwire_x"}),
		"the text":                      add(vecwire.Field{Name: "text"}),
		"a quote":                       add(vecwire.Field{Name: `x"`}),
		"an unknown type":               add(vecwire.Field{Name: "x", Type: 99}),
		"dropped and not there":         {DropFields: []string{"x"}},
		"renamed and not there":         {RenameFields: map[string]string{"x": "y"}},
		"renamed to another":            {RenameFields: map[string]string{"a": "b"}},
		"renamed to nothing":            {RenameFields: map[string]string{"a": ""}},
		"renamed and dropped":           {DropFields: []string{"a"}, RenameFields: map[string]string{"a": "c"}},
		"indexed and not there":         {Indexed: map[string]bool{"x": true}},
		"indexed by its name before":    {RenameFields: map[string]string{"a": "c"}, Indexed: map[string]bool{"a": true}},
		"an unknown full text":          {FullText: new(vecwire.FullText(99))},
		"a collection's taken name":     {Rename: "vecwire_x"},
		"a collection's name in spaces": {Rename: "x y"},
	} {
		a.DropFields = append(a.DropFields[:len(a.DropFields):len(a.DropFields)], "b") // which must not happen
		if what == "renamed to another" {
			a.DropFields = nil
		}
		var e *vecwire.SchemaError
		require.ErrorAs(t, s.db.AlterCollection(ctx, name, a), &e, what)
		require.Equal(t, m.schema, c.Schema(), what)
		m.expectAll(t, c)
	}
	require.ErrorIs(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"b"}, Rename: there.Schema().Name}), vecwire.ErrExists)
	for _, missing := range []string{"none", "", "a b", "vecwire_notes"} {
		require.ErrorIs(t, s.db.AlterCollection(ctx, missing, vecwire.Alter{}), vecwire.ErrNotFound, missing)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, s.db.AlterCollection(cancelled, name, vecwire.Alter{DropFields: []string{"b"}}), context.Canceled)
	if s.db.Capabilities().Transactions {
		require.ErrorContains(t, s.db.Tx(ctx, func(ctx context.Context) error {
			return s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"b"}})
		}), "transaction")
	}
	require.Equal(t, m.schema, s.elsewhere(t, name).Schema())
	m.expectAll(t, c)
}

// alterWords turns full text on and off.
func (s *suite) alterWords(t *testing.T) {
	if !s.caps.FullText {
		return
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	name := c.Schema().Name
	var records []vecwire.Record
	for i := range s.sample(600) + 5 {
		records = append(records, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i)}, Text: fmt.Sprintf("cats number%d", i)})
	}
	records[1].Text = ""
	records[2].Text = "searching dogs"
	require.NoError(t, c.Upsert(ctx, records...))
	finds := func(c *vecwire.Collection, word string, want ...string) {
		t.Helper()
		hits, err := c.Search(ctx, vecwire.Query{Text: word, K: 5, Fusion: &vecwire.Fusion{TextOnly: true}})
		require.NoError(t, err)
		require.ElementsMatch(t, want, hitIDs(hits), word)
	}
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{FullText: new(vecwire.Words), AddFields: []vecwire.Field{{Name: "m"}}}))
	finds(c, "number4", "4")
	finds(c, "search")
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Text: "mice", Fields: vecwire.Fields{"m": "x"}}))
	finds(c, "mice", "1")
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{FullText: new(vecwire.English)}))
	finds(c, "search", "2")
	_, err := c.Delete(ctx, "2")
	require.NoError(t, err)
	finds(s.elsewhere(t, name), "search")
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{FullText: new(vecwire.NoFullText)}))
	_, err = c.Search(ctx, vecwire.Query{Text: "mice", Fusion: &vecwire.Fusion{TextOnly: true}})
	require.Error(t, err)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "2", Vector: []float32{1, 1}, Text: "owls"}))
	renamed := s.name()
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{FullText: new(vecwire.Words), Rename: renamed}))
	t.Cleanup(func() { _ = s.db.DropCollection(context.Background(), renamed) })
	finds(c, "owls", "2")
	finds(c, "mice", "1")
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "2", Vector: []float32{1, 1}, Text: "bats"}))
	finds(c, "owls")
	finds(s.elsewhere(t, renamed), "bats", "2")
}

// alterNames gives a collection another name.
func (s *suite) alterNames(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}})
	before, name := c.Schema().Name, s.name()
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "text", Fields: vecwire.Fields{"n": 1}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	require.NoError(t, s.db.AlterCollection(ctx, before, vecwire.Alter{Rename: name}))
	t.Cleanup(func() { _ = s.db.DropCollection(context.Background(), name) })
	_, err := s.db.OpenCollection(ctx, before)
	require.ErrorIs(t, err, vecwire.ErrNotFound)
	require.Equal(t, name, c.Schema().Name)
	m.schema.Name = name
	m.expectAll(t, c)
	m.expectAll(t, s.elsewhere(t, name))

	// Another collection gets the name that is free, and the two are two.
	second := s.create(t, vecwire.Schema{Name: before, Dim: 2, Fields: []vecwire.Field{{Name: "n"}}})
	require.NoError(t, second.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{9, 9}, Fields: vecwire.Fields{"n": "x"}}))
	m.upsert(vecwire.Record{ID: "2", Vector: []float32{3, 3}})
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "2", Vector: []float32{3, 3}}))
	m.expectAll(t, c)
	require.NoError(t, s.db.AlterCollection(ctx, before, vecwire.Alter{AddFields: []vecwire.Field{{Name: "x"}}}))
	require.Len(t, second.Schema().Fields, 2)
	require.Len(t, c.Schema().Fields, 1)

	// A name in other letters is the same name.
	upper := "C" + name[1:]
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{Rename: upper}))
	require.Equal(t, upper, c.Schema().Name)
	require.Equal(t, upper, s.elsewhere(t, name).Schema().Name)
	m.schema.Name = upper
	m.expectAll(t, c)
	require.NoError(t, s.db.DropCollection(ctx, name))
	_, err = c.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, vecwire.ErrNotFound)
}

// alterEnsure: EnsureCollection adds what is missing, and leaves what there is more.
func (s *suite) alterEnsure(t *testing.T) {
	ctx := t.Context()
	first := vecwire.Schema{Name: s.name(), Dim: 2, Model: "m", Fields: []vecwire.Field{{Name: "a"}, {Name: "gone", Type: vecwire.Int}}}
	c := s.create(t, first)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Fields: vecwire.Fields{"a": "x", "gone": 7}}))
	second := first
	second.Fields = []vecwire.Field{{Name: "added", Type: vecwire.Time, Index: true}, {Name: "a", Index: true}}
	d, err := s.db.EnsureCollection(ctx, second)
	require.NoError(t, err)
	want := append(slices.Clone(first.Fields), second.Fields[0])
	require.Equal(t, want, d.Schema().Fields)
	require.Equal(t, want, c.Schema().Fields, "the version before goes on")
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"a": "y"}}))
	got, err := d.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"a": "y", "gone": int64(7)}, got[0].Fields)
	again, err := s.db.EnsureCollection(ctx, first)
	require.NoError(t, err)
	require.Equal(t, want, again.Schema().Fields)

	for what, change := range map[string]func(*vecwire.Schema){
		"Dim":       func(s *vecwire.Schema) { s.Dim = 3 },
		"Metric":    func(s *vecwire.Schema) { s.Metric = vecwire.Dot },
		"Element":   func(s *vecwire.Schema) { s.Element = vecwire.DOUBLE },
		"Model":     func(s *vecwire.Schema) { s.Model = "n" },
		"FullText":  func(s *vecwire.Schema) { s.FullText = vecwire.Words },
		"gone":      func(s *vecwire.Schema) { s.Fields = []vecwire.Field{{Name: "more"}, {Name: "gone"}} },
		"is taken":  func(s *vecwire.Schema) { s.Fields = []vecwire.Field{{Name: "A"}} },
		"vecwire_x": func(s *vecwire.Schema) { s.Fields = []vecwire.Field{{Name: "vecwire_x"}} },
	} {
		schema := first
		change(&schema)
		var e *vecwire.SchemaError
		_, err := s.db.EnsureCollection(ctx, schema)
		require.ErrorAs(t, err, &e, what)
		require.ErrorContains(t, err, what)
		require.Equal(t, what == "Model", errors.Is(err, vecwire.ErrModelMismatch))
	}
	require.Equal(t, want, c.Schema().Fields)

	// Many who add the same at once all get it.
	second.Fields = append(second.Fields, vecwire.Field{Name: "late", Type: vecwire.Int, Index: true}, vecwire.Field{Name: "later"})
	errs := make([]error, 6)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			var c *vecwire.Collection
			if c, errs[i] = s.db.EnsureCollection(ctx, second); errs[i] == nil {
				errs[i] = c.Upsert(ctx, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, 1}, Fields: vecwire.Fields{"late": i}})
			}
		})
	}
	wait.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, c.Schema().Fields, 5)
	n, err := c.Count(ctx, filter.Ge("late", 0))
	require.NoError(t, err)
	require.Equal(t, len(errs), n)
}
