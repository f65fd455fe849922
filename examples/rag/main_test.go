package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
)

func folder(t *testing.T) string {
	dir, cache := t.TempDir(), t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} { // what os.UserCacheDir asks for
		t.Setenv(name, cache)
	}
	for name, text := range map[string]string{
		"boats.md":  "# Boats\n\n## Sailing\n\nA sail catches the wind and moves the boat.\n\n## Rowing\n\nOars push water.\n",
		"planes.md": "# Planes\n\nWings lift the plane.\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func ask(t *testing.T, args ...string) (string, error) {
	var out, log bytes.Buffer
	err := run(t.Context(), args, &out, &log)
	return out.String(), err
}

func TestPrompt(t *testing.T) {
	dir := folder(t)
	want := instructions + `

[1] boats.md > Boats > Sailing
# Boats

## Sailing

A sail catches the wind and moves the boat.

Question: what does the wind do to a sail?
`
	for range 2 { // the second run finds everything in place
		out, err := ask(t, "-folder", dir, "what", "does the wind do to a sail?")
		require.NoError(t, err)
		require.Equal(t, want, out)
	}
	_, err := ask(t, "-folder", dir, "photosynthesis")
	require.ErrorContains(t, err, "nothing in")
	_, err = ask(t, "-folder", dir)
	require.ErrorContains(t, err, "a question is needed")
}

func TestPromptBudget(t *testing.T) {
	hit := func(text string, score float64) vecwire.Hit {
		return vecwire.Hit{Record: vecwire.Record{Text: text, Fields: vecwire.Fields{"source": "f.md"}}, Score: score}
	}
	long := "many words that are about nothing in particular and fill the whole budget of tokens, and more words than that, and yet more"
	hits := []vecwire.Hit{hit("first", 3), hit(long, 2), hit("second", 1), hit("unrelated", 0)}
	prompt, cited := Prompt("why?", hits, chunk.EstimateTokens(instructions)+25)
	require.Equal(t, 2, cited)
	require.Contains(t, prompt, "[1] f.md\nfirst")
	require.Contains(t, prompt, "[2] f.md\nsecond")
	require.NotContains(t, prompt, "unrelated")
	require.LessOrEqual(t, chunk.EstimateTokens(prompt), chunk.EstimateTokens(instructions)+25)
	_, cited = Prompt("why?", hits, 1)
	require.Zero(t, cited)
}

func TestAnswer(t *testing.T) {
	dir := folder(t)
	t.Setenv("OPENAI_API_KEY", "secret")
	status, says := http.StatusOK, `{"choices": [{"message": {"role": "assistant", "content": "Wings do [1]."}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/v1/chat/completions", r.URL.Path)
		require.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		var in struct{ Messages []struct{ Content string } }
		require.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		require.Contains(t, in.Messages[0].Content, "Wings lift the plane.")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(says))
	}))
	defer server.Close()
	out, err := ask(t, "-folder", dir, "-chat-url", server.URL+"/v1", "what lifts a plane?")
	require.NoError(t, err)
	require.Contains(t, out, "\n---\nWings do [1].\n")
	for want, bad := range map[string]struct {
		status int
		says   string
	}{
		`429 Too Many Requests, and no choices: "slow down, [key]"`: {429, "slow down, secret"},
		`200 OK, and no choices: "{\"error\":\"no such model\"}"`:   {200, `{"error":"no such model"}`},
		`200 OK, and no choices: "<html>"`:                          {200, "<html>"},
	} {
		status, says = bad.status, bad.says
		_, err = ask(t, "-folder", dir, "-chat-url", server.URL+"/v1", "what lifts a plane?")
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
}
