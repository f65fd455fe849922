package mcp_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/mcp"
	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/embed"
)

// letters is a model that counts letters, so that texts are near that share them.
func letters() vecwire.Embedder {
	return embed.Func("letters", 26, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		vectors := make([][]float32, len(texts))
		for i, text := range texts {
			vectors[i] = make([]float32, 26)
			vectors[i][0] = 0.01
			for _, r := range strings.ToLower(text) {
				if r >= 'a' && r <= 'z' {
					vectors[i][r-'a']++
				}
			}
		}
		return vectors, nil
	})
}

var long = strings.Repeat("All work and no play makes a long story. ", 400)

func store(t *testing.T) *vecwire.DB {
	ctx := t.Context()
	db, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	e := letters()
	for _, name := range []string{"docs", "secret"} {
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: e.Dim(), Model: e.Model(), FullText: vecwire.Words, Fields: []vecwire.Field{
			{Name: "kind", Index: true}, {Name: "year", Type: vecwire.Int}, {Name: "at", Type: vecwire.Time}}})
		require.NoError(t, err)
		c, err = c.WithEmbedder(e)
		require.NoError(t, err)
		require.NoError(t, c.Upsert(ctx,
			vecwire.Record{ID: "docs/boats.md#1", Text: "A sail moves the boat.", Fields: vecwire.Fields{"kind": "boat", "year": 1967}},
			vecwire.Record{ID: "docs/planes.md#1", Text: "Wings lift the plane.", Fields: vecwire.Fields{"kind": "plane"}},
			vecwire.Record{ID: "long", Text: long}))
	}
	return db
}

// connect returns a client of a server over memory.
func connect(t *testing.T, server *sdk.Server) *sdk.ClientSession {
	ctx := t.Context()
	there, here := sdk.NewInMemoryTransports()
	_, err := server.Connect(ctx, there, nil)
	require.NoError(t, err)
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test"}, nil).Connect(ctx, here, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call returns a tool's answer and whether it is an error.
func call(t *testing.T, s *sdk.ClientSession, tool string, arguments map[string]any) (string, bool) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	require.NoError(t, err)
	require.Len(t, result.Content, 1)
	return result.Content[0].(*sdk.TextContent).Text, result.IsError
}

func says(t *testing.T, s *sdk.ClientSession, tool string, arguments map[string]any) string {
	t.Helper()
	text, failed := call(t, s, tool, arguments)
	require.False(t, failed, text)
	return text
}

func refuses(t *testing.T, s *sdk.ClientSession, tool string, arguments map[string]any) string {
	t.Helper()
	text, failed := call(t, s, tool, arguments)
	require.True(t, failed, text)
	return text
}

type args = map[string]any

func TestReadOnlyByDefault(t *testing.T) {
	db := store(t)
	names := func(o mcp.Options) []string {
		tools, err := connect(t, mcp.NewServer(db, o)).ListTools(t.Context(), nil)
		require.NoError(t, err)
		var names []string
		for _, tool := range tools.Tools {
			names = append(names, tool.Name)
			require.Equal(t, tool.Name != "store" && tool.Name != "delete", tool.Annotations.ReadOnlyHint, tool.Name)
		}
		return names
	}
	require.Equal(t, []string{"get", "list", "search"}, names(mcp.Options{}))
	require.Equal(t, []string{"delete", "get", "list", "search", "store"}, names(mcp.Options{Write: true}))
	_, err := connect(t, mcp.NewServer(db, mcp.Options{})).CallTool(t.Context(), &sdk.CallToolParams{Name: "delete", Arguments: args{"collection": "docs", "ids": []string{"long"}}})
	require.Error(t, err)
}

// What the descriptions of all tools cost an assistant in every conversation.
func TestToolsAreFewTokens(t *testing.T) {
	tools, err := connect(t, mcp.NewServer(store(t), mcp.Options{Write: true})).ListTools(t.Context(), nil)
	require.NoError(t, err)
	text, err := json.Marshal(tools)
	require.NoError(t, err)
	require.Less(t, chunk.EstimateTokens(string(text)), 2500)
}

func TestSearch(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{Embedder: letters()}))
	text := says(t, s, "search", args{"collection": "docs", "query": "what does a sail do?", "k": 1})
	require.Regexp(t, `^id="docs/boats.md#1" score=\d\.\d{4} kind="boat" year=1967\nA sail moves the boat\.$`, text)
	text = says(t, s, "search", args{"collection": "docs", "query": "sail", "filter": `kind == "plane"`})
	require.Contains(t, text, "docs/planes.md#1")
	require.NotContains(t, text, "docs/boats.md#1")
	require.Equal(t, "Nothing was found.", says(t, s, "search", args{"collection": "docs", "query": "sail", "filter": `kind == "x"`}))

	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": ""}), "query")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": "x", "k": 51}), "1 to 50")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": "x", "filter": "kind = 1"}), "filter")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": "x", "filter": `color == "red"`}), "color")
	require.Contains(t, refuses(t, s, "search", args{"collection": "nope", "query": "x"}), "list names")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": "x", "limit": 3}), "limit")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs"}), "query")
	require.Contains(t, refuses(t, s, "search", args{"collection": "docs", "query": 3}), "query")
}

