package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

const (
	besideDim     = 40
	besideSources = 6
	besideParts   = 60
)

// besideVector is what a model makes of a text: it is as long as the model and the text say.
func besideVector(model, text string) []float32 {
	h := fnv.New64a()
	h.Write([]byte(model + text))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	v, length := make([]float32, besideDim), 1+9*rng.Float32()
	for i := range v {
		v[i] = length * float32(rng.NormFloat64())
	}
	return v
}

func besideModel(model string) embed.Embedder {
	return embed.Func(model, besideDim, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		out := make([][]float32, len(texts))
		for i, text := range texts {
			out[i] = besideVector(model, text)
		}
		return out, nil
	})
}

// besideRecords returns the parts of a source, whose texts say what they are of.
func besideRecords(namespace, source string, version int) []vecwire.Record {
	records := make([]vecwire.Record, besideParts)
	for i := range records {
		id := fmt.Sprint(source, "#", i)
		records[i] = vecwire.Record{ID: id, Text: fmt.Sprint(namespace, "/", id, "/", version), Fields: vecwire.Fields{"v": int64(version)}}
	}
	return records
}

// TestEmbeddedBeside replaces sources, changes the schema, embeds anew, builds and drops
// indexes and lets memory go, in two opened databases over one file or in one in memory, while
// others search, count and mirror: each answer is of one state, and nobody sees the records of
// another namespace.
func TestEmbeddedBeside(t *testing.T) {
	t.Parallel()
	lasts := time.Second
	if testenv.All() {
		lasts = 30 * time.Second
	}
	for _, in := range []string{"mem", "file"} {
		for _, memory := range []int64{0, 100 << 10} {
			t.Run(fmt.Sprint(in, " ", memory), func(t *testing.T) {
				t.Parallel()
				url := "mem:"
				if in == "file" {
					url = "file:" + filepath.Join(t.TempDir(), "store.db") + "?sync=normal"
				}
				open := func() *vecwire.DB {
					db, err := vecwire.Config{Memory: memory, LockTimeout: time.Minute}.Open(t.Context(), url)
					require.NoError(t, err)
					t.Cleanup(func() { require.NoError(t, db.Close()) })
					return db
				}
				dbs := []*vecwire.DB{open()}
				for _, metric := range []vecwire.Metric{vecwire.Cosine, vecwire.L2} {
					s := vecwire.Schema{Name: metric.String(), Dim: besideDim, Metric: metric, Model: "m0",
						Fields: append(vecwire.SourceFields(), vecwire.Field{Name: vecwire.NamespaceField, Index: true}, vecwire.Field{Name: "v", Type: vecwire.Int})}
					_, err := dbs[0].CreateCollection(t.Context(), s)
					require.NoError(t, err)
				}
				if in == "file" {
					dbs = append(dbs, open())
				}
				ctx, cancel := context.WithTimeout(t.Context(), lasts)
				defer cancel()
				var group sync.WaitGroup
				b := &besideWorld{t: t, ctx: ctx, models: []string{"m0", "m1"}}
				for i, db := range dbs {
					for _, name := range []string{"cosine", "l2"} {
						for n, do := range []func(*vecwire.DB, string, *rand.Rand) error{b.replace, b.search, b.search, b.mirror, b.let} {
							group.Go(func() { b.loop(db, name, rand.New(rand.NewPCG(uint64(i), uint64(n))), do) })
						}
						if i == 0 {
							group.Go(func() { b.loop(db, name, rand.New(rand.NewPCG(9, 9)), b.change) })
						}
					}
				}
				group.Wait()
				report, err := dbs[0].Check(t.Context())
				require.NoError(t, err)
				require.Empty(t, report.Problems)
				t.Log(b.done)
			})
		}
	}
}

type besideWorld struct {
	t      *testing.T
	ctx    context.Context
	models []string

	mu   sync.Mutex
	done map[string]int
}

func (b *besideWorld) count(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = map[string]int{}
	}
	b.done[what]++
}

