package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
)

// allTypes is a field of each type.
var allTypes = []vecwire.Field{
	{Name: "s", Index: true}, {Name: "i", Type: vecwire.Int}, {Name: "f", Type: vecwire.Float},
	{Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
	{Name: "ss", Type: vecwire.Strings, Index: true}, {Name: "is", Type: vecwire.Ints}, {Name: "fs", Type: vecwire.Floats},
	{Name: "j", Type: vecwire.JSON, Paths: []string{"a.b"}},
}

// pools are values that are easily got wrong.
var pools = map[vecwire.FieldType][]any{
	vecwire.String: {
		"", " ", "007", "1e5", `"`, `\`, `\u0041`, "'", "é", "e\u0301", "日本", "😀", "\uffff", "\ufffd", "\u0001", "\u007f", "\n", "\r\n", "\t",
		"\u2028\u2029", "<a href='&'>", "null", "true", "{}", `","id":"x`, "a\u00adb", "\ufeff",
	},
	vecwire.Int: {
		int64(math.MinInt64), int64(math.MaxInt64), int64(1<<53 + 1), int64(-1<<53 - 1), int64(0), int64(-1), int64(1e15), int64(1e6),
	},
	vecwire.Float: {
		0.0, -1.0, 0.1, 0.1 + 0.2, 1e21, 1e-7, 1e-300, 1e6, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, float64(1 << 53), math.Nextafter(1, 2), 1.0 / 3,
	},
	vecwire.Bool: {true, false},
	vecwire.Time: {
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Unix(-1, 999_999_000).UTC(),
		time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC),
	},
	vecwire.Strings: {[]string{}, []string{""}, []string{"a", "a", "<&>\u2028\r\n", `"],["`}, []string{"null", "😀"}},
	vecwire.Ints:    {[]int64{}, []int64{math.MinInt64, math.MaxInt64, 0}, []int64{1<<53 + 1}},
	vecwire.Floats:  {[]float64{}, []float64{0.1, 1e300, 3, 1e22, math.SmallestNonzeroFloat64}, []float64{-1}},
	vecwire.JSON: {
		map[string]any{}, []any{}, []any{nil, true, "a", json.Number("1"), []any{}, map[string]any{"": nil}},
		map[string]any{"a": map[string]any{"b": json.Number("9007199254740993.50")}, "<": nil, "a.b": "\r\n", "\"": []any{"]"}},
	},
	vecwire.Bytes: {[]byte{}, []byte{0}, []byte{0xff, 0xfe, 0xfd}, []byte("abc"), bytes.Repeat([]byte{0, 1, 0xff}, 50)},
}

// records returns n records whose fields, now and then, are missing.
func records(s vecwire.Schema, n int) []vecwire.Record {
	rnd := rand.New(rand.NewPCG(7, uint64(s.Element)))
	out := make([]vecwire.Record, n)
	ids := []string{"007", "07", "7", "1e5", " ", "é", "e\u0301", "😀", `"`, `\`, "\u0001", "a\nb", "\u2028", "<&>", "null", "\ufeff", "\ufffd"}
	for i := range out {
		r := vecwire.Record{ID: fmt.Sprintf("id %04d", i)}
		if i < len(ids) {
			r.ID = ids[i]
		}
		for range s.Dim {
			x := rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(12)-8))
			if s.Element == vecwire.DOUBLE {
				r.Vector64 = append(r.Vector64, x)
			} else {
				r.Vector = append(r.Vector, float32(x))
			}
		}
		if rnd.IntN(4) > 0 {
			r.Text = fmt.Sprint("text ", pools[vecwire.String][i%len(pools[vecwire.String])])
		}
		for j, f := range s.Fields {
			if rnd.IntN(4) > 0 {
				if r.Fields == nil {
					r.Fields = vecwire.Fields{}
				}
				r.Fields[f.Name] = pools[f.Type][(i+j)%len(pools[f.Type])]
			}
		}
		for _, v := range s.Vectors {
			if rnd.IntN(3) == 0 {
				continue
			}
			if r.Vectors == nil {
				r.Vectors = map[string][]float32{}
			}
			for range v.Dim {
				r.Vectors[v.Name] = append(r.Vectors[v.Name], rnd.Float32()-0.5)
			}
		}
		out[i] = r
	}
	slices.SortFunc(out, func(a, b vecwire.Record) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// schemas are those that every format is tested with.
func schemas() map[string]vecwire.Schema {
	return map[string]vecwire.Schema{
		"FLOAT":  {Name: "docs", Dim: 5, Fields: allTypes, Vectors: []vecwire.VectorField{{Name: "title", Dim: 2, Model: "m", Source: "s"}, {Name: "image", Dim: 3, Metric: vecwire.L2}}},
		"DOUBLE": {Name: "docs", Dim: 5, Fields: allTypes, Element: vecwire.DOUBLE, Metric: vecwire.Dot, MaxRecords: 10_000, Model: `m<&>"1"`},
	}
}

func open(t testing.TB, url string) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// create makes a collection in memory.
func create(t testing.TB, s vecwire.Schema, records ...vecwire.Record) *vecwire.Collection {
	t.Helper()
	c, err := open(t, "mem:").CreateCollection(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), records...))
	return c
}

