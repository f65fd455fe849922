package mcp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/adapters/mcp"
)

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(mcp.Handler(mcp.NewServer(store(t), mcp.Options{}), mcp.HTTPOptions{}))
	defer server.Close()
	for range 2 { // several clients of one server
		client := sdk.NewClient(&sdk.Implementation{Name: "test"}, nil)
		session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: server.URL}, nil)
		require.NoError(t, err)
		defer session.Close()
		require.Contains(t, says(t, session, "list", args{}), `collection "docs"`)
	}
}

// A page whose name resolves to this machine, or any other page, is refused.
func TestRebinding(t *testing.T) {
	handler := mcp.Handler(mcp.NewServer(store(t), mcp.Options{}), mcp.HTTPOptions{Hosts: []string{"search.example"}})
	status := func(host, origin string) int {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`))
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	for _, host := range []string{"localhost", "localhost:7333", "127.0.0.1:7333", "[::1]:7333", "SEARCH.example:443", "localhost."} {
		require.Equal(t, http.StatusOK, status(host, ""), host)
	}
	for _, host := range []string{"evil.example", "evil.example:7333", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.7", "[::2]", ""} {
		require.Equal(t, http.StatusForbidden, status(host, ""), host)
	}
	require.Equal(t, http.StatusOK, status("localhost:7333", "http://localhost:7333"))
	require.Equal(t, http.StatusOK, status("localhost:7333", "https://search.example"))
	for _, origin := range []string{"https://evil.example", "null", "http://localhost.evil.example", "file://"} {
		require.Equal(t, http.StatusForbidden, status("localhost:7333", origin), origin)
	}
}

func TestToken(t *testing.T) {
	handler := mcp.Handler(mcp.NewServer(store(t), mcp.Options{}), mcp.HTTPOptions{Token: "secret"})
	for header, want := range map[string]int{"": 401, "Bearer": 401, "Bearer secre": 401, "Basic secret": 401, "Bearer secret": 400, "bearer secret": 400} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, header)
	}
}

// A client of the protocol without sessions is served, and nothing is kept of others.
func TestEachRequestStandsAlone(t *testing.T) {
	handler := mcp.Handler(mcp.NewServer(store(t), mcp.Options{}), mcp.HTTPOptions{})
	post := func(version, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set("Mcp-Protocol-Version", version)
		r.Header.Set("Mcp-Method", "tools/list")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Empty(t, w.Header().Get("Mcp-Session-Id"))
		return w
	}
	for version, params := range map[string]string{
		"2025-06-18": `{}`,
		"2026-07-28": `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}`,
	} {
		w := post(version, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":`+params+`}`)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.Contains(t, w.Body.String(), `"search"`, version)
	}
	long := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + strings.Repeat("x", 17<<20) + `"}}`
	require.Equal(t, http.StatusRequestEntityTooLarge, post("2025-06-18", long).Code)
}
