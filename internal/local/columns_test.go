package local

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// columnSchema has an indexed field of each type, and some that are not.
var columnSchema = engine.Schema{Name: "docs", Dim: 2, FullText: engine.Words, Fields: []engine.Field{
	{Name: "s", Type: filter.String, Index: true}, {Name: "i", Type: filter.Int, Index: true}, {Name: "f", Type: filter.Float, Index: true},
	{Name: "b", Type: filter.Bool, Index: true}, {Name: "t", Type: filter.Time, Index: true}, {Name: "y", Type: filter.Bytes, Index: true},
	{Name: "ls", Type: filter.Strings, Index: true}, {Name: "li", Type: filter.Ints, Index: true}, {Name: "lf", Type: filter.Floats, Index: true},
	{Name: "m", Type: filter.JSON, Paths: []string{"a", "a.b"}}, {Name: "plain", Type: filter.Int}, {Name: "tags", Type: filter.Strings},
}}

// fieldValues are few for each type, so that records share them, and some of them are
// near each other.
var fieldValues = map[filter.Type][]any{
	filter.String: {"", "a", "A", "ab", "abc", "b", "é", "e\u0301", "日本", "\u00ff", "😀", "%", "_", "a%"},
	filter.Int:    {int64(0), int64(-1), int64(1), int64(1) << 53, int64(1)<<53 + 1, int64(math.MinInt64), int64(math.MaxInt64), int64(7)},
	filter.Float:  {0.0, -0.5, 0.5, 1e300, -1e300, 5e-324, 0.1, 0.1 + 0.2, 0.3},
	filter.Bool:   {true, false},
	filter.Time:   {time.Unix(0, 0).UTC(), time.Unix(0, 1000).UTC(), time.Unix(-1, 0).UTC(), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)},
	filter.Bytes:  {[]byte{}, []byte{0}, []byte{0, 1}, []byte("a"), []byte{255}},
}

func randomValue(rng *rand.Rand, t filter.Type) any {
	switch elem, list := t.Elem(); {
	case rng.IntN(6) == 0:
		return nil
	case list:
		switch elem {
		case filter.String:
			return randomList[string](rng, elem)
		case filter.Int:
			return randomList[int64](rng, elem)
		}
		return randomList[float64](rng, elem)
	case t == filter.JSON:
		inner := map[string]any{"b": randomScalar(rng)}
		return map[string]any{"a": []any{randomScalar(rng), inner, inner, []any{randomScalar(rng)}}[rng.IntN(4)]}
	}
	return fieldValues[t][rng.IntN(len(fieldValues[t]))]
}

func randomList[T any](rng *rand.Rand, elem filter.Type) []T {
	list := make([]T, rng.IntN(4))
	for i := range list {
		list[i] = fieldValues[elem][rng.IntN(len(fieldValues[elem]))].(T)
	}
	return list
}

// randomScalar returns a value within JSON.
func randomScalar(rng *rand.Rand) any {
	return []any{"", "a", "ab", "b", true, false, nil, json.Number("0"), json.Number("-1"), json.Number("1.5"), json.Number("9007199254740993"), json.Number("10")}[rng.IntN(12)]
}

// randomFilter returns a checked filter over the fields of columnSchema.
func randomFilter(t testing.TB, rng *rand.Rand, depth int) filter.Filter {
	f := writeFilter(rng, depth)
	checked, err := f.Check(func(name string) (filter.Type, bool) {
		if name == "id" || name == "text" {
			return filter.String, true
		}
		field, _ := filter.SplitPath(name)
		i := slices.IndexFunc(columnSchema.Fields, func(f engine.Field) bool { return f.Name == field })
		return columnSchema.Fields[i].Type, true
	})
	require.NoError(t, err, f)
	return checked
}

