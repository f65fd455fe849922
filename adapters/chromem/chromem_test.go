package chromem_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	original "github.com/philippgille/chromem-go"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/chromem"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

const key = "0123456789abcdef0123456789abcdef"

func embedFunc() chromem.EmbeddingFunc {
	calls := 0
	e := adaptest.Words(&calls)
	return func(ctx context.Context, text string) ([]float32, error) {
		vectors, err := e.Embed(ctx, []string{text}, embed.Document)
		if err != nil {
			return nil, err
		}
		return unit(vectors[0]), nil
	}
}

func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x * x)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / max(1e-9, sqrt(sum)))
	}
	return out
}

func sqrt(x float64) float64 {
	y := x
	for range 60 {
		y = (y + x/y) / 2
	}
	return y
}

var contents = []string{
	"the sky is blue because of Rayleigh scattering", "leaves are green because of chlorophyll",
	"blood is red because of iron", "the sky over the sea is grey", "chlorophyll absorbs blue and red light",
}

// add fills a collection of either package.
func add(t *testing.T, to func(ids []string, metadatas []map[string]string, contents []string) error) {
	var ids []string
	var metadatas []map[string]string
	for i := range contents {
		ids = append(ids, fmt.Sprint("doc ", i))
		metadatas = append(metadatas, map[string]string{"lang": "en", "number": fmt.Sprint(i % 2), "Odd key!": contents[i][:3]})
	}
	require.NoError(t, to(ids, metadatas, contents))
}

// written is chromem-go's database in a directory, and the same in memory.
func written(t *testing.T, compress bool) (string, *original.DB) {
	dir := t.TempDir()
	db, err := original.NewPersistentDB(dir, compress)
	require.NoError(t, err)
	for _, name := range []string{"knowledge", "Knowledge", "empty"} {
		c, err := db.CreateCollection(name, map[string]string{"made by": "chromem-go"}, embedFunc())
		require.NoError(t, err)
		if name != "empty" {
			add(t, func(ids []string, metadatas []map[string]string, contents []string) error {
				return c.Add(t.Context(), ids, nil, metadatas, contents)
			})
		}
	}
	return dir, db
}

// What chromem-go wrote in any of its forms goes into a collection by Ingest.
func TestSources(t *testing.T) {
	dir, db := written(t, false)
	compressed, _ := written(t, true)
	sources := map[string]func() (*chromem.Source, error){
		"directory":            func() (*chromem.Source, error) { return chromem.OpenDir(dir) },
		"compressed directory": func() (*chromem.Source, error) { return chromem.OpenDir(compressed) },
	}
	for _, compress := range []bool{false, true} {
		for _, key := range []string{"", key} {
			path := filepath.Join(t.TempDir(), "export")
			require.NoError(t, db.ExportToFile(path, compress, key))
			sources[fmt.Sprintf("export, compressed: %v, key: %q", compress, key)] = func() (*chromem.Source, error) { return chromem.OpenFile(path, key) }
		}
	}
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, n := t.Context(), 0
		for name, open := range sources {
			t.Run(name, func(t *testing.T) {
				src, err := open()
				require.NoError(t, err)
				infos := src.Collections()
				require.Len(t, infos, 3)
				require.Equal(t, chromem.Info{Name: "Knowledge", Metadata: map[string]string{"made by": "chromem-go"}, Documents: 5, Dim: 64}, infos[0])
				require.Zero(t, infos[1].Documents)
				n++
				docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: fmt.Sprint("c", n), Dim: 64, Fields: []vecwire.Field{
					{Name: "number", Type: vecwire.Int, Index: true}, {Name: "meta"},
				}})
				require.NoError(t, err)
				report, err := docs.Ingest(ctx, src.Records("knowledge", docs.Schema()), vecwire.IngestOptions{})
				require.NoError(t, err)
				require.NoError(t, report.Err())
				require.EqualValues(t, 5, report.Inserted)
				report, err = docs.Ingest(ctx, src.Records("knowledge", docs.Schema()), vecwire.IngestOptions{})
				require.NoError(t, err)
				require.EqualValues(t, 5, report.Unchanged, "to read again changes nothing")
				found, err := docs.Get(ctx, "doc 3")
				require.NoError(t, err)
				require.Equal(t, contents[3], found[0].Text)
				require.Equal(t, vecwire.Fields{"number": int64(1), "meta": `{"Odd key!":"the","lang":"en"}`}, found[0].Fields)
				odd, err := docs.Count(ctx, filter.Eq("number", 1))
				require.NoError(t, err)
				require.Equal(t, 2, odd)
			})
		}
	})
}

