package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// serve runs the program and returns its address and what ends it.
func serve(t *testing.T, args ...string) (url string, end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	addr, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-addr", "localhost:0"}, args...), io.Discard, func(a net.Addr) { addr <- a })
	}()
	select {
	case a := <-addr:
		return "http://" + a.String(), func() error { cancel(); return <-ended }
	case err := <-ended:
		cancel()
		require.NoError(t, err)
		return "", nil
	}
}

func call(t *testing.T, url, body string) (int, map[string]any) {
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	var out map[string]any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return resp.StatusCode, out
}

func TestService(t *testing.T) {
	db := filepath.Join(t.TempDir(), "test.db")
	url, end := serve(t, "-db", db, "-dim", "3")

	status, out := call(t, url+"/upsert", `{"records": [
		{"id": "1", "vector": [1, 0, 0], "text": "red", "fields": {"lang": "en", "year": 2020}},
		{"id": "2", "vector": [0, 1, 0], "text": "vert", "fields": {"lang": "fr"}}]}`)
	require.Equal(t, 200, status, out)
	require.EqualValues(t, 2, out["stored"])

	status, out = call(t, url+"/search", `{"vector": [1, 0.1, 0], "k": 1, "filter": "year >= 2020"}`)
	require.Equal(t, 200, status, out)
	found := out["hits"].([]any)[0].(map[string]any)
	require.Equal(t, "1", found["id"])
	require.Equal(t, "red", found["text"])
	require.EqualValues(t, 2020, found["fields"].(map[string]any)["year"])

	resp, err := http.Get(url + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)

	for body, want := range map[string]string{
		`{"vector": [1, 0]}`:                             "bad_request vector",
		`{"vector": [1, 0, 0], "k": -1}`:                 "bad_request k",
		`{"vector": [1, 0, 0], "filter": "lang =="}`:     "bad_request filter",
		`{"vector": [1, 0, 0], "filter": "size == 1"}`:   "bad_request size",
		`{"vector": "x"}`:                                "bad_request ",
		`{"vector": [1, 0, 0], "limit": 4}`:              "bad_request ",
		`{"text": "` + strings.Repeat("x", 9<<20) + `"}`: "too_large ",
	} {
		status, out := call(t, url+"/search", body)
		require.GreaterOrEqual(t, status, 400)
		require.Less(t, status, 500, out)
		e := out["error"].(map[string]any)
		field, _ := e["field"].(string)
		require.Equal(t, want, fmt.Sprint(e["code"], " ", field), "%.60s: %v", body, e)
	}
	status, out = call(t, url+"/upsert", `{"records": [{"id": "3", "vector": [1, 0, 0]}, {"id": "4", "vector": [0, 0, 0]}]}`)
	require.Equal(t, 400, status)
	refused := out["error"].(map[string]any)["records"].([]any)
	require.Len(t, refused, 1)
	require.Equal(t, "4", refused[0].(map[string]any)["id"])

	require.NoError(t, end())
	url, end = serve(t, "-db", db, "-dim", "3")
	status, out = call(t, url+"/search", `{"vector": [0, 1, 0]}`)
	require.Equal(t, 200, status)
	require.Len(t, out["hits"], 2, "what was refused is not there, what was stored is")
	require.NoError(t, end())
}

// TestBusy fills every place.
func TestBusy(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 3})
	require.NoError(t, err)
	server := httptest.NewServer(newService(db, c, 1, slog.New(slog.DiscardHandler)))
	defer server.Close()
	body, hold := io.Pipe()
	first := make(chan int, 1)
	go func() {
		resp, err := http.Post(server.URL+"/search", "application/json", body)
		if err == nil {
			resp.Body.Close()
			first <- resp.StatusCode
		}
		close(first)
	}()
	_, err = hold.Write([]byte(`{"vector": [1, 0, 0]`)) // read by the handler, which has the place
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		resp, err := http.Post(server.URL+"/search", "application/json", bytes.NewReader([]byte(`{"vector": [1, 0, 0]}`)))
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != ""
	}, 10*time.Second, time.Millisecond)
	_, err = hold.Write([]byte("}"))
	require.NoError(t, err)
	require.NoError(t, hold.Close())
	require.Equal(t, 200, <-first)
	require.NoError(t, db.Close())
	resp, err := http.Get(server.URL + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}