// ingest stores a whole input.
func ingest(t testing.TB, c *vecwire.Collection, in iter.Seq2[vecwire.Record, error]) vecwire.IngestReport {
	t.Helper()
	report, err := c.Ingest(t.Context(), in, vecwire.IngestOptions{})
	require.NoError(t, err)
	return report
}

// all returns all records of a collection.
func all(t testing.TB, c *vecwire.Collection) (out []vecwire.Record) {
	t.Helper()
	for r, err := range c.All(t.Context(), vecwire.Scan{Vectors: true}) {
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

// requireSame compares records bit for bit.
func requireSame(t testing.TB, want, got []vecwire.Record) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, filled(want[i]), filled(got[i])) // for which -0 is 0
		require.Equal(t, codec.AppendBlob(nil, want[i].Vector), codec.AppendBlob(nil, got[i].Vector), "%q", want[i].ID)
		require.Equal(t, codec.AppendBlob(nil, want[i].Vector64), codec.AppendBlob(nil, got[i].Vector64), "%q", want[i].ID)
	}
}

// filled returns r with an empty slice for Bytes that are nil.
func filled(r vecwire.Record) vecwire.Record {
	if b, ok := r.Fields["y"].([]byte); ok && b == nil {
		r.Fields["y"] = []byte{}
	}
	return r
}