// What is damaged, or is something else, is an error, and costs no other document.
func TestDamagedSources(t *testing.T) {
	dir, db := written(t, true)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.gob.gz"))
	require.NoError(t, err)
	var damaged string
	for _, file := range files {
		if !strings.HasSuffix(file, "00000000.gob.gz") {
			damaged = file
			break
		}
	}
	data, err := os.ReadFile(damaged)
	require.NoError(t, err)
	data[len(data)-6] ^= 1 // in gzip's checksum
	require.NoError(t, os.WriteFile(damaged, data, 0o600))
	src, err := chromem.OpenDir(dir)
	require.NoError(t, err)
	good, bad := 0, 0
	for _, name := range []string{"knowledge", "Knowledge"} {
		for _, err := range src.Records(name, vecwire.Schema{Fields: []vecwire.Field{{Name: "meta"}}}) {
			var failed *vecwire.RecordError
			if errors.As(err, &failed) {
				require.Contains(t, failed.ID, filepath.Base(damaged))
				bad++
				continue
			}
			require.NoError(t, err)
			good++
		}
	}
	require.Equal(t, [2]int{9, 1}, [2]int{good, bad})
	_, err = chromem.NewPersistentDB(dir, true)
	require.ErrorContains(t, err, filepath.Base(damaged))

	path := filepath.Join(t.TempDir(), "export")
	require.NoError(t, db.ExportToFile(path, true, key))
	for _, wrong := range []string{"", "short", strings.Repeat("x", 32)} {
		_, err = chromem.OpenFile(path, wrong)
		require.Error(t, err, wrong)
		require.NotContains(t, err.Error(), strings.Repeat("x", 32), "a key is not shown")
	}
	for _, data := range []string{"", "a", "not gob at all", "\x1f\x8bnot gzip"} {
		_, err = chromem.OpenReader(strings.NewReader(data), "")
		require.Error(t, err, data)
	}
	for r, err := range src.Records("none", vecwire.Schema{}) {
		require.ErrorIs(t, err, vecwire.ErrNotFound, r)
	}
	_, err = chromem.OpenDir(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// The facade answers what chromem-go answers.
func TestFacadeAnswersAsOriginal(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx := t.Context()
		e := embedFunc()
		theirs, err := original.NewDB().CreateCollection("knowledge", nil, e)
		require.NoError(t, err)
		ours, err := chromem.New(db, chromem.Options{Indexed: []string{"number"}}).CreateCollection("knowledge", map[string]string{"a": "b"}, e)
		require.NoError(t, err)
		require.Zero(t, ours.Count())
		none, err := ours.Query(ctx, "anything", 3, nil, nil)
		require.NoError(t, err)
		require.Empty(t, none)
		add(t, func(ids []string, metadatas []map[string]string, contents []string) error {
			return theirs.AddConcurrently(ctx, ids, nil, metadatas, contents, 2)
		})
		for range 2 { // to add again replaces
			add(t, func(ids []string, metadatas []map[string]string, contents []string) error {
				return ours.AddConcurrently(ctx, ids, nil, metadatas, contents, 2)
			})
		}
		require.Equal(t, theirs.Count(), ours.Count())
		long := []float32{3: 2, 63: 5}
		require.NoError(t, theirs.AddDocument(ctx, original.Document{ID: "long", Embedding: slices.Clone(long)}))
		require.NoError(t, ours.AddDocument(ctx, chromem.Document{ID: "long", Embedding: slices.Clone(long)}))
		want, err := theirs.GetByID(ctx, "long")
		require.NoError(t, err)
		got, err := ours.GetByID(ctx, "long")
		require.NoError(t, err)
		require.InDeltaSlice(t, want.Embedding, got.Embedding, 1e-6, "of length 1")
		want, err = theirs.GetByID(ctx, "doc 2")
		require.NoError(t, err)
		got, err = ours.GetByID(ctx, "doc 2")
		require.NoError(t, err)
		require.Equal(t, want.Metadata, got.Metadata)
		require.Equal(t, want.Content, got.Content)

		for _, o := range []original.QueryOptions{
			{QueryText: "why is the sky blue", NResults: 2},
			{QueryText: "why is the sky blue", NResults: 6},
			{QueryText: "chlorophyll", NResults: 4, Where: map[string]string{"number": "1"}},
			{QueryText: "chlorophyll", NResults: 4, Where: map[string]string{"number": "0", "Odd key!": "the"}},
			{QueryText: "chlorophyll", NResults: 4, Where: map[string]string{"missing": ""}},
			{QueryText: "red", NResults: 3, WhereDocument: map[string]string{"$contains": "because", "$not_contains": "iron"}},
			{QueryText: "red", NResults: 3, WhereDocument: map[string]string{"$contains": "nothing has this"}},
			{QueryEmbedding: long, NResults: 3},
			{QueryText: "sky", NResults: 5, Negative: original.NegativeQueryOptions{Mode: original.NEGATIVE_MODE_SUBTRACT, Text: "sea grey"}},
			{QueryText: "sky", NResults: 5, Negative: original.NegativeQueryOptions{Mode: original.NEGATIVE_MODE_FILTER, Text: "sky over the sea", FilterThreshold: 0.4}},
		} {
			found, err := theirs.QueryWithOptions(ctx, o)
			require.NoError(t, err)
			results, err := ours.QueryWithOptions(ctx, chromem.QueryOptions{
				QueryText: o.QueryText, QueryEmbedding: o.QueryEmbedding, NResults: o.NResults, Where: o.Where, WhereDocument: o.WhereDocument,
				Negative: chromem.NegativeQueryOptions{
					Mode: chromem.NegativeMode(o.Negative.Mode), Text: o.Negative.Text, FilterThreshold: o.Negative.FilterThreshold,
				},
			})
			require.NoError(t, err)
			require.Len(t, results, len(found), "%+v", o)
			byScore := func(a, b original.Result) int {
				return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.ID, b.ID))
			}
			slices.SortFunc(found, byScore)
			for i, r := range results {
				require.InDelta(t, found[i].Similarity, r.Similarity, 1e-5, "%+v", o)
			}
		}

		require.NoError(t, theirs.Delete(ctx, map[string]string{"number": "1"}, nil))
		require.NoError(t, ours.Delete(ctx, map[string]string{"number": "1"}, nil))
		require.NoError(t, theirs.Delete(ctx, nil, map[string]string{"$contains": "iron"}))
		require.NoError(t, ours.Delete(ctx, nil, map[string]string{"$contains": "iron"}))
		require.NoError(t, theirs.Delete(ctx, nil, nil, "long", "none"))
		require.NoError(t, ours.Delete(ctx, nil, nil, "long", "none"))
		require.Equal(t, 2, theirs.Count())
		require.Equal(t, theirs.Count(), ours.Count())
		require.Error(t, ours.Delete(ctx, nil, nil))
		require.Error(t, ours.Delete(ctx, map[string]string{"a": "b"}, nil, "doc 0"))
	})
}

