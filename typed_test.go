package vecwire_test

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// typed makes a collection in memory for values of T.
func typed[T any](t *testing.T, change func(*vecwire.Schema)) *vecwire.Typed[T] {
	t.Helper()
	schema, err := vecwire.SchemaOf[T]("docs")
	require.NoError(t, err)
	if change != nil {
		change(&schema)
	}
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	out, err := vecwire.NewTyped[T](c)
	require.NoError(t, err)
	return out
}

type (
	lang  string
	score float32
	stamp time.Time
	blob  []byte
	point []float32
)

// Source is embedded in a struct, whose fields its own then are.
type Source struct {
	SourceURL string
	Page      uint16 `vecwire:",index"`
}

// everything has a field of each type.
type everything struct {
	Key    int32  `vecwire:"id"`
	Vector point  `vecwire:",dim=3"`
	Body   lang   `vecwire:"text"`
	hidden string //nolint:unused // what is not exported is left alone
	Skip   func() `vecwire:"-"`
	Source

	S    string
	Lang lang `vecwire:"language,index"`
	B    bool
	I    int
	I8   int8
	I64  int64
	U    uint
	U8   uint8
	U64  uint64
	F32  score
	F64  float64
	T    time.Time
	Tn   stamp
	By   []byte
	Bn   blob
	Addr netip.Addr
	Lvl  slog.Level

	PS    *string
	PI    *int16
	PF    *float64
	PB    *bool
	PT    *time.Time
	PA    *netip.Addr
	NullI sql.Null[int32]
	NullL sql.Null[lang]
	NullS sql.NullString
	NullT sql.NullTime

	Z  int       `vecwire:",omitzero"`
	ZT time.Time `vecwire:",omitzero"`
	ZS string    `vecwire:"zs,omitzero,index"`

	Rest vecwire.Fields `vecwire:"*"`
}

func randomEverything(rng *rand.Rand, key int32) everything {
	text := func() string {
		return []string{"", "a", "007", "1e5", "héllo 日本", "it's \"quoted\"\n", " "}[rng.IntN(7)]
	}
	moment := func() time.Time {
		return time.Unix(rng.Int64N(4e9)-1e9, rng.Int64N(1e6)*1000).UTC()
	}
	bytes := func() []byte {
		return [][]byte{nil, {}, {0}, []byte("bytes")}[rng.IntN(4)]
	}
	address := func() netip.Addr {
		return []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("::1"), {}}[rng.IntN(3)]
	}
	v := everything{
		Key: key, Vector: point{rng.Float32() + 1, rng.Float32(), -rng.Float32()}, Body: lang(text()),
		Source: Source{text(), uint16(rng.Uint32())},
		S:      text(), Lang: lang(text()), B: rng.IntN(2) == 0,
		I: int(rng.Int64()), I8: int8(rng.Int64()), I64: -rng.Int64(), U: uint(rng.Int64()), U8: uint8(rng.Int64()), U64: uint64(rng.Int64()),
		F32: score(rng.NormFloat64()), F64: rng.NormFloat64() * math.Ldexp(1, rng.IntN(600)-300),
		T: moment(), Tn: stamp(moment()), By: bytes(), Bn: bytes(), Addr: address(), Lvl: slog.LevelWarn,
	}
	some := func() bool { return rng.IntN(2) == 0 }
	if some() {
		v.PS, v.PI, v.PF = new(text()), new(int16(rng.Int64())), new(rng.NormFloat64())
		v.NullI = sql.Null[int32]{V: rng.Int32(), Valid: true}
		v.NullS = sql.NullString{String: text(), Valid: true}
	}
	if some() {
		v.PB, v.PT, v.PA = new(some()), new(moment()), new(address())
		v.NullL = sql.Null[lang]{V: lang(text()), Valid: true}
		v.NullT = sql.NullTime{Time: moment(), Valid: true}
		v.Z, v.ZT, v.ZS = rng.IntN(2), moment(), text()
	}
	if some() {
		v.Rest = vecwire.Fields{"more": text()}
	}
	return v
}

