package typed_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// TestRoundTrip stores random structs and reads them back in every way.
func TestRoundTrip(t *testing.T) {
	docs := ensure[everything](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more"}) })
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 200
	want := map[string]everything{}
	var values []everything
	var ids []string
	for i := range n {
		v := randomEverything(rng, int32(i*7919-500_000))
		ids = append(ids, fmt.Sprint(v.Key))
		want[fmt.Sprint(v.Key)] = v
		values = append(values, v)
	}
	require.NoError(t, docs.Upsert(t.Context(), values[:n/2]...))
	require.NoError(t, docs.Insert(t.Context(), values[n/2:]...))
	err := docs.Insert(t.Context(), values[0])
	require.ErrorIs(t, err, vecwire.ErrExists)

	got, err := docs.Get(t.Context(), append(ids, "none")...)
	require.NoError(t, err)
	require.Len(t, got, n)
	for i := range got {
		require.Equal(t, values[i], got[i])
	}

	seen := 0
	for v, err := range docs.All(t.Context(), vecwire.Scan{Vectors: true}) {
		require.NoError(t, err)
		require.Equal(t, want[fmt.Sprint(v.Key)], v)
		seen++
	}
	require.Equal(t, n, seen)
	for range docs.All(t.Context(), vecwire.Scan{}) {
		break
	}

	query := vecwire.Query{Vector: []float32{1, 1, 1}, K: n, Vectors: true}
	hits, err := docs.Search(t.Context(), query)
	require.NoError(t, err)
	plain, err := docs.Collection.Search(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, hits, n)
	for i, h := range hits {
		require.Equal(t, plain[i].ID, fmt.Sprint(h.Value.Key))
		require.Equal(t, plain[i].Score, h.Score)
		require.Equal(t, plain[i].Distance, h.Distance)
		require.Equal(t, want[plain[i].ID], h.Value)
	}

	query.IDsOnly, query.Vectors, query.K = true, false, 1
	hits, err = docs.Search(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, everything{Key: hits[0].Value.Key}, hits[0].Value)

	count, err := docs.Count(t.Context(), filter.IsNull("ps"))
	require.NoError(t, err)
	missing := 0
	for _, v := range values {
		if v.PS == nil {
			missing++
		}
	}
	require.Equal(t, missing, count)
}

func TestValuesThatDoNotFit(t *testing.T) {
	docs := ensure[strict](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more", Type: vecwire.Int}) })
	good := strict{ID: 1, Vector: [2]float32{1, 0}}
	for want, change := range map[string]func(*strict){
		`record 1 (id "2"): typed_test.strict.Big: big is Int 18446744073709551615, want Int`:              func(s *strict) { s.Big = math.MaxUint64 },
		`record 1 (id "2"): typed_test.strict.Lang: lang is String "\xff", want String in valid UTF-8`:     func(s *strict) { s.Lang = "\xff" },
		`record 1 (id "2"): typed_test.strict.F: f is Float NaN, want a finite Float`:                      func(s *strict) { s.F = float32(math.NaN()) },
		`record 1 (id "2"): typed_test.strict.Vector: vector is all zeros, want a vector with a direction`: func(s *strict) { s.Vector = [2]float32{} },
		`record 1 (id "2"): typed_test.strict.Picky: cannot be written as text: it is bad`:                 func(s *strict) { s.Picky.s = "bad" },
		`record 1 (id "2"): typed_test.strict.Rest: holds "lang", which is in Lang`:                        func(s *strict) { s.Rest = vecwire.Fields{"lang": "x"} },
		`record 1 (id "2"): typed_test.strict.Rest: holds "id", which is in ID`:                            func(s *strict) { s.Rest = vecwire.Fields{"id": "x"} },
		`record 1 (id "2"): typed_test.strict.Rest: more is String "x", want Int`:                          func(s *strict) { s.Rest = vecwire.Fields{"more": "x"} },
		`record 1 (id "2"): typed_test.strict.Rest: schema of "docs": field "unknown" does not exist`:      func(s *strict) { s.Rest = vecwire.Fields{"unknown": 1} },
	} {
		bad := strict{ID: 2, Vector: [2]float32{1, 0}}
		change(&bad)
		for _, store := range []func(...strict) error{
			func(v ...strict) error { return docs.Upsert(t.Context(), v...) },
			func(v ...strict) error { return docs.Insert(t.Context(), v...) },
		} {
			err := store(good, bad)
			require.ErrorContains(t, err, want)
			var batch *vecwire.BatchError
			require.ErrorAs(t, err, &batch)
			require.Len(t, batch.Failed, 1)
			require.Equal(t, 2, batch.Total)
			var s *typed.StructError
			require.ErrorAs(t, err, &s)
		}
	}
	n, err := docs.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)

	for want, record := range map[string]vecwire.Record{
		`strict.Small: small is Int 300, want Int that int8 holds`:                    {ID: "1", Fields: vecwire.Fields{"small": 300}},
		`strict.Tiny: tiny is Int -1, want Int that uint8 holds`:                      {ID: "1", Fields: vecwire.Fields{"tiny": -1}},
		`strict.F: f is Float 1e+300, want Float that float32 holds`:                  {ID: "1", Fields: vecwire.Fields{"f": 1e300}},
		`strict.Picky: picky is String "unreadable", want the text of a typed_test.p`: {ID: "1", Fields: vecwire.Fields{"picky": "unreadable"}},
		`strict.ID: id is String "256", want the decimal digits of a uint8`:           {ID: "256"},
		`strict.ID: id is String "007", want the decimal digits of a uint8`:           {ID: "007"},
	} {
		_, err := docs.Value(record)
		require.ErrorContains(t, err, want)
		if record.Vector = []float32{1, 0}; record.Fields["f"] == nil {
			require.NoError(t, docs.Collection.Upsert(t.Context(), record))
			_, err = docs.Get(t.Context(), record.ID)
			require.ErrorContains(t, err, want)
			_, err = docs.Search(t.Context(), vecwire.Query{Vector: record.Vector})
			require.ErrorContains(t, err, want)
			for _, err = range docs.All(t.Context(), vecwire.Scan{}) {
				require.ErrorContains(t, err, want)
			}
			_, err = docs.DeleteWhere(t.Context(), filter.Filter{})
			require.NoError(t, err)
		}
	}
	_, err = docs.Value(vecwire.Record{ID: "1", Vector: []float32{1}})
	require.EqualError(t, err, "typed_test.strict.Vector: vector has 1 dimensions, want 2")
	_, err = docs.Value(vecwire.Record{ID: "1", Vector64: []float64{1, 2}})
	require.EqualError(t, err, "typed_test.strict.Vector: vector has DOUBLE elements, want FLOAT")
	_, err = docs.Value(vecwire.Record{ID: "1", Fields: vecwire.Fields{"lang": 1}})
	require.EqualError(t, err, "typed_test.strict.Lang: lang is Int 1, want String")
}

func TestValueTakesWhatFieldsTake(t *testing.T) {
	docs := ensure[strict](t, nil)
	v, err := docs.Value(vecwire.Record{ID: "5", Vector: []float32{1, 2}, Fields: vecwire.Fields{"small": 7.0, "big": uint8(9), "lang": lang("go"), "more": 1}})
	require.NoError(t, err)
	require.Equal(t, strict{ID: 5, Vector: [2]float32{1, 2}, Small: 7, Big: 9, Lang: "go", Rest: vecwire.Fields{"more": 1}}, v)
	r, err := docs.Record(v)
	require.NoError(t, err)
	require.Equal(t, "5", r.ID)
	require.Equal(t, []float32{1, 2}, r.Vector)
	require.Equal(t, 1, r.Fields["more"])
}

// TestWithEmbedder stores structs without vectors.
func TestWithEmbedder(t *testing.T) {
	type doc struct {
		ID   string
		Text string
	}
	db := openDB(t)
	bare, err := typed.Ensure[doc](t.Context(), db, "docs", func(s *vecwire.Schema) { s.Dim, s.Model = 26, "alphabet" })
	require.NoError(t, err)
	require.Error(t, bare.Upsert(t.Context(), doc{"1", "banana"}))
	docs, err := bare.WithEmbedder(alphabet{})
	require.NoError(t, err)
	require.NoError(t, docs.Upsert(t.Context(), doc{"1", "banana"}, doc{"2", "voodoo"}))
	hits, err := docs.Search(t.Context(), vecwire.Query{Text: "cocoon", K: 1})
	require.NoError(t, err)
	require.Equal(t, doc{"2", "voodoo"}, hits[0].Value)
}

// TestInATransaction fails a transaction by a value that cannot be a record.
func TestInATransaction(t *testing.T) {
	db := openDB(t)
	schema, err := typed.SchemaOf[strict]("docs")
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	err = db.Tx(t.Context(), func(ctx context.Context) error {
		inside, err := typed.Of[strict](c)
		require.NoError(t, err)
		require.NoError(t, inside.Upsert(ctx, strict{ID: 1, Vector: [2]float32{1, 0}}))
		err = inside.Upsert(ctx, strict{ID: 2, Vector: [2]float32{1, 0}, Picky: picky{"bad"}})
		require.ErrorContains(t, err, "it is bad")
		return nil
	})
	var field *typed.StructError
	require.ErrorAs(t, err, &field, "the transaction failed, although its function passed over the error")
	require.Equal(t, "Picky", field.Field)
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestEnsure(t *testing.T) {
	db := openDB(t)
	type doc struct {
		ID     string
		Vector []float32 `vecwire:",dim=3"`
		Lang   string    `vecwire:",index"`
	}
	docs, err := typed.Ensure[doc](t.Context(), db, "docs", func(s *vecwire.Schema) { s.Metric = vecwire.L2 })
	require.NoError(t, err)
	require.Equal(t, vecwire.L2, docs.Schema().Metric)
	require.NoError(t, docs.Upsert(t.Context(), doc{ID: "1", Vector: []float32{1, 2, 3}, Lang: "go"}))
	again, err := typed.Ensure[doc](t.Context(), db, "docs", func(s *vecwire.Schema) { s.Metric = vecwire.L2 })
	require.NoError(t, err)
	n, err := again.Count(t.Context(), filter.Eq("lang", "go"))
	require.NoError(t, err)
	require.Equal(t, 1, n)

	ensureError := func(field string, err error, wants ...string) {
		t.Helper()
		var s *typed.StructError
		require.ErrorAs(t, err, &s)
		require.Equal(t, field, s.Field)
		for _, want := range append(wants, "vecwire: ") {
			require.ErrorContains(t, err, want)
		}
	}
	_, err = typed.Ensure[struct {
		ID     string
		Vector []float32
	}](t.Context(), db, "sizeless")
	ensureError("Vector", err, "ensure collection sizeless", "dim=384")
	_, err = typed.Ensure[struct{ ID string }](t.Context(), db, "sizeless")
	ensureError("", err, "Schema.Dim")
	_, err = typed.Ensure[struct {
		ID     string
		Vector [3]float32
		Größe  int
	}](t.Context(), db, "names")
	ensureError("Größe", err, `field "größe" must be 1 to 48 letters`)
	_, err = typed.Ensure[struct {
		ID     string
		Vector [3]float32
		A      int `vecwire:"vecwire_a"`
	}](t.Context(), db, "names")
	ensureError("A", err, `field "vecwire_a" is taken`)
	_, err = typed.Ensure[struct {
		ID     string
		Vector [3]float32
		Lang   int
	}](t.Context(), db, "docs", func(s *vecwire.Schema) { s.Metric = vecwire.L2 })
	ensureError("Lang", err, "is String, want Int")
	_, err = typed.Ensure[int](t.Context(), db, "docs")
	ensureError("", err, "want a struct")

	require.NoError(t, db.Close())
	_, err = typed.Ensure[doc](t.Context(), db, "docs")
	require.ErrorIs(t, err, vecwire.ErrClosed)
}