// loop does something until the time is over. What meets another schema begins again.
func (b *besideWorld) loop(db *vecwire.DB, name string, rng *rand.Rand, do func(*vecwire.DB, string, *rand.Rand) error) {
	for b.ctx.Err() == nil {
		err := do(db, name, rng)
		switch {
		case err == nil, b.ctx.Err() != nil:
		case errors.Is(err, vecwire.ErrAltered), errors.Is(err, vecwire.ErrModelMismatch), errors.Is(err, vecwire.ErrNotFound), errors.Is(err, vecwire.ErrExists):
			b.count("refused: " + err.Error())
		default:
			b.t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// handle opens a collection with the embedder of its model.
func (b *besideWorld) handle(db *vecwire.DB, name string) (*vecwire.Collection, error) {
	c, err := db.OpenCollection(b.ctx, name)
	if err != nil {
		return nil, err
	}
	return c.WithEmbedder(besideModel(c.Schema().Model))
}

func (b *besideWorld) replace(db *vecwire.DB, name string, rng *rand.Rand) error {
	c, err := b.handle(db, name)
	if err != nil {
		return err
	}
	space := []string{"a", "b"}[rng.IntN(2)]
	in, err := c.Namespace(space)
	if err != nil {
		return err
	}
	for range 5 {
		source := fmt.Sprint("s", rng.IntN(besideSources))
		records := besideRecords(space, source, rng.IntN(1000))
		if rng.IntN(5) == 0 {
			records = nil
		}
		if rng.IntN(3) > 0 || records == nil {
			_, err = in.ReplaceSource(b.ctx, source, records...)
		} else {
			for i := range records {
				records[i].Fields[vecwire.SourceField] = source
			}
			err = in.Upsert(b.ctx, records...)
		}
		if err != nil {
			return err
		}
		b.count("replaced")
	}
	return nil
}

// right looks at hits of one answer: each record is one that was written, of the namespace
// that was asked, with the vector that one model has made of its text, and the score of that.
func (b *besideWorld) right(name, space string, q vecwire.Query, hits []vecwire.Hit) {
	ok := func(is bool, format string, args ...any) {
		if !is {
			b.t.Errorf(name+": "+format, args...)
		}
	}
	models, seen, versions := map[string]bool{}, map[string]bool{}, map[string]int64{}
	last := 0.0
	for i, h := range hits {
		parts := strings.Split(h.Text, "/")
		if len(parts) != 3 {
			ok(false, "record %q has the text %q", h.ID, h.Text)
			continue
		}
		id := parts[1]
		if space == "" {
			id = parts[0] + "/" + id
		}
		source, _, _ := strings.Cut(parts[1], "#")
		ok(id == h.ID && (space == "" || parts[0] == space), "foreign record %q with the text %q in %q", h.ID, h.Text, space)
		ok(fmt.Sprint(h.Fields["v"]) == parts[2] && h.Fields[vecwire.SourceField] == source, "%q has fields %v", h.Text, h.Fields)
		ok(!seen[h.ID], "%q twice", h.ID)
		seen[h.ID] = true
		whole := parts[0] + "/" + source
		v, _ := h.Fields["v"].(int64)
		if was, is := versions[whole]; is {
			ok(was == v, "%s has versions %d and %d", whole, was, v)
		}
		versions[whole] = v
		model := ""
		for _, m := range b.models {
			if fmt.Sprint(besideVector(m, h.Text)) == fmt.Sprint(h.Vector) {
				model = m
			}
		}
		ok(model != "", "%q has a vector of no model", h.Text)
		models[model] = true
		metric, wide := vecwire.Cosine, make([]float64, len(h.Vector))
		if name == "l2" {
			metric = vecwire.L2
		}
		for i, x := range h.Vector {
			wide[i] = float64(x)
		}
		if score := scoreOf(metric, q.Vector, wide); score-h.Score > 1e-4*(1+-score) || h.Score-score > 1e-4*(1+-score) {
			ok(false, "%q scores %v, want %v", h.Text, h.Score, score)
		}
		ok(i == 0 || h.Score <= last, "%q is better than the hit before", h.Text)
		last = h.Score
	}
	ok(len(models) <= 1, "vectors of several models: %v", models)
}

func (b *besideWorld) search(db *vecwire.DB, name string, rng *rand.Rand) error {
	c, err := db.OpenCollection(b.ctx, name)
	if err != nil {
		return err
	}
	return b.searches(c, name, rng)
}

func (b *besideWorld) searches(c *vecwire.Collection, name string, rng *rand.Rand) error {
	space := []string{"", "a", "b"}[rng.IntN(3)]
	if space != "" {
		in, err := c.Namespace(space)
		if err != nil {
			return err
		}
		c = in
	}
	for range 10 {
		q := vecwire.Query{Vector: besideVector("q", fmt.Sprint(rng.IntN(1000))), K: 1 + rng.IntN(400), Vectors: true, Exact: rng.IntN(2) == 0}
		whole := rng.IntN(3) == 0 // one source, of which each answer has all parts
		if whole {
			q.Filter, q.K = filter.Eq(vecwire.SourceField, fmt.Sprint("s", rng.IntN(besideSources))), 1000
		}
		results, err := c.SearchMany(b.ctx, []vecwire.Query{q})
		if err != nil {
			return err
		}
		hits := results[0].Hits
		b.right(name, space, q, hits)
		if whole && len(hits)%besideParts != 0 {
			b.t.Errorf("%s: %d of %d parts of a source", name, len(hits), besideParts)
		}
		b.count("searched")
	}
	return nil
}

func (b *besideWorld) mirror(db *vecwire.DB, name string, rng *rand.Rand) error {
	c, err := db.OpenCollection(b.ctx, name)
	if err != nil {
		return err
	}
	space := []string{"a", "b"}[rng.IntN(2)]
	in, err := c.Namespace(space)
	if err != nil {
		return err
	}
	m, err := in.Mirror(b.ctx, vecwire.MirrorOptions{})
	if err != nil {
		return err
	}
	defer m.Close()
	for range 3 {
		q := vecwire.Query{Vector: besideVector("q", fmt.Sprint(rng.IntN(1000))), K: 1000, Vectors: true}
		if _, err := m.Search(b.ctx, q); err != nil { // of what: texts are read later than the copy was made
			return err
		}
		if err := m.Refresh(b.ctx); err != nil {
			return err
		}
		b.count("mirrored")
	}
	return nil
}

// let lets memory go.
func (b *besideWorld) let(db *vecwire.DB, name string, rng *rand.Rand) error {
	c, err := db.OpenCollection(b.ctx, name)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
	b.count("closed")
	return c.Close()
}

// change changes the collection in another way than by its records.
func (b *besideWorld) change(db *vecwire.DB, name string, rng *rand.Rand) error {
	c, err := db.OpenCollection(b.ctx, name)
	if err != nil {
		return err
	}
	s := c.Schema()
	has := map[string]bool{}
	for _, f := range s.Fields {
		has[f.Name] = f.Index
	}
	n := rng.IntN(8)
	b.count(fmt.Sprint("changed ", n))
	switch n {
	case 0:
		if _, there := has["extra"]; there {
			return db.AlterCollection(b.ctx, name, vecwire.Alter{DropFields: []string{"extra"}})
		}
		return db.AlterCollection(b.ctx, name, vecwire.Alter{AddFields: []vecwire.Field{{Name: "extra", Type: vecwire.Int}}})
	case 1:
		return db.AlterCollection(b.ctx, name, vecwire.Alter{Indexed: map[string]bool{vecwire.SourceField: !has[vecwire.SourceField]}})
	case 2:
		codes := vecwire.FourBits - s.Codes
		return db.AlterCollection(b.ctx, name, vecwire.Alter{Codes: &codes})
	case 3:
		words := vecwire.Words - s.FullText
		return db.AlterCollection(b.ctx, name, vecwire.Alter{FullText: &words})
	case 4, 5:
		to := b.models[0]
		if s.Model == to {
			to = b.models[1]
		}
		_, _, err := db.Reembed(b.ctx, name, besideModel(to), vecwire.ReembedOptions{})
		if err == nil {
			b.count("embedded anew")
		}
		return err
	case 6:
		return c.BuildIndex(b.ctx, vecwire.IndexOptions{M: 6, EfConstruction: 30})
	default:
		indexes, err := c.Indexes(b.ctx)
		if err != nil {
			return err
		}
		for _, index := range indexes {
			if index.Kind == "hnsw" {
				return c.DropIndex(b.ctx, index.Name)
			}
		}
		return nil
	}
}
