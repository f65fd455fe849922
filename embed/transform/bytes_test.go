package transform

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// tinyTexts are texts of 2 to 160 tokens.
func tinyTexts() []string {
	texts := []string{"", "read"}
	r := rand.New(rand.NewPCG(11, 12))
	for range 40 {
		var words []string
		for range r.IntN(170) {
			words = append(words, tinyVocab[4+r.IntN(5)])
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return texts
}

func TestInt8AgreesWithFloat(t *testing.T) {
	m := newByteModel()
	exact, err := openModel(t, m, Options{})
	require.NoError(t, err)
	rounded, err := openModel(t, m, Options{Int8: true})
	require.NoError(t, err)
	require.Equal(t, exact.Dim(), rounded.Dim())
	require.NotEqual(t, exact.Model(), rounded.Model())
	require.Regexp(t, `^bert-L2-H32-int8/[0-9a-f]{16}$`, rounded.Model())
	want, err := exact.Embed(t.Context(), tinyTexts(), embed.Document)
	require.NoError(t, err)
	got, err := rounded.Embed(t.Context(), tinyTexts(), embed.Document)
	require.NoError(t, err)
	for i := range want {
		require.Greater(t, cosine(want[i], got[i]), 0.998, "text %d", i)
		require.InDelta(t, 1, length(got[i]), 1e-6)
	}
}

// A vector depends on its text alone: not on the texts beside it, nor on how many
// CPUs compute, nor on who had the memory before.
func TestInt8WhateverTheCompany(t *testing.T) {
	m := newByteModel()
	alone, err := openModel(t, m, Options{Int8: true, Concurrency: 1})
	require.NoError(t, err)
	var want [][]float32
	for _, text := range tinyTexts() {
		v, err := alone.Embed(t.Context(), []string{text}, embed.Document)
		require.NoError(t, err)
		want = append(want, v[0])
	}
	for _, cpus := range []int{1, 2, 5} {
		e, err := openModel(t, m, Options{Int8: true, Concurrency: cpus})
		require.NoError(t, err)
		got, err := e.Embed(t.Context(), tinyTexts(), embed.Document)
		require.NoError(t, err)
		require.Equal(t, want, got)
		var callers sync.WaitGroup
		for i, text := range tinyTexts() {
			callers.Go(func() {
				v, err := e.Embed(t.Context(), []string{text}, embed.Document)
				if err != nil || !equal(want[i], v[0]) {
					t.Errorf("text %d: another vector beside other callers (%v)", i, err)
				}
			})
		}
		callers.Wait()
	}
}

func equal(a, b []float32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestInt8EndsWithItsContext(t *testing.T) {
	e, err := openModel(t, newByteModel(), Options{Int8: true, Concurrency: 3})
	require.NoError(t, err)
	text := [][]int32{{2, 4, 5, 6, 7, 3}}
	_, err = e.encoder.run(&ends{t.Context(), 1}, &scratch{}, text, 3)
	require.ErrorIs(t, err, context.Canceled, "in the second layer")
	_, err = e.encoder.run(&ends{t.Context(), 2}, &scratch{}, text, 3)
	require.NoError(t, err)
}

func TestInt8Refuses(t *testing.T) {
	_, err := openTiny(t, Options{Int8: true})
	var value *codec.ValueError
	require.ErrorAs(t, err, &value)
	require.Equal(t, "hidden_size", value.Field)
	for _, name := range []string{"embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.weight", "encoder.layer.0.output.LayerNorm.bias"} {
		_, err = openModel(t, newByteModel(), Options{Int8: true}, func(m *tinyModel) { m.tensors[name][3] = float32(math.NaN()) })
		require.ErrorAs(t, err, &value, name)
		require.Equal(t, "the weights", value.Field)
	}
}

func TestBarrier(t *testing.T) {
	const size, rounds = 4, 200
	b := newBarrier(size)
	var came, ends atomic.Int32
	var all sync.WaitGroup
	for range size {
		all.Go(func() {
			for round := int32(1); ; round++ {
				came.Add(1)
				ended := b.wait(func() bool { return ends.Add(1) == rounds })
				if n := came.Load(); n < size*round {
					t.Errorf("round %d is over when %d have come", round, n)
				}
				if ended {
					return
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, rounds, ends.Load())
	require.EqualValues(t, size*rounds, came.Load())
}

func TestChunks(t *testing.T) {
	for from := range 3 {
		for to := from; to < 200; to++ {
			next := from
			for c := range chunks(from, to) {
				require.Equal(t, next, c.from)
				require.Greater(t, c.n, 0)
				require.LessOrEqual(t, c.n, chunkTokens)
				next += c.n
			}
			require.Equal(t, to, next)
		}
	}
}