func writeFilter(rng *rand.Rand, depth int) filter.Filter {
	if depth > 0 && rng.IntN(3) > 0 {
		args := make([]filter.Filter, rng.IntN(4))
		for i := range args {
			args[i] = writeFilter(rng, depth-1)
		}
		switch rng.IntN(3) {
		case 0:
			return filter.And(args...)
		case 1:
			return filter.Or(args...)
		}
		return filter.Not(writeFilter(rng, depth-1))
	}
	switch rng.IntN(10) {
	case 0:
		ids := []string{"id1", "id2", fmt.Sprint("id", rng.IntN(300)), "none"}
		return []filter.Filter{filter.Eq("id", ids[rng.IntN(4)]), filter.In("id", ids...), filter.NotIn("id", ids...), filter.Prefix("id", "id1"), filter.Ne("id", "id1")}[rng.IntN(5)]
	case 1:
		return []filter.Filter{filter.Words("text", "one"), filter.Contains("text", "o"), filter.IsNull("text")}[rng.IntN(3)]
	}
	f := columnSchema.Fields[rng.IntN(len(columnSchema.Fields))]
	name := f.Name
	if rng.IntN(8) == 0 {
		return filter.IsNull(name)
	}
	some := make([]any, rng.IntN(5))
	elem, list := f.Type.Elem()
	if !list {
		elem = f.Type
	}
	one := func() any {
		if elem == filter.JSON {
			for {
				if v := randomScalar(rng); v != nil {
					return v
				}
			}
		}
		return fieldValues[elem][rng.IntN(len(fieldValues[elem]))]
	}
	for i := range some {
		some[i] = one()
	}
	if elem == filter.JSON {
		name = []string{"m.a", "m.a.b", "m.a.c"}[rng.IntN(3)]
	}
	switch {
	case list || elem == filter.JSON && rng.IntN(6) == 0:
		return []filter.Filter{filter.ContainsAny(name, some...), filter.ContainsAll(name, some...), filter.IsNull(name)}[rng.IntN(3)]
	case rng.IntN(3) == 0:
		return []filter.Filter{filter.In(name, some...), filter.NotIn(name, some...), filter.IsNull(name)}[rng.IntN(3)]
	}
	a := one()
	for elem == filter.JSON && rng.IntN(2) == 0 {
		if s, ok := a.(string); ok {
			return []filter.Filter{filter.Prefix(name, s), filter.Contains(name, s), filter.Lt(name, s), filter.Ge(name, s)}[rng.IntN(4)]
		}
		if n, ok := a.(json.Number); ok {
			return []filter.Filter{filter.Lt(name, n), filter.Ge(name, n), filter.Between(name, n, json.Number("3")), filter.Gt(name, n), filter.Le(name, n)}[rng.IntN(5)]
		}
		a = one()
	}
	all := []filter.Filter{filter.Eq(name, a), filter.Ne(name, a)}
	if elem != filter.Bool && elem != filter.Bytes && elem != filter.JSON {
		all = append(all, filter.Gt(name, a), filter.Ge(name, a), filter.Lt(name, a), filter.Le(name, a), filter.Between(name, a, one()))
	}
	if s, ok := a.(string); ok && elem == filter.String {
		all = append(all, filter.Prefix(name, s), filter.Contains(name, s))
		if s != "\\" {
			all = append(all, filter.Like(name, "%"+s+"_"))
		}
	}
	return all[rng.IntN(len(all))]
}

func columnRecord(rng *rand.Rand, id string) engine.Record {
	r := engine.Record{ID: id, Vector: engine.Vector{F32: []float32{1, rng.Float32()}}, Text: []string{"", "one", "two"}[rng.IntN(3)]}
	for _, f := range columnSchema.Fields {
		r.Fields = append(r.Fields, randomValue(rng, f.Type))
	}
	return r
}