// The texts of a call are embedded side by side; one that fails stores nothing.
func TestFacadeEmbeds(t *testing.T) {
	db := chromem.NewDB()
	defer db.Close()
	broken := errors.New("the model is away")
	var calls atomic.Int32
	e := embedFunc()
	c, err := db.CreateCollection("docs", nil, func(ctx context.Context, text string) ([]float32, error) {
		calls.Add(1)
		switch text {
		case "broken":
			return nil, broken
		case "panic":
			panic("a bug of the caller's")
		}
		return e(ctx, text)
	})
	require.NoError(t, err)
	one, err := chromem.NewDocument(t.Context(), "1", nil, nil, "one", e)
	require.NoError(t, err)
	want, err := e(t.Context(), "one")
	require.NoError(t, err)
	require.Equal(t, chromem.Document{ID: "1", Content: "one", Embedding: want}, one)
	given, err := chromem.NewDocument(t.Context(), "1", nil, []float32{1}, "", nil)
	require.NoError(t, err)
	require.Equal(t, []float32{1}, given.Embedding, "nothing is to be embedded")
	_, err = chromem.NewDocument(t.Context(), "", nil, nil, "one", e)
	require.Error(t, err)

	docs := []chromem.Document{{ID: "1", Content: "one"}, {ID: "2", Content: "two"}, {ID: "3", Content: "broken"}}
	require.ErrorIs(t, c.AddDocuments(t.Context(), docs, 4), broken)
	docs[2].Content = "panic"
	require.ErrorContains(t, c.AddDocuments(t.Context(), docs, 4), "panicked")
	require.Zero(t, c.Count())
	docs[2].Content = "three"
	calls.Store(0)
	require.NoError(t, c.AddDocuments(t.Context(), docs, 4))
	require.EqualValues(t, 3, calls.Load())
	require.Equal(t, 3, c.Count())
	require.Empty(t, docs[0].Embedding, "what was given stays as it was")
	require.Error(t, c.AddDocument(t.Context(), chromem.Document{ID: "4", Embedding: []float32{1}}), "of another dimension")
	require.Error(t, c.AddDocument(t.Context(), chromem.Document{ID: "", Content: "x"}))
}