// TestTypedRoundTrip stores random structs and reads them back in every way.
func TestTypedRoundTrip(t *testing.T) {
	docs := typed[everything](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more"}) })
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
	plain, err := docs.Collection().Search(t.Context(), query)
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

	count, err := docs.Collection().Count(t.Context(), filter.IsNull("ps"))
	require.NoError(t, err)
	missing := 0
	for _, v := range values {
		if v.PS == nil {
			missing++
		}
	}
	require.Equal(t, missing, count)
}

func TestSchemaOf(t *testing.T) {
	s, err := vecwire.SchemaOf[everything]("docs")
	require.NoError(t, err)
	require.Equal(t, "docs", s.Name)
	require.Equal(t, 3, s.Dim)
	fields := map[string]vecwire.Field{}
	for _, f := range s.Fields {
		fields[f.Name] = f
	}
	for name, want := range map[string]vecwire.Field{
		"source_url": {}, "page": {Type: vecwire.Int, Index: true}, "language": {Index: true}, "b": {Type: vecwire.Bool},
		"i8": {Type: vecwire.Int}, "u64": {Type: vecwire.Int}, "f32": {Type: vecwire.Float}, "t": {Type: vecwire.Time}, "tn": {Type: vecwire.Time},
		"bn": {Type: vecwire.Bytes}, "addr": {}, "lvl": {}, "pi": {Type: vecwire.Int}, "pa": {}, "null_i": {Type: vecwire.Int},
		"null_t": {Type: vecwire.Time}, "zt": {Type: vecwire.Time}, "zs": {Index: true},
	} {
		want.Name = name
		require.Equal(t, want, fields[name])
	}
	for _, name := range []string{"id", "key", "vector", "text", "body", "hidden", "skip", "source", "rest", "*"} {
		require.NotContains(t, fields, name)
	}

	type names struct {
		ID          string
		UserID      string
		HTTPServer  string
		CreatedAt2  string
		X           string
		ABTest      string
		Snake_Cased string
		Vector      [5]float64
	}
	s, err = vecwire.SchemaOf[names]("x")
	require.NoError(t, err)
	require.Equal(t, 5, s.Dim)
	require.Equal(t, vecwire.DOUBLE, s.Element)
	var got []string
	for _, f := range s.Fields {
		got = append(got, f.Name)
	}
	require.Equal(t, []string{"user_id", "http_server", "created_at2", "x", "ab_test", "snake_cased"}, got)
}

func schemaOf[T any]() error {
	_, err := vecwire.SchemaOf[T]("docs")
	return err
}

func TestStructsThatDoNotFit(t *testing.T) {
	type inner struct{ N chan int }
	for want, err := range map[string]error{
		`int: type is int, want a struct`:                                             schemaOf[int](),
		`*vecwire_test.everything: type is *vecwire_test.everything, want a struct`:   schemaOf[*everything](),
		`struct { A string }: no field ID, and none with the tag vecwire:"id"`:        schemaOf[struct{ A string }](),
		`.ID: type is float64, want a string, an integer, or a type with MarshalText`: schemaOf[struct{ ID float64 }](),
		`.ID: type is *string, want a string, an integer, or a type with MarshalText`: schemaOf[struct{ ID *string }](),
		`.Tags: type is []string, want a string, bool, number`: schemaOf[struct {
			ID   string
			Tags []string
		}](),
		`.P: type is **int, want a string`: schemaOf[struct {
			ID string
			P  **int
		}](),
		`.Any: type is interface {}, want a string`: schemaOf[struct {
			ID  string
			Any any
		}](),
		`.N: type is chan int, want a string`: schemaOf[struct {
			ID string
			inner
		}](),
		`.Vector: type is []int, want a slice or an array of float32 or float64`: schemaOf[struct {
			ID     string
			Vector []int
		}](),
		`.Vector: type is float32, want a slice or an array of float32 or float64`: schemaOf[struct {
			ID     string
			Vector float32
		}](),
		`.Text: type is []uint8, want a string`: schemaOf[struct {
			ID   string
			Text []byte
		}](),
		`.Rest: type is map[string]string, want vecwire.Fields`: schemaOf[struct {
			ID   string
			Rest map[string]string `vecwire:"*"`
		}](),
		`.A: has the option "indx" in its tag, want index, omitzero or dim=`: schemaOf[struct {
			ID string
			A  string `vecwire:",indx"`
		}](),
		`.A: is not the vector, and has a dim`: schemaOf[struct {
			ID string
			A  string `vecwire:",dim=3"`
		}](),
		`.Vector: has dim=x in its tag, want a positive number`: schemaOf[struct {
			ID     string
			Vector []float32 `vecwire:",dim=x"`
		}](),
		`.Vector: has 3 elements, and dim=4 in its tag`: schemaOf[struct {
			ID     string
			Vector [3]float32 `vecwire:",dim=4"`
		}](),
		`.ID: is the id, which takes no index or omitzero`: schemaOf[struct {
			ID string `vecwire:",index"`
		}](),
		`.B: has the name "a", as A has`: schemaOf[struct {
			ID string
			A  string
			B  string `vecwire:"a"`
		}](),
		`.B: has the name "A", as A has`: schemaOf[struct {
			ID string
			A  string
			B  string `vecwire:"A"`
		}](),
		`.Größe: has the name "größe", which must be 1 to 48 letters`: schemaOf[struct {
			ID    string
			Größe int
		}](),
		`.A: has the name "vecwire_a", which must be`: schemaOf[struct {
			ID string
			A  int `vecwire:"vecwire_a"`
		}](),
		`.a: has a tag and is not exported`: schemaOf[struct {
			ID string
			a  int `vecwire:"b"`
		}](),
		`.Source: type is *vecwire_test.Source, want a string`: schemaOf[struct {
			ID string
			*Source
		}](),
	} {
		var s *vecwire.StructError
		require.ErrorAs(t, err, &s, want)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "vecwire: make schema docs: ")
	}
}