// read returns what can be read, and the errors of what cannot.
func read(in iter.Seq2[vecwire.Record, error]) (out []vecwire.Record, errs []error) {
	for r, err := range in {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	return out, errs
}

// format is one way to write a collection and to read it back.
type format struct {
	apart bool // vectors are in a file of their own
	write func(context.Context, io.Writer, io.Writer, *vecwire.Collection, transfer.Options) (int, error)
	read  func(vectors, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error]
}

// others are what another program calls the parts of a record of schema s.
func others(s vecwire.Schema) transfer.Names {
	n := transfer.Names{ID: "doc_id", Vector: "embedding.data", Text: "body", Fields: map[string]string{}}
	for i, v := range s.Vectors {
		n.Fields[v.Name] = []string{"embedding.title", "picture"}[i]
	}
	for i, f := range s.Fields {
		n.Fields[f.Name] = []string{"meta.a." + f.Name, "id", "meta." + f.Name, f.Name}[min(i, 3)]
	}
	return n
}

var formats = map[string]format{
	"jsonl": {
		false, func(ctx context.Context, _, payload io.Writer, c *vecwire.Collection, o transfer.Options) (int, error) {
			return transfer.WriteJSONL(ctx, payload, c, o)
		},
		func(_, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
			return transfer.ReadJSONL(payload, s)
		},
	},
	"names": {
		false, func(ctx context.Context, _, payload io.Writer, c *vecwire.Collection, o transfer.Options) (int, error) {
			n := others(c.Schema())
			o.Names = &n
			return transfer.WriteJSONL(ctx, payload, c, o)
		},
		func(_, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
			return others(s).ReadJSONL(payload, s)
		},
	},
	"csv": {
		false, func(ctx context.Context, _, payload io.Writer, c *vecwire.Collection, o transfer.Options) (int, error) {
			return transfer.WriteCSV(ctx, payload, c, o)
		},
		func(_, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
			return transfer.ReadCSV(payload, s, transfer.CSVOptions{})
		},
	},
	"fvecs": {true, transfer.WriteVecs, transfer.ReadVecs},
	"npy":   {true, transfer.WriteNPY, transfer.ReadNPY},
}

func TestRoundTrip(t *testing.T) {
	for element, s := range schemas() {
		want := records(s, 600)
		c := create(t, s, want...)
		for name, f := range formats {
			t.Run(element+" "+name, func(t *testing.T) {
				var vectors, payload bytes.Buffer
				header := 0
				if name != "csv" && name != "names" { // other programs do not know schemas
					require.NoError(t, transfer.WriteSchema(&payload, s))
					header = payload.Len()
				}
				var last transfer.Progress
				calls := 0
				n, err := f.write(t.Context(), &vectors, &payload, c, transfer.Options{Progress: func(p transfer.Progress) {
					require.Greater(t, p.Bytes, last.Bytes)
					last = p
					calls++
					if name == "jsonl" {
						require.EqualValues(t, p.Done, strings.Count(payload.String(), "\n")-1, "lines that were told of are written")
					}
				}})
				if name == "fvecs" && element == "DOUBLE" {
					require.ErrorAs(t, err, new(*vecwire.ElementError))
					return
				}
				require.NoError(t, err)
				require.Equal(t, len(want), n)
				require.Equal(t, 600/512+1, calls)
				require.EqualValues(t, 600, last.Done)
				require.EqualValues(t, 600, last.Total)
				require.Equal(t, want[599].ID, last.Last)
				size := vectors.Len() + payload.Len() - header
				if name == "npy" {
					size -= 128 // before the rows
				}
				require.EqualValues(t, size, last.Bytes)

				got, errs := read(f.read(&vectors, &payload, s))
				require.Empty(t, errs)
				requireSame(t, want, got)
				again := create(t, s)
				require.EqualValues(t, 600, ingest(t, again, stream(got)).Inserted)
				requireSame(t, want, all(t, again))
			})
		}
	}
}

// stream streams records.
func stream(records []vecwire.Record) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// TestSigns keeps the sign of zero and the smallest numbers.
func TestSigns(t *testing.T) {
	tiny := float32(math.SmallestNonzeroFloat32)
	minus := float32(math.Copysign(0, -1))
	want := []vecwire.Record{{ID: "1", Vector: []float32{minus, 0, tiny, -tiny, math.MaxFloat32}}}
	s := vecwire.Schema{Name: "c", Dim: 5}
	c := create(t, s, want...)
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			var vectors, payload bytes.Buffer
			_, err := f.write(t.Context(), &vectors, &payload, c, transfer.Options{})
			require.NoError(t, err)
			got, errs := read(f.read(&vectors, &payload, s))
			require.Empty(t, errs)
			requireSame(t, want, got)
		})
	}
}

// TestLargeValues has lines of megabytes between short ones.
func TestLargeValues(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 2, Fields: allTypes}
	long := strings.Repeat("\x01\"日本😀<\u2028", 200_000)
	want := []vecwire.Record{
		{ID: "1", Vector: []float32{1, 2}, Text: "short"},
		{ID: "2", Vector: []float32{1, 2}, Text: long, Fields: vecwire.Fields{"s": long[1:], "y": bytes.Repeat([]byte{0xff, 0}, 1<<20)}},
		{ID: "3", Vector: []float32{1, 2}, Text: "short"},
	}
	c := create(t, s, want...)
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			var vectors, payload bytes.Buffer
			_, err := f.write(t.Context(), &vectors, &payload, c, transfer.Options{})
			require.NoError(t, err)
			got, errs := read(f.read(&vectors, &payload, s))
			require.Empty(t, errs)
			require.Len(t, got, 3)
			for i := range want { // not with a diff of megabytes
				require.True(t, reflect.DeepEqual(want[i], got[i]), want[i].ID)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 1, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}}
	c := create(t, s)
	for i := range 10 {
		require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1}, Text: "t", Fields: vecwire.Fields{"n": i}}))
	}
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			var vectors, payload bytes.Buffer
			var told transfer.Progress
			n, err := f.write(t.Context(), &vectors, &payload, c, transfer.Options{
				Filter: filter.Lt("n", 8), After: "4", Progress: func(p transfer.Progress) { told = p },
			})
			require.NoError(t, err)
			require.Equal(t, 3, n)
			require.EqualValues(t, 3, told.Total)
			got, errs := read(f.read(&vectors, &payload, s))
			require.Empty(t, errs)
			require.Len(t, got, 3)
			require.Equal(t, "5", got[0].ID)

			payload.Reset()
			_, err = f.write(t.Context(), &vectors, &payload, c, transfer.Options{NoVectors: true})
			if f.apart {
				require.EqualError(t, err, "NoVectors is true, want false for a file of vectors")
				return
			}
			require.NoError(t, err)
			require.NotContains(t, payload.String(), "vector")
			if name == "jsonl" {
				require.Equal(t, `{"id":"0","text":"t","fields":{"n":0}}`, strings.SplitN(payload.String(), "\n", 2)[0])
			}
		})
	}
}