// A filter passes the same records from the columns as from SQLite, whatever was
// changed before, by whom, and inside a transaction.
func TestColumnsAnswerLikeSQLite(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 14))
			path := filepath.Join(t.TempDir(), "test.db")
			var of [2]*collection
			for i := range of {
				s := openStore(t, path)
				if i == 0 {
					create(t, s, columnSchema)
				}
				c, err := s.Open(t.Context(), columnSchema.Name)
				require.NoError(t, err)
				of[i] = c.(*collection)
			}
			for range 40 {
				c := of[rng.IntN(2)]
				if rng.IntN(3) == 0 {
					require.NoError(t, c.store.Tx(t.Context(), func(ctx context.Context) error {
						for range 3 {
							changeColumns(t, ctx, rng, c)
							requireColumnsIn(t, ctx, rng, c)
						}
						return nil
					}))
				} else {
					changeColumns(t, t.Context(), rng, c)
				}
				requireColumns(t, rng, of[rng.IntN(2)])
				requireLooks(t, rng, of[rng.IntN(2)])
			}
			require.Positive(t, of[0].fields.bytes())
			loaded := 0
			for _, k := range of[0].fields.all {
				if k != nil && k.column != nil {
					loaded++
				}
			}
			require.Equal(t, 11, loaded, "columns in memory")
		})
	}
}