func TestNewTypedChecksTheCollection(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 3, Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}}})
	require.NoError(t, err)
	newTyped := map[string]error{}
	add := func(want string, err error) { newTyped[want] = err }
	_, err = vecwire.NewTyped[struct {
		ID   string
		Lang string
	}](c)
	add(`schema of "docs": field "year" has no field in the struct, and Upsert would erase it`, err)
	_, err = vecwire.NewTyped[struct {
		ID   string
		Lang string
		Year string
	}](c)
	add(`.Year: schema of "docs": field "year" is Int, want String`, err)
	_, err = vecwire.NewTyped[struct {
		ID, Lang, Other string
		Year            int
	}](c)
	add(`.Other: schema of "docs": field "other" does not exist`, err)
	_, err = vecwire.NewTyped[struct {
		ID, Lang string
		Year     int
		Vector   []float64
	}](c)
	add(`.Vector: vector has DOUBLE elements, want FLOAT`, err)
	_, err = vecwire.NewTyped[struct {
		ID, Lang string
		Year     int
		Vector   [2]float32
	}](c)
	add(`.Vector: vector has 2 dimensions, want 3`, err)
	_, err = vecwire.NewTyped[int](c)
	add(`int: type is int, want a struct`, err)
	for want, err := range newTyped {
		var s *vecwire.StructError
		require.ErrorAs(t, err, &s)
		require.ErrorContains(t, err, want)
	}
	_, err = vecwire.NewTyped[struct {
		ID   string
		Year *int8
		Rest vecwire.Fields `vecwire:"*"`
	}](c)
	require.NoError(t, err)
}

// picky is a String that cannot always be written or read.
type picky struct{ s string }

