package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/transfer"
)

func TestCopy(t *testing.T) {
	for name, s := range schemas() {
		t.Run(name, func(t *testing.T) {
			want := records(s, 1000)
			src, dst := create(t, s, want...), create(t, s)
			var last vecwire.Progress
			report, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{Ingest: vecwire.IngestOptions{Progress: func(p vecwire.Progress) { last = p }}})
			require.NoError(t, err)
			require.EqualValues(t, 1000, report.Inserted)
			require.EqualValues(t, 1000, last.Done)
			require.EqualValues(t, 1000, last.Total)
			requireSame(t, want, all(t, dst))

			n, err := dst.DeleteWhere(t.Context(), filter.Gt("id", want[600].ID))
			require.NoError(t, err)
			require.Equal(t, 399, n)
			changed := want[5]
			changed.Text = "changed"
			require.NoError(t, dst.Upsert(t.Context(), changed))
			report, err = transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
			require.NoError(t, err)
			require.Equal(t, []int64{399, 1, 600}, []int64{report.Inserted, report.Updated, report.Unchanged})
			requireSame(t, want, all(t, dst))
		})
	}
}

func TestCopyWithinADatabase(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	s := schemas()["FLOAT"]
	want := records(s, 700)
	src, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, src.Upsert(t.Context(), want...))
	s.Name, s.Element = "wide", vecwire.DOUBLE
	dst, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	_, err = transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{Filter: filter.Not(filter.IsNull("s")), After: want[9].ID})
	require.NoError(t, err)
	i := 10
	for _, r := range all(t, dst) {
		for want[i].Fields["s"] == nil {
			i++
		}
		require.Equal(t, want[i].ID, r.ID)
		for j, x := range want[i].Vector {
			require.Equal(t, float64(x), r.Vector64[j])
		}
		i++
	}
	require.Greater(t, i, 600)
}

func TestCopyRefuses(t *testing.T) {
	s := vecwire.Schema{Name: "a", Dim: 2, Element: vecwire.DOUBLE, Model: "m", Fields: []vecwire.Field{{Name: "x"}, {Name: "y", Type: vecwire.Int}}}
	src := create(t, s, vecwire.Record{ID: "1", Vector: []float32{1, 2}})
	dst := create(t, vecwire.Schema{Name: "b", Dim: 3, Model: "n", Fields: []vecwire.Field{{Name: "y", Type: vecwire.Float}}})
	_, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
	require.EqualError(t, err, `transfer: copy a to b: vector has 2 dimensions, want 3; vector has DOUBLE elements, want FLOAT; `+
		`embedding model mismatch: vectors of "m", and "b" is a collection of "n"; `+
		`schema of "b": field "x" does not exist, and "a" has it; schema of "b": field "y" is Float, and that of "a" is Int`)
	require.ErrorAs(t, err, new(*vecwire.DimensionError))
	require.ErrorAs(t, err, new(*vecwire.ElementError))
	require.ErrorAs(t, err, new(*vecwire.SchemaError))
	require.ErrorIs(t, err, vecwire.ErrModelMismatch)
	require.Empty(t, all(t, dst))

	_, err = transfer.Copy(t.Context(), src, src, transfer.CopyOptions{Filter: filter.Eq("none", 1)})
	require.ErrorAs(t, err, new(*vecwire.FilterError))
	_, err = transfer.Copy(t.Context(), src, src, transfer.CopyOptions{Filter: filter.Eq("none", 1), Ingest: vecwire.IngestOptions{Progress: func(vecwire.Progress) {}}})
	require.ErrorAs(t, err, new(*vecwire.FilterError))
}

// TestCopyReportsRefusedRecords copies all but a zero vector to Cosine.
func TestCopyReportsRefusedRecords(t *testing.T) {
	src := create(t, vecwire.Schema{Name: "a", Dim: 1, Metric: vecwire.L2}, vecwire.Record{ID: "0", Vector: []float32{0}}, vecwire.Record{ID: "1", Vector: []float32{1}})
	dst := create(t, vecwire.Schema{Name: "b", Dim: 1})
	report, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Inserted)
	require.Len(t, report.Failures, 1)
	require.Equal(t, "0", report.Failures[0].ID)
}

// constant is an embedder of another model and dimension.
type constant struct{}

func (constant) Model() string { return "constant" }
func (constant) Dim() int      { return 3 }

func (constant) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = []float32{1, 2, float32(len(text))}
	}
	return out, nil
}