// What a call finds in the columns and in SQLite is of one state, also while this process
// and another one write, and for one that holds on to a state of the file.
func TestColumnsWhileOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	inA := create(t, a, columnSchema).(*collection)
	opened, err := b.Open(t.Context(), columnSchema.Name)
	require.NoError(t, err)
	inB := opened.(*collection)
	readers, ctx := errgroup.WithContext(t.Context())
	writing, stop := context.WithCancel(ctx)
	for i := range 4 {
		readers.Go(func() error {
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			c, read := inB, inB.reads
			if i == 3 {
				read = func(ctx context.Context, verb string, f func(ctx context.Context) error) error {
					return inB.runPinned(ctx, verb, readingFunc(f))
				}
			}
			if i == 2 {
				c, read = inA, inA.reads
			}
			for writing.Err() == nil {
				f := randomFilter(t, rng, 2)
				var want, got []int32
				err := read(ctx, "Count", func(ctx context.Context) error {
					set, done, err := c.rowsThat(ctx, f)
					if err != nil {
						return err
					}
					got = slices.Collect(set.All())
					done()
					set, err = c.matching(ctx, c.store.read, f)
					want = slices.Collect(set.All())
					return err
				})
				if err == nil && !slices.Equal(want, got) {
					err = fmt.Errorf("%v: %v in SQLite, %v in the columns", f, want, got)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for range 40 {
		changeColumns(t, ctx, rng, []*collection{inA, inB}[rng.IntN(2)])
	}
	stop()
	require.NoError(t, readers.Wait())
}

func changeColumns(t testing.TB, ctx context.Context, rng *rand.Rand, c *collection) {
	id := func() string { return fmt.Sprint("id", rng.IntN(300)) }
	switch rng.IntN(6) {
	case 0:
		_, err := c.Delete(ctx, []string{id(), id()})
		require.NoError(t, err)
	case 1:
		_, err := c.DeleteWhere(ctx, filter.And(filter.Prefix("id", "id1"), randomFilter(t, rng, 1)))
		require.NoError(t, err)
	case 2:
		place := rng.IntN(len(columnSchema.Fields))
		_, err := c.UpdateWhere(ctx, randomFilter(t, rng, 1), []engine.FieldValue{{Place: place, Value: randomValue(rng, columnSchema.Fields[place].Type)}})
		require.NoError(t, err)
	default:
		batch := map[string]bool{}
		var records []engine.Record
		for range rng.IntN([]int{4, 200}[rng.IntN(2)]) + 1 {
			if id := id(); !batch[id] {
				batch[id] = true
				records = append(records, columnRecord(rng, id))
			}
		}
		require.NoError(t, c.Upsert(ctx, records))
	}
}

func requireColumns(t testing.TB, rng *rand.Rand, c *collection) {
	for range 30 {
		f := randomFilter(t, rng, 3)
		require.NoError(t, c.reads(t.Context(), "Count", func(ctx context.Context) error {
			want, err := c.matching(ctx, c.store.read, f)
			require.NoError(t, err)
			got, done, err := c.rowsThat(ctx, f)
			require.NoError(t, err)
			require.Equal(t, slices.Collect(want.All()), slices.Collect(got.All()), f)
			done()
			if few, ok := fewOf(t, ctx, c, f); ok {
				require.Equal(t, slices.Collect(want.All()), few, f)
			}
			return nil
		}))
	}
}

// fewOf returns the rows that a filter lets pass as columns list them.
func fewOf(t testing.TB, ctx context.Context, c *collection, f filter.Filter) ([]int32, bool) {
	e, err := c.evaluation(ctx, f)
	require.NoError(t, err)
	few, ok := e.Few(f, 100)
	few = append([]int32(nil), few...)
	slices.Sort(few)
	return few, ok
}

// requireLooks compares counts by value and pages.
func requireLooks(t testing.TB, rng *rand.Rand, c *collection) {
	for range 8 {
		field := columnSchema.Fields[rng.IntN(9)]
		f := filter.Filter{}
		if rng.IntN(3) > 0 {
			f = randomFilter(t, rng, 2)
		}
		require.NoError(t, c.reads(t.Context(), "Facet", func(ctx context.Context) error {
			if field.Type != filter.Bytes {
				facet := engine.Facet{Field: field.Name, Type: field.Type, Filter: f, Limit: 1 + rng.IntN(12)}
				want, err := c.facet(ctx, c.store.read, facet)
				require.NoError(t, err)
				got, ok, err := c.facetOfColumn(ctx, facet)
				require.NoError(t, err)
				if ok {
					require.Equal(t, want, got, facet)
				}
			}
			scan := engine.Scan{Filter: f, Limit: 1 + rng.IntN(100), After: []string{"", fmt.Sprint("id", rng.IntN(300))}[rng.IntN(2)]}
			if _, list := field.Type.Elem(); !list && field.Type != filter.Bytes {
				scan.Order = engine.Order{Field: field.Name, Type: field.Type, Desc: rng.IntN(2) == 0, Missing: rng.IntN(4) == 0}
				if !scan.Order.Missing && scan.After != "" {
					for scan.Order.After == nil {
						scan.Order.After = randomValue(rng, field.Type)
					}
				}
			}
			want, err := c.scan(ctx, c.store.read, scan, c.heldView())
			require.NoError(t, err)
			got, ok, err := c.pageOfColumns(ctx, scan)
			require.NoError(t, err)
			if ok {
				require.Equal(t, engine.IDs(want), engine.IDs(got), scan)
			}
			return nil
		}))
	}
}

func requireColumnsIn(t testing.TB, ctx context.Context, rng *rand.Rand, c *collection) {
	for range 10 {
		f := randomFilter(t, rng, 2)
		in := c.in(ctx)
		var want, got columns.Set
		require.NoError(t, in.do(ctx, func(tx *txn) (err error) {
			if want, err = c.matching(ctx, tx.tx, f); err == nil {
				got, err = c.rowsIn(ctx, tx, f)
			}
			return err
		}))
		require.Equal(t, slices.Collect(want.All()), slices.Collect(got.All()), f)
	}
}

// Check finds a field in memory that is not as the file has it.
func TestCheckFindsAColumn(t *testing.T) {
	s, rng := newStore(t), rand.New(rand.NewPCG(8, 8))
	c := create(t, s, columnSchema).(*collection)
	for i := range 50 {
		require.NoError(t, c.Upsert(t.Context(), []engine.Record{columnRecord(rng, fmt.Sprint("id", i))}))
	}
	for field, v := range map[string]any{"i": int64(12345), "s": "no such", "ls": "no such", "m.a": []byte{keyTrue, 1}} {
		_, err := c.Count(t.Context(), filter.IsNull(field))
		require.NoError(t, err)
		require.Empty(t, checked(t, s).Problems)
		column := c.fields.all[field].column
		require.NoError(t, column.Change([]int32{7}, []columns.Entry{{Row: 7, Value: v}}, nil))
		problems := checked(t, s).Problems
		require.Len(t, problems, 1)
		require.Contains(t, problems[0].What, fmt.Sprintf("field %q", field))
		c.fields.reset()
	}
}