func (p picky) MarshalText() ([]byte, error) {
	if p.s == "bad" {
		return nil, errors.New("it is bad")
	}
	return []byte(p.s), nil
}

func (p *picky) UnmarshalText(text []byte) error {
	if string(text) == "unreadable" {
		return errors.New("no")
	}
	p.s = string(text)
	return nil
}

type strict struct {
	ID     uint8
	Vector [2]float32
	Big    uint64
	Small  int8
	Tiny   *uint8
	F      float32
	Lang   string
	Picky  picky
	Rest   vecwire.Fields `vecwire:"*"`
}

func TestValuesThatDoNotFit(t *testing.T) {
	docs := typed[strict](t, func(s *vecwire.Schema) { s.Fields = append(s.Fields, vecwire.Field{Name: "more", Type: vecwire.Int}) })
	good := strict{ID: 1, Vector: [2]float32{1, 0}}
	for want, change := range map[string]func(*strict){
		`record 1 (id "2"): vecwire_test.strict.Big: big is Int 18446744073709551615, want Int`:              func(s *strict) { s.Big = math.MaxUint64 },
		`record 1 (id "2"): vecwire_test.strict.Lang: lang is String "\xff", want String in valid UTF-8`:     func(s *strict) { s.Lang = "\xff" },
		`record 1 (id "2"): vecwire_test.strict.F: f is Float NaN, want a finite Float`:                      func(s *strict) { s.F = float32(math.NaN()) },
		`record 1 (id "2"): vecwire_test.strict.Vector: vector is all zeros, want a vector with a direction`: func(s *strict) { s.Vector = [2]float32{} },
		`record 1 (id "2"): vecwire_test.strict.Picky: cannot be written as text: it is bad`:                 func(s *strict) { s.Picky.s = "bad" },
		`record 1 (id "2"): vecwire_test.strict.Rest: holds "lang", which is in Lang`:                        func(s *strict) { s.Rest = vecwire.Fields{"lang": "x"} },
		`record 1 (id "2"): vecwire_test.strict.Rest: holds "id", which is in ID`:                            func(s *strict) { s.Rest = vecwire.Fields{"id": "x"} },
		`record 1 (id "2"): vecwire_test.strict.Rest: more is String "x", want Int`:                          func(s *strict) { s.Rest = vecwire.Fields{"more": "x"} },
		`record 1 (id "2"): vecwire_test.strict.Rest: schema of "docs": field "unknown" does not exist`:      func(s *strict) { s.Rest = vecwire.Fields{"unknown": 1} },
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
			var s *vecwire.StructError
			require.ErrorAs(t, err, &s)
		}
	}
	n, err := docs.Collection().Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)

	for want, record := range map[string]vecwire.Record{
		`strict.Small: small is Int 300, want Int that int8 holds`:                      {ID: "1", Fields: vecwire.Fields{"small": 300}},
		`strict.Tiny: tiny is Int -1, want Int that uint8 holds`:                        {ID: "1", Fields: vecwire.Fields{"tiny": -1}},
		`strict.F: f is Float 1e+300, want Float that float32 holds`:                    {ID: "1", Fields: vecwire.Fields{"f": 1e300}},
		`strict.Picky: picky is String "unreadable", want the text of a vecwire_test.p`: {ID: "1", Fields: vecwire.Fields{"picky": "unreadable"}},
		`strict.ID: id is String "256", want the decimal digits of a uint8`:             {ID: "256"},
		`strict.ID: id is String "007", want the decimal digits of a uint8`:             {ID: "007"},
	} {
		_, err := docs.Value(record)
		require.ErrorContains(t, err, want)
		if record.Vector = []float32{1, 0}; record.Fields["f"] == nil {
			require.NoError(t, docs.Collection().Upsert(t.Context(), record))
			_, err = docs.Get(t.Context(), record.ID)
			require.ErrorContains(t, err, want)
			_, err = docs.Search(t.Context(), vecwire.Query{Vector: record.Vector})
			require.ErrorContains(t, err, want)
			for _, err = range docs.All(t.Context(), vecwire.Scan{}) {
				require.ErrorContains(t, err, want)
			}
			_, err = docs.Collection().DeleteWhere(t.Context(), filter.Filter{})
			require.NoError(t, err)
		}
	}
	_, err = docs.Value(vecwire.Record{ID: "1", Vector: []float32{1}})
	require.EqualError(t, err, "vecwire_test.strict.Vector: vector has 1 dimensions, want 2")
	_, err = docs.Value(vecwire.Record{ID: "1", Vector64: []float64{1, 2}})
	require.EqualError(t, err, "vecwire_test.strict.Vector: vector has DOUBLE elements, want FLOAT")
	_, err = docs.Value(vecwire.Record{ID: "1", Fields: vecwire.Fields{"lang": 1}})
	require.EqualError(t, err, "vecwire_test.strict.Lang: lang is Int 1, want String")
}