func TestSearchWithoutTheModel(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{}))
	text := says(t, s, "search", args{"collection": "docs", "query": "sail"})
	require.Contains(t, text, "Found by words only: this server has no model.")
	require.Contains(t, text, "docs/boats.md#1")
	other := embed.Func("other", 3, func(context.Context, []string, embed.Use) ([][]float32, error) { panic("not asked") })
	s = connect(t, mcp.NewServer(store(t), mcp.Options{Embedder: other}))
	require.Contains(t, says(t, s, "search", args{"collection": "docs", "query": "sail"}), `its model is "letters", this server's is "other"`)
}

func TestOneCollectionOnly(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{Collection: "docs", Embedder: letters(), Write: true}))
	tools, err := s.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, tool := range tools.Tools {
		require.NotContains(t, tool.InputSchema.(map[string]any)["properties"], "collection", tool.Name)
	}
	require.Contains(t, says(t, s, "search", args{"query": "sail", "k": 1}), "docs/boats.md#1")
	require.Contains(t, refuses(t, s, "search", args{"query": "sail", "collection": "secret"}), "collection")
	require.Contains(t, says(t, s, "list", args{}), `collection "docs": 3 records`)
	_, err = s.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: mcp.URI("secret", "long")})
	require.Error(t, err)
}

func TestGet(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{Tokens: 300}))
	text := says(t, s, "get", args{"collection": "docs", "ids": []string{"docs/planes.md#1", "nope"}})
	require.Equal(t, "Not there: \"nope\"\nid=\"docs/planes.md#1\" kind=\"plane\"\nWings lift the plane.", text)

	// A long text comes in parts, each within the budget.
	var whole strings.Builder
	for offset := 0; ; {
		text := says(t, s, "get", args{"collection": "docs", "ids": []string{"long"}, "offset": offset})
		require.LessOrEqual(t, chunk.EstimateTokens(text), 330)
		_, body, _ := strings.Cut(text, "\n")
		part, rest, cut := strings.Cut(body, "… (cut: get reads on from offset ")
		whole.WriteString(part)
		if !cut {
			break
		}
		number, _, _ := strings.Cut(rest, " ")
		require.NoError(t, json.Unmarshal([]byte(number), &offset))
	}
	require.Equal(t, strings.TrimSpace(long), strings.TrimSpace(whole.String()))
	require.Contains(t, refuses(t, s, "get", args{"collection": "docs", "ids": []string{}}), "ids")
}

func TestAnswersStayWithinTheBudget(t *testing.T) {
	db := store(t)
	c, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	c, err = c.WithEmbedder(letters())
	require.NoError(t, err)
	for i := range 40 {
		require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: strings.Repeat("i", 1+i), Text: long}))
	}
	s := connect(t, mcp.NewServer(db, mcp.Options{Embedder: letters(), Tokens: 500}))
	for _, text := range []string{
		says(t, s, "search", args{"collection": "docs", "query": "a long story", "k": 50}),
		says(t, s, "list", args{"collection": "docs", "k": 50}),
	} {
		require.Less(t, chunk.EstimateTokens(text), 600)
	}
}

func TestList(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{}))
	text := says(t, s, "list", args{})
	require.Equal(t, "collection \"docs\": 3 records; fields for filters: kind String, year Int, at Time\n"+
		"collection \"secret\": 3 records; fields for filters: kind String, year Int, at Time", text)
	text = says(t, s, "list", args{"collection": "docs", "k": 1})
	require.Contains(t, text, `id="docs/boats.md#1" kind="boat" year=1967 A sail moves the boat.`)
	require.Contains(t, text, `(more: list after "docs/boats.md#1")`)
	text = says(t, s, "list", args{"collection": "docs", "after": "docs/boats.md#1"})
	require.NotContains(t, text, "docs/boats.md#1")
	require.NotContains(t, text, "more:")
}

