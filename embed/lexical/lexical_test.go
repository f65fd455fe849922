package lexical

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

var animals = []string{
	"The quick brown fox jumps over the lazy dog.",
	"A fox is a small wild animal of the dog family.",
	"Lazy people read books about animals.",
	"func ReadAll(r io.Reader) ([]byte, error) reads until EOF",
	"",
}

// skewed makes texts of words that are as unevenly common as those of a
// language, the same ones on every machine.
func skewed(texts int) []string {
	rng := rand.NewPCG(1, 2)
	out := make([]string, texts)
	for i := range out {
		for range 20 + rng.Uint64()%60 {
			a, b, c := rng.Uint64()%100, rng.Uint64()%100, rng.Uint64()%100
			word := fmt.Sprint(a * b * c / 250) // below 4000
			out[i] += "q" + strings.Map(func(r rune) rune { return r - '0' + 'a' }, word) + "z "
		}
	}
	return out
}

func embedOne(t testing.TB, e *Embedder, text string, use embed.Use) []float32 {
	vectors, err := e.Embed(t.Context(), []string{text}, use)
	require.NoError(t, err)
	return vectors[0]
}

func fingerprint(vectors [][]float32) string {
	h := fnv.New64a()
	for _, v := range vectors {
		h.Write(codec.AppendBlob(nil, v))
	}
	return fmt.Sprintf("%x", h.Sum64())
}

// What these tests want was written by one machine; another one must give it
// too. A change here means that stored vectors are no longer those of their
// model's name: raise version.
func TestGolden(t *testing.T) {
	e := fit(t, animals, Options{Dim: 16, Positions: 2})
	require.Equal(t, "lexical-1/16/b1c7b64a2536", e.Model())
	require.Equal(t, []float32{
		0.88875103, 0.88875103, 0, 0, 0.88875103, 0, 0, 0.79081154,
		0, 1.5816231, 0.79081154, -0.79081154, 0, -0.79081154, 0, 0,
	}, embedOne(t, e, animals[0], embed.Document))
	require.Equal(t, append([]float32{0.93566513, 0.93566513}, make([]float32, 14)...), embedOne(t, e, "lazy fox", embed.Query))

	texts := skewed(300)
	e = fit(t, texts, Options{})
	vectors, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	require.Equal(t, "lexical-1/768/fe132d933aa8", e.Model())
	require.Equal(t, "115128f795107722", fingerprint(vectors))
}

func TestOrderOfTextsDoesNotMatter(t *testing.T) {
	texts := skewed(100)
	e := fit(t, texts, Options{})
	backwards := slices.Clone(texts)
	slices.Reverse(backwards)
	require.Equal(t, e.Model(), fit(t, backwards, Options{}).Model())
	for range 3 { // maps are read in another order each time
		require.Equal(t, embedOne(t, e, texts[0], embed.Document), embedOne(t, e, texts[0], embed.Document))
	}
}

func TestModelTellsFitsApart(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []*Embedder{
		fit(t, animals, Options{}),
		fit(t, animals, Options{Dim: 512}),
		fit(t, animals, Options{Positions: 2}),
		fit(t, animals[1:], Options{}),
		fit(t, append(slices.Clone(animals), "the"), Options{}), // one text more, no term more
	} {
		require.False(t, seen[e.Model()], e.Model())
		seen[e.Model()] = true
	}
}

func TestFitterGoesOn(t *testing.T) {
	var f Fitter
	f.Add(animals[0])
	first, err := f.Fit(Options{})
	require.NoError(t, err)
	model, v := first.Model(), embedOne(t, first, "wild fox", embed.Query)
	f.Add(animals[1])
	second, err := f.Fit(Options{})
	require.NoError(t, err)
	require.NotEqual(t, model, second.Model())
	require.Equal(t, v, embedOne(t, first, "wild fox", embed.Query), "an embedder changed after it was fitted")
}

func TestNothingKnown(t *testing.T) {
	e := fit(t, animals, Options{})
	zero := make([]float32, e.Dim())
	for _, text := range []string{"", "the of and", "zyzzyva", "...", "\xff"} {
		require.Equal(t, zero, embedOne(t, e, text, embed.Document), text)
		require.Equal(t, zero, embedOne(t, e, text, embed.Query), text)
	}
	require.NoError(t, codec.Check(zero, e.Dim(), codec.Dot))
	require.Error(t, codec.Check(zero, e.Dim(), codec.Cosine))
	require.Equal(t, embedOne(t, e, "fox", embed.Query), embedOne(t, e, "the zyzzyva fox", embed.Query))
}

func TestFitErrors(t *testing.T) {
	var f Fitter
	_, err := f.Fit(Options{})
	require.ErrorIs(t, err, ErrEmpty)
	f.Add("")
	f.Add("the")
	_, err = f.Fit(Options{})
	require.ErrorIs(t, err, ErrEmpty)
	f.Add("fox")
	for _, o := range []Options{{Dim: -1}, {Dim: 15}, {Dim: 16385}, {Positions: -1}, {Positions: 9}} {
		_, err = f.Fit(o)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value, "%+v", o)
	}
	for _, o := range []Options{{}, {Dim: 16, Positions: 8}, {Dim: 16384, Positions: 1}} {
		_, err = f.Fit(o)
		require.NoError(t, err, "%+v", o)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fit(t, animals, Options{}).Embed(ctx, animals, embed.Document)
	require.ErrorIs(t, err, context.Canceled)
}

func TestConcurrentUse(t *testing.T) {
	texts := skewed(60)
	e := fit(t, texts, Options{Dim: 128})
	want, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	var wg sync.WaitGroup
	got := make([][][]float32, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = e.Embed(t.Context(), texts, embed.Document) })
	}
	wg.Wait()
	for _, g := range got {
		require.Equal(t, want, g)
	}
}

// With an element for every term the dot product is BM25, but for float32.
func TestEveryTermAlone(t *testing.T) {
	h, exact := newHashed(t, animals, Options{Dim: 1024}), newBM25(animals)
	for _, query := range []string{"lazy dog", "wild foxes read", "fox fox", "ReadAll"} {
		require.InDeltaSlice(t, exact.scores(query), h.scores(t, query), 1e-4, query)
	}
}

// The dot product approximates BM25, and the better the more dimensions it has.
func TestApproximatesBM25(t *testing.T) {
	texts := skewed(500)
	exact := newBM25(texts)
	last := 0.0
	for _, dim := range []int{64, 256, 768} {
		h := newHashed(t, texts, Options{Dim: dim})
		sum, n := 0.0, 0.0
		for _, text := range texts[:50] {
			query := strings.Join(strings.Fields(text)[:5], " ")
			sum += correlation(exact.scores(query), h.scores(t, query))
			n++
		}
		t.Logf("%4d dimensions: correlation with exact BM25 %.3f", dim, sum/n)
		require.Greater(t, sum/n, last)
		last = sum / n
	}
	require.Greater(t, last, 0.75)
}

func TestLog2(t *testing.T) {
	for x := 1.0; x < 1e12; x *= 1.0173 {
		require.InDelta(t, math.Log2(x), log2(x), 1.0/(1<<20), x)
	}
	require.Zero(t, log2(1))
	require.Equal(t, 10.0, log2(1024))
}