// broken fails after some bytes.
type broken struct{ room int }

var errBroken = errors.New("disk full")

func (b *broken) Write(p []byte) (int, error) {
	n := min(len(p), b.room)
	b.room -= n
	if n < len(p) {
		return n, errBroken
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 4, Fields: allTypes}
	c := create(t, s, records(s, 1100)...)
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			for _, room := range []int{0, 10, 50_000} {
				_, err := f.write(t.Context(), io.Discard, &broken{room}, c, transfer.Options{})
				require.ErrorIs(t, err, errBroken)
				if f.apart {
					_, err = f.write(t.Context(), &broken{room / 10}, io.Discard, c, transfer.Options{})
					require.ErrorIs(t, err, errBroken)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var payload bytes.Buffer
			n, err := f.write(ctx, io.Discard, &payload, c, transfer.Options{Progress: func(p transfer.Progress) { cancel() }})
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, n, 1100)
			if !f.apart {
				got, errs := read(f.read(nil, bytes.NewReader(payload.Bytes()), s))
				require.Empty(t, errs, "what was written is whole")
				require.Len(t, got, n)
			} else {
				require.Equal(t, n, strings.Count(payload.String(), "\n"))
				require.True(t, strings.HasSuffix(payload.String(), "}\n"), "lines are whole")
			}
			_, err = f.write(t.Context(), io.Discard, io.Discard, c, transfer.Options{Filter: filter.Eq("none", 1)})
			require.ErrorAs(t, err, new(*vecwire.FilterError))
		})
	}
}

// TestGoOn goes on where an export was interrupted.
func TestGoOn(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 4, Fields: allTypes}
	want := records(s, 1100)
	c := create(t, s, want...)
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	var last transfer.Progress
	_, err := transfer.WriteJSONL(ctx, &out, c, transfer.Options{Progress: func(p transfer.Progress) {
		last = p
		cancel()
	}})
	require.ErrorIs(t, err, context.Canceled)
	_, err = transfer.WriteJSONL(t.Context(), &out, c, transfer.Options{After: last.Last})
	require.NoError(t, err)
	got, errs := read(transfer.ReadJSONL(&out, s))
	require.Empty(t, errs)
	requireSame(t, want, got)
}

// TestNPYOfALiveCollection corrects the number of rows in a file.
func TestNPYOfALiveCollection(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 4, Fields: allTypes}
	want := records(s, 1100)
	c := create(t, s, want[:1000]...)
	f, err := os.Create(filepath.Join(t.TempDir(), "v.npy"))
	require.NoError(t, err)
	defer f.Close()
	var payload bytes.Buffer
	grow := func(transfer.Progress) { require.NoError(t, c.Upsert(t.Context(), want[1000:]...)) }
	n, err := transfer.WriteNPY(t.Context(), f, &payload, c, transfer.Options{Progress: grow})
	require.NoError(t, err)
	require.Equal(t, 1100, n)
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	got, errs := read(transfer.ReadNPY(f, &payload, s))
	require.Empty(t, errs)
	requireSame(t, want, got)

	_, err = c.DeleteWhere(t.Context(), filter.Ge("id", want[1000].ID))
	require.NoError(t, err)
	_, err = transfer.WriteNPY(t.Context(), io.Discard, io.Discard, c, transfer.Options{Progress: grow})
	require.Equal(t, &codec.CountError{Want: 1000, Got: 1100}, err)
}

// TestExportInATransaction sees what the transaction sees.
func TestExportInATransaction(t *testing.T) {
	db := open(t, "mem:")
	s := vecwire.Schema{Name: "c", Dim: 1}
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	r := vecwire.Record{ID: "1", Vector: []float32{1}}
	var vectors, payload bytes.Buffer
	require.NoError(t, db.Tx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, c.Upsert(ctx, r))
		_, err := transfer.WriteNPY(ctx, &vectors, &payload, c, transfer.Options{Progress: func(transfer.Progress) {}})
		return err
	}))
	got, errs := read(transfer.ReadNPY(&vectors, &payload, s))
	require.Empty(t, errs)
	requireSame(t, []vecwire.Record{r}, got)
}