func TestStoreAndDelete(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{Embedder: letters(), Write: true}))
	text := says(t, s, "store", args{"collection": "docs", "text": "Oars push the water.", "fields": args{"kind": "boat", "year": 2020, "at": "2026-11-29T12:00:00Z"}})
	require.Regexp(t, `^Stored id="[0-9a-f]{16}"\.$`, text)
	require.Contains(t, says(t, s, "search", args{"collection": "docs", "query": "oars", "filter": "year == 2020"}), "Oars push the water.")
	require.Equal(t, text, says(t, s, "store", args{"collection": "docs", "text": "Oars push the water."}))
	require.Equal(t, `Stored id="mine".`, says(t, s, "store", args{"collection": "docs", "text": "x", "id": "mine"}))
	require.Equal(t, "Deleted 1 of 2.", says(t, s, "delete", args{"collection": "docs", "ids": []string{"mine", "nope"}}))
	require.Contains(t, refuses(t, s, "store", args{"collection": "docs", "text": "x", "fields": args{"year": "old"}}), "year")
	require.Contains(t, refuses(t, s, "store", args{"collection": "docs", "text": "x", "fields": args{"color": "red"}}), "color")
	require.Contains(t, refuses(t, s, "store", args{"collection": "docs", "text": ""}), "text")
}

func TestResources(t *testing.T) {
	s := connect(t, mcp.NewServer(store(t), mcp.Options{}))
	templates, err := s.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, templates.ResourceTemplates, 2)
	read := func(uri string) string {
		result, err := s.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		require.NoError(t, err)
		return result.Contents[0].Text
	}
	require.JSONEq(t, `{"id": "docs/boats.md#1", "text": "A sail moves the boat.", "fields": {"kind": "boat", "year": 1967}}`, read(mcp.URI("docs", "docs/boats.md#1")))
	require.JSONEq(t, `{"name": "docs", "records": 3, "model": "letters", "fields": [{"name": "kind", "type": "String"}, {"name": "year", "type": "Int"}, {"name": "at", "type": "Time"}]}`,
		read("vecwire:///docs"))
	for _, uri := range []string{mcp.URI("docs", "nope"), mcp.URI("nope", "long"), "vecwire:///nope"} {
		_, err := s.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		require.Error(t, err, uri)
	}
}

// Clients let their users choose from the list of resources: it names the collections
// that may be reached, as they are now, after those of the server's own.
func TestResourceList(t *testing.T) {
	db := store(t)
	uris := func(s *sdk.ClientSession) (uris []string) {
		for r, err := range s.Resources(t.Context(), nil) {
			require.NoError(t, err)
			uris = append(uris, r.URI)
		}
		return uris
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "own"}, &sdk.ServerOptions{PageSize: 1})
	read := func(context.Context, *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) { return nil, nil }
	server.AddResource(&sdk.Resource{Name: "a", URI: "own:///a"}, read)
	server.AddResource(&sdk.Resource{Name: "b", URI: "own:///b"}, read)
	mcp.AddTools(server, db, mcp.Options{})
	all := connect(t, server)
	require.Equal(t, []string{"own:///a", "own:///b", "vecwire:///docs", "vecwire:///secret"}, uris(all))
	require.Equal(t, []string{"vecwire:///docs"}, uris(connect(t, mcp.NewServer(db, mcp.Options{Collection: "docs"}))))
	require.NoError(t, db.DropCollection(t.Context(), "secret"))
	require.Equal(t, []string{"own:///a", "own:///b", "vecwire:///docs"}, uris(all))
}

// Models take schemas whose values have one type each.
func TestParametersHaveOneType(t *testing.T) {
	tools, err := connect(t, mcp.NewServer(store(t), mcp.Options{Write: true})).ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, tool := range tools.Tools {
		for name, p := range tool.InputSchema.(map[string]any)["properties"].(map[string]any) {
			require.IsType(t, "", p.(map[string]any)["type"], "%s of %s", name, tool.Name)
		}
	}
}

// TestStoreKeepsVectors: a record with vectors that the server cannot make is not replaced
// by one without.
func TestStoreKeepsVectors(t *testing.T) {
	db := store(t)
	require.NoError(t, db.AlterCollection(t.Context(), "docs", vecwire.Alter{AddVectors: []vecwire.VectorField{{Name: "image", Dim: 2}}}))
	c, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	require.NoError(t, c.Update(t.Context(), vecwire.Change{ID: "long", Vectors: map[string][]float32{"image": {1, 2}}}))
	s := connect(t, mcp.NewServer(db, mcp.Options{Embedder: letters(), Write: true}))
	require.Contains(t, refuses(t, s, "store", args{"collection": "docs", "text": "Short.", "id": "long"}), "image")
	got, err := c.Get(t.Context(), "long")
	require.NoError(t, err)
	require.Equal(t, long, got[0].Text)
	require.Equal(t, []float32{1, 2}, got[0].Vectors["image"])
	says(t, s, "store", args{"collection": "docs", "text": "A keel.", "id": "docs/boats.md#1"})
	says(t, s, "store", args{"collection": "docs", "text": "New."})
}