// TestToAnotherModel makes vectors anew, by Copy and through a file.
func TestToAnotherModel(t *testing.T) {
	src := create(t, vecwire.Schema{Name: "a", Dim: 1, Model: "old"}, vecwire.Record{ID: "1", Vector: []float32{1}, Text: "four"}, vecwire.Record{ID: "2", Vector: []float32{1}, Text: "fifth"})
	dst, err := create(t, vecwire.Schema{Name: "b", Dim: 3, Model: "constant"}).WithEmbedder(constant{})
	require.NoError(t, err)
	_, err = transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
	require.ErrorIs(t, err, vecwire.ErrModelMismatch)
	report, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{NoVectors: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Embedded)
	want := []vecwire.Record{{ID: "1", Vector: []float32{1, 2, 4}, Text: "four"}, {ID: "2", Vector: []float32{1, 2, 5}, Text: "fifth"}}
	requireSame(t, want, all(t, dst))

	_, err = dst.DeleteWhere(t.Context(), filter.Filter{})
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, transfer.WriteSchema(&file, src.Schema()))
	_, err = transfer.WriteJSONL(t.Context(), &file, src, transfer.Options{NoVectors: true})
	require.NoError(t, err)
	require.EqualValues(t, 2, ingest(t, dst, transfer.ReadJSONL(&file, dst.Schema())).Embedded)
	requireSame(t, want, all(t, dst))
}

// TestImportGoesOn finishes an import that was interrupted, and counts lines
// that cannot be read as failed records.
func TestImportGoesOn(t *testing.T) {
	s := schemas()["FLOAT"]
	want := records(s, 1000)
	var file bytes.Buffer
	_, err := transfer.WriteJSONL(t.Context(), &file, create(t, s, want...), transfer.Options{})
	require.NoError(t, err)
	text := append([]byte("{\"id\":\n"), file.Bytes()...)

	c := create(t, s)
	broken := errors.New("unplugged")
	report, err := c.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
		n := 0
		for r, err := range transfer.ReadJSONL(bytes.NewReader(text), s) {
			if n++; n > 700 {
				yield(r, broken)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}, vecwire.IngestOptions{Job: "import"})
	require.ErrorIs(t, err, broken)
	require.EqualValues(t, 1, report.Failed)
	require.Equal(t, 0, report.Failures[0].Index)
	require.ErrorContains(t, report.Failures[0].Err, "line 1: not a JSON object")
	require.Positive(t, report.Inserted)
	stored := report.Inserted
	report, err = c.Ingest(t.Context(), transfer.ReadJSONL(bytes.NewReader(text), s), vecwire.IngestOptions{Job: "import"})
	require.NoError(t, err)
	require.Equal(t, stored, report.Unchanged)
	require.Equal(t, 1000-stored, report.Inserted)
	requireSame(t, want, all(t, c))
}

// TestEngines copies from engine to engine and back, and through each format on
// each engine, and compares bit for bit.
func TestEngines(t *testing.T) {
	urls := []string{"mem:", testenv.Postgres(t), "mem:"}
	withIRIS := slices.Insert(slices.Clone(urls), 2, testenv.IRIS(t, testenv.IRISOptions{Version: testenv.IRISOldest, Mode: testenv.IRISExternal}).URL())
	variants := schemas()
	for name, s := range schemas() {
		s.Fields = slices.DeleteFunc(slices.Clone(s.Fields), func(f vecwire.Field) bool { return f.Type >= vecwire.Strings })
		s.Vectors, s.MaxRecords = nil, 0
		variants[name+"_scalars"] = s
	}
	for name, s := range variants {
		urls := urls
		if strings.HasSuffix(name, "_scalars") {
			urls = withIRIS
		}
		t.Run(name, func(t *testing.T) {
			want := records(s, 300)
			var src *vecwire.Collection
			for i, url := range urls {
				db := open(t, url)
				engine := db.Capabilities().Engine
				s.Name = fmt.Sprintf("transfer_%s_%d", name, i)
				dst, err := db.CreateCollection(t.Context(), s)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, db.DropCollection(context.Background(), dst.Schema().Name)) })
				if src == nil {
					require.NoError(t, dst.Upsert(t.Context(), want...))
				} else {
					report, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
					require.NoError(t, err, engine)
					require.Empty(t, report.Failures)
					require.EqualValues(t, len(want), report.Inserted, engine)
				}
				requireSame(t, want, all(t, dst))
				src = dst
				if i == 0 {
					continue
				}
				for format, f := range formats {
					if format == "fvecs" && s.Element == vecwire.DOUBLE {
						continue
					}
					var vectors, payload bytes.Buffer
					n, err := f.write(t.Context(), &vectors, &payload, src, transfer.Options{After: want[199].ID})
					require.NoError(t, err, engine)
					require.Equal(t, 100, n)
					_, err = src.DeleteWhere(t.Context(), filter.Gt("id", want[199].ID))
					require.NoError(t, err)
					require.EqualValues(t, 100, ingest(t, src, f.read(&vectors, &payload, s)).Inserted, engine)
					requireSame(t, want, all(t, src))
				}
			}
		})
	}
}