func TestTypedIngest(t *testing.T) {
	docs := typed[strict](t, nil)
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
		require.EqualError(t, &report.Failures[0], `record 1 (id "2"): vecwire_test.strict.Big: big is Int 18446744073709551615, want Int`)
		require.EqualError(t, &report.Failures[1], `record 2 (id "3"): vecwire_test.strict.Picky: cannot be written as text: it is bad`)
		var field *vecwire.StructError
		require.ErrorAs(t, err, &field)
		require.ErrorContains(t, err, "vecwire_test.strict.Big")
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

func TestValueTakesWhatFieldsTake(t *testing.T) {
	docs := typed[strict](t, nil)
	v, err := docs.Value(vecwire.Record{ID: "5", Vector: []float32{1, 2}, Fields: vecwire.Fields{"small": 7.0, "big": uint8(9), "lang": lang("go"), "more": 1}})
	require.NoError(t, err)
	require.Equal(t, strict{ID: 5, Vector: [2]float32{1, 2}, Small: 7, Big: 9, Lang: "go", Rest: vecwire.Fields{"more": 1}}, v)
	r, err := docs.Record(v)
	require.NoError(t, err)
	require.Equal(t, "5", r.ID)
	require.Equal(t, []float32{1, 2}, r.Vector)
	require.Equal(t, 1, r.Fields["more"])
}

// TestTypedWithEmbedder stores structs without vectors.
func TestTypedWithEmbedder(t *testing.T) {
	type doc struct {
		ID   string
		Text string
	}
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	schema, err := vecwire.SchemaOf[doc]("docs")
	require.NoError(t, err)
	require.Zero(t, schema.Dim)
	schema.Dim, schema.Model = 3, "vowels"
	bare, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	c, err := bare.WithEmbedder(vowels{})
	require.NoError(t, err)
	docs, err := vecwire.NewTyped[doc](c)
	require.NoError(t, err)
	require.NoError(t, docs.Upsert(t.Context(), doc{"1", "banana"}, doc{"2", "voodoo"}))
	hits, err := docs.Search(t.Context(), vecwire.Query{Text: "cocoon", K: 1})
	require.NoError(t, err)
	require.Equal(t, doc{"2", "voodoo"}, hits[0].Value)
}

// TestTypedInATransaction fails a transaction by a value that cannot be a record.
func TestTypedInATransaction(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	schema, err := vecwire.SchemaOf[strict]("docs")
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	err = db.Tx(t.Context(), func(tx *vecwire.Tx) error {
		c, err := tx.Collection(c)
		require.NoError(t, err)
		inside, err := vecwire.NewTyped[strict](c)
		require.NoError(t, err)
		require.NoError(t, inside.Upsert(t.Context(), strict{ID: 1, Vector: [2]float32{1, 0}}))
		require.Error(t, inside.Upsert(t.Context(), strict{ID: 2, Vector: [2]float32{1, 0}, Picky: picky{"bad"}}))
		return nil
	})
	require.ErrorContains(t, err, "it is bad")
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
}