// A program moves: its directory is read once, and from then on is ours.
func TestPersistentDB(t *testing.T) {
	dir, _ := written(t, false)
	e := embedFunc()
	db, err := chromem.NewPersistentDB(dir, false)
	require.NoError(t, err)
	require.Len(t, db.ListCollections(), 3)
	for name, want := range map[string]int{"knowledge": 5, "Knowledge": 5, "empty": 0} {
		c := db.GetCollection(name, e)
		require.NotNil(t, c, name)
		require.Equal(t, want, c.Count(), name)
	}
	require.Nil(t, db.GetCollection("none", e))
	_, err = db.CreateCollection("knowledge", nil, e)
	require.ErrorIs(t, err, vecwire.ErrExists)
	c, err := db.GetOrCreateCollection("knowledge", nil, e)
	require.NoError(t, err)
	require.NoError(t, c.Delete(t.Context(), nil, nil, "doc 0"))
	require.NoError(t, db.DeleteCollection("Knowledge"))
	require.NoError(t, db.DeleteCollection("Knowledge"))
	require.NoError(t, db.Close())

	db, err = chromem.NewPersistentDB(dir, false)
	require.NoError(t, err)
	require.Len(t, db.ListCollections(), 2, "what was deleted is not read again")
	require.ErrorContains(t, db.ListCollections()["knowledge"].AddDocument(t.Context(), chromem.Document{ID: "5", Content: "x"}), "GetCollection")
	require.Equal(t, 4, db.GetCollection("knowledge", e).Count())
	docs, err := db.GetCollection("knowledge", e).Vecwire(t.Context())
	require.NoError(t, err)
	require.Equal(t, "knowledge", docs.Schema().Name)

	// And back: chromem-go reads what the facade exports.
	for _, compress := range []bool{false, true} {
		for _, key := range []string{"", key} {
			path := filepath.Join(t.TempDir(), "sub", "export")
			require.NoError(t, db.ExportToFile(path, compress, key))
			back := original.NewDB()
			require.NoError(t, back.ImportFromFile(path, key))
			require.Equal(t, 4, back.GetCollection("knowledge", e).Count())
			doc, err := back.GetCollection("knowledge", e).GetByID(t.Context(), "doc 3")
			require.NoError(t, err)
			require.Equal(t, contents[3], doc.Content)
			require.Equal(t, "1", doc.Metadata["number"])

			again := chromem.NewDB()
			require.NoError(t, again.ImportFromFile(path, key, "knowledge"))
			require.Len(t, again.ListCollections(), 1)
			require.Equal(t, 4, again.GetCollection("knowledge", e).Count())
			require.NoError(t, again.ImportFromFile(path, key), "what exists is replaced")
			require.Equal(t, 4, again.GetCollection("knowledge", e).Count())
			require.NoError(t, again.Close())
		}
	}
	require.Error(t, db.ExportToWriter(&bytes.Buffer{}, false, "short"))
	require.NoError(t, db.Reset())
	require.Empty(t, db.ListCollections())
	require.NoError(t, db.Close())
}
