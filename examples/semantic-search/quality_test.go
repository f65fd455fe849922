package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/builtin"
	"github.com/vecwire/vecwire/embed/transform"
)

// TestStandardLibrary reads this machine's Go and asks the questions of it.
func TestStandardLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("it computes 8,000 vectors")
	}
	tool, err := FindToolchain(t.Context())
	require.NoError(t, err)
	embedder, err := builtin.Open(transform.Options{MaxTokens: documentTokens})
	require.NoError(t, err)
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	s := session{request: request{k: 5}, index: Index{DB: db, Embedder: embedder, Dir: t.TempDir()}, stderr: t.Output()}
	require.NoError(t, s.open(t.Context(), tool))
	require.Greater(t, s.changes.Records, 5000)
	for _, id := range []string{"bufio", "bufio.Scanner.Text", "builtin.append", "net/http.Server.ReadTimeout", "os.O_RDONLY", "reflect.Type.Elem"} {
		records, err := s.docs.Get(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, records, 1, id)
	}
	require.NoError(t, s.index.Fill(t.Context()))

	place := func(q question, complete bool) int {
		hits, err := s.search(t.Context(), q.query, complete)
		require.NoError(t, err)
		place := 1 + slices.IndexFunc(hits, func(h vecwire.Hit) bool { return slices.Contains(strings.Fields(q.answers), h.ID) })
		t.Logf("%t %d %-50.50s  first: %s", complete, place, q.query, hits[0].ID)
		return place
	}
	ask := func(list []question, complete bool) (answered int) {
		for _, q := range list {
			if place(q, complete) > 0 {
				answered++
			}
		}
		return answered
	}
	ours := slices.Concat(questions, moreQuestions, unseenQuestions)
	byWords, both := ask(ours, false), ask(ours, true)
	t.Logf("of 44 questions, by words %d are answered among the first five, by both %d", byWords, both)
	require.GreaterOrEqual(t, byWords, 28)
	require.GreaterOrEqual(t, both, 40)

	theirs, err := writtenQuestions(filepath.Join(tool.Root, "src"))
	require.NoError(t, err)
	byWords, both = ask(theirs, false), ask(theirs, true)
	t.Logf("of %d comments of examples, by words %d lead to their symbol among the first five, by both %d", len(theirs), byWords, both)
	require.GreaterOrEqual(t, 100*both, 40*len(theirs))

	for _, q := range demonstrations {
		at := place(q.question, true)
		require.True(t, at > 0 && at <= q.most, "%q: %s has place %d", q.query, q.answers, at)
	}
}
