package main

import (
	"bytes"
	"context"
	"hash/fnv"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
)

func urls(t *testing.T) map[string]string {
	return map[string]string{"embedded": "mem:", "postgres": testenv.Postgres(t)}
}

// words is an embedder to which texts are near that have words in common.
func words() vecwire.Embedder {
	return embed.Func("words", 64, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		vectors := make([][]float32, len(texts))
		for i, text := range texts {
			vectors[i] = make([]float32, 64)
			for _, word := range strings.Fields(text) {
				h := fnv.New32a()
				_, _ = h.Write([]byte(word))
				vectors[i][h.Sum32()%64]++
			}
		}
		return vectors, nil
	})
}

// The same memory, on both engines.
func TestMemory(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, url := range urls(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			db, err := vecwire.Open(ctx, url)
			require.NoError(t, err)
			defer db.Close()
			m, err := NewMemory(ctx, db, words())
			require.NoError(t, err)
			require.NoError(t, m.Learn(ctx,
				Fact{Text: "the deployment goes out on thursdays", Source: "wiki", At: now.Add(-200 * day), Confidence: 0.9},
				Fact{Text: "the deployment goes out on fridays now", Source: "anna", At: now.Add(-2 * day), Confidence: 0.9},
				Fact{ID: "editor", Text: "anna likes the editor vim", Source: "anna", At: now.Add(-10 * day), Confidence: 0.8},
				Fact{Text: "someone said that the deployment is on mondays", Source: "rumour", At: now.Add(-day), Confidence: 0.2},
			))
			recall := func(question string, k int) (texts []string) {
				found, err := m.Recall(ctx, question, now, k)
				require.NoError(t, err)
				for _, f := range found {
					texts = append(texts, f.Text)
				}
				return texts
			}
			require.Equal(t, "the deployment goes out on fridays now", recall("when is the deployment", 1)[0], "newer counts more, and surer")
			require.Equal(t, []string{"anna likes the editor vim"}, recall("which editor", 1))

			// Word for word again: confirmed, and not there twice.
			require.NoError(t, m.Learn(ctx, Fact{Text: "the deployment goes out on fridays now", Source: "ben", At: now, Confidence: 1}))
			require.Len(t, recall("deployment", 9), 4)

			require.NoError(t, m.Correct(ctx, "editor", Fact{Text: "anna likes the editor emacs", Source: "anna", At: now, Confidence: 0.9}))
			require.Equal(t, []string{"anna likes the editor emacs"}, recall("which editor", 1))
			require.NoError(t, m.Doubt(ctx, "editor", 0.1))
			require.NotContains(t, recall("which editor", 9), "anna likes the editor emacs", "hardly believed")
			require.ErrorIs(t, m.Doubt(ctx, "none", 0.5), vecwire.ErrNotFound)

			require.NoError(t, m.Learn(ctx, Fact{Text: "the office is closed", Source: "anna", At: now, Confidence: 1, Until: now.Add(day)}))
			require.Contains(t, recall("office closed", 9), "the office is closed")
			later, err := m.Recall(ctx, "office closed", now.Add(day), 9)
			require.NoError(t, err)
			for _, f := range later {
				require.NotEqual(t, "the office is closed", f.Text, "no longer true")
			}

			n, err := m.Forget(ctx, now.Add(-90*day), now.Add(day))
			require.NoError(t, err)
			require.Equal(t, 3, n, "the old one, the doubted one, and what is no longer true")
			require.Len(t, recall("deployment", 9), 2)
			found, err := m.Recall(ctx, "deployment", now.Add(-300*day), 9)
			require.NoError(t, err)
			require.Empty(t, found, "what is learned later is not known yet")
		})
	}
}

func TestRun(t *testing.T) {
	db := filepath.Join(t.TempDir(), "facts.db")
	var out bytes.Buffer
	for _, args := range [][]string{
		{"learn", "-db", db, "-source", "wiki", "the", "deployment goes out on thursdays"},
		{"learn", "-db", db, "vim is an editor"},
		{"recall", "-db", db, "-k", "1", "when is the deployment"},
		{"forget", "-db", db, "-days", "90"},
	} {
		require.NoError(t, run(t.Context(), args, words(), &out))
	}
	require.Regexp(t, `^0\.90  the deployment goes out on thursdays  \(wiki, [-0-9]+\)\n0 facts forgotten\n$`, out.String())
	require.Error(t, run(t.Context(), []string{"dream", "-db", db}, words(), &out))
	require.Error(t, run(t.Context(), nil, words(), &out))
}
