package embed_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// TestBadAnswers puts each way to answer badly below each wrapper that reads
// answers: the error names the text by its place in the caller's call.
func TestBadAnswers(t *testing.T) {
	nan := float32(math.NaN())
	var dimension *codec.DimensionError
	var value *codec.ValueError
	var count *embed.CountError
	wrappers := map[string]func(e embed.Embedder) embed.Embedder{
		"check": embed.Check,
		"batch": func(e embed.Embedder) embed.Embedder { return embed.Batch(e, embed.BatchOptions{Items: 3}) },
		"cache": func(e embed.Embedder) embed.Embedder { return embed.Cache(e, embed.NewLRU(0)) },
		"all": func(e embed.Embedder) embed.Embedder {
			return embed.Cache(embed.Batch(embed.Retry(embed.Limit(embed.Check(e), embed.LimitOptions{}), embed.RetryOptions{}), embed.BatchOptions{Items: 3}), embed.NewLRU(0))
		},
	}
	// The text numbered 4 is the bad one, or the one from which the answer lacks vectors.
	for name, tt := range map[string]struct {
		spoil func(v [][]float32, at int) [][]float32
		is    any
	}{
		"too short": {func(v [][]float32, at int) [][]float32 { v[at] = v[at][:2]; return v }, &dimension},
		"too long":  {func(v [][]float32, at int) [][]float32 { v[at] = append(v[at], 1); return v }, &dimension},
		"nil":       {func(v [][]float32, at int) [][]float32 { v[at] = nil; return v }, &dimension},
		"NaN":       {func(v [][]float32, at int) [][]float32 { v[at][3] = nan; return v }, &value},
		"infinite":  {func(v [][]float32, at int) [][]float32 { v[at][0] = float32(math.Inf(-1)); return v }, &value},
		"partial":   {func(v [][]float32, at int) [][]float32 { return v[:at] }, &count},
	} {
		for wrapper, wrap := range wrappers {
			t.Run(wrapper+"/"+name, func(t *testing.T) {
				texts := numbered(8)
				f := &fake{dim: 4, spoil: func(got []string, v [][]float32) [][]float32 {
					for at, text := range got {
						if text == texts[4] {
							return tt.spoil(v, at)
						}
					}
					return v
				}}
				_, err := wrap(f).Embed(t.Context(), texts, embed.Document)
				var text *embed.TextError
				require.ErrorAs(t, err, &text)
				require.Equal(t, 4, text.Index)
				require.ErrorAs(t, err, tt.is)
			})
		}
	}
}

func TestTooManyVectors(t *testing.T) {
	f := &fake{dim: 4, spoil: func(_ []string, v [][]float32) [][]float32 { return append(v, v[0]) }}
	_, err := embed.Check(f).Embed(t.Context(), numbered(2), embed.Document)
	require.Equal(t, &embed.CountError{Texts: 2, Vectors: 3}, err)
	var text *embed.TextError
	require.False(t, errors.As(err, &text))
}

func TestCheckLetsGoodAnswersPass(t *testing.T) {
	f := &fake{dim: 4}
	e := embed.Check(f)
	require.Equal(t, "fake", e.Model())
	require.Equal(t, 4, e.Dim())
	got, err := e.Embed(t.Context(), numbered(3), embed.Query)
	require.NoError(t, err)
	require.Equal(t, f.want(numbered(3), embed.Query), got)
}

// verifies is a fake that says that it checks its answers.
type verifies struct{ *fake }

func (verifies) Verified() bool { return true }

// TestAnswersAreCheckedOnce has an embedder that says that it checks its answers, and
// does not: no wrapper checks them again, and each wrapper of it says the same.
func TestAnswersAreCheckedOnce(t *testing.T) {
	nan := float32(math.NaN())
	wrappers := map[string]func(e embed.Embedder) embed.Embedder{
		"check": embed.Check,
		"retry": func(e embed.Embedder) embed.Embedder { return embed.Retry(e, embed.RetryOptions{}) },
		"limit": func(e embed.Embedder) embed.Embedder { return embed.Limit(e, embed.LimitOptions{}) },
		"batch": func(e embed.Embedder) embed.Embedder { return embed.Batch(e, embed.BatchOptions{}) },
		"cache": func(e embed.Embedder) embed.Embedder { return embed.Cache(e, embed.NewLRU(0)) },
	}
	spoil := func(_ []string, v [][]float32) [][]float32 { v[0][0] = nan; return v }
	for name, wrap := range wrappers {
		for outer, around := range wrappers {
			e := around(wrap(verifies{&fake{dim: 4, spoil: spoil}}))
			require.True(t, e.(interface{ Verified() bool }).Verified(), "%s of %s", outer, name)
			_, err := e.Embed(t.Context(), numbered(2), embed.Document)
			require.NoError(t, err, "%s of %s", outer, name)
			_, failed, err := embed.Isolate(e).Each(t.Context(), numbered(2), embed.Document)
			require.NoError(t, err)
			require.Empty(t, failed)
		}
		e := wrap(&fake{dim: 4, spoil: spoil})
		checks := e.(interface{ Verified() bool }).Verified()
		require.Equal(t, name != "retry" && name != "limit", checks, name)
	}
}

func TestFunc(t *testing.T) {
	f := &fake{dim: 4}
	e := embed.Func("mine", 4, f.Embed)
	require.Equal(t, "mine", e.Model())
	require.Equal(t, 4, e.Dim())
	got, err := e.Embed(t.Context(), numbered(3), embed.Query)
	require.NoError(t, err)
	require.Equal(t, f.want(numbered(3), embed.Query), got)
	got, err = e.Embed(t.Context(), nil, embed.Query)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Len(t, f.calls, 1)
	_, err = embed.Func("mine", 5, f.Embed).Embed(t.Context(), numbered(3), embed.Query)
	var dimension *codec.DimensionError
	require.ErrorAs(t, err, &dimension)
}
