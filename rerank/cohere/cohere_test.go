package cohere_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
	"github.com/vecwire/vecwire/rerank/cohere"
)

const key = "co-very-secret-key"

// serve returns a client of a server that answers with h.
func serve(t *testing.T, o cohere.Options, h http.HandlerFunc) *cohere.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o.BaseURL, o.APIKey = server.URL+"/v1", key
	return client(t, o)
}

func client(t *testing.T, o cohere.Options) *cohere.Client {
	t.Helper()
	if o.Model == "" && !o.TEI {
		o.Model = "small"
	}
	c, err := cohere.New(o)
	require.NoError(t, err)
	return c
}

// says answers with a status and a body.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func results(items ...string) string {
	return `{"id":"x","model":"small","results":[` + strings.Join(items, ",") + `],"usage":{"total_tokens":3}}`
}

func TestRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		o    cohere.Options
		want string
	}{
		"plain": {cohere.Options{}, `{"model":"small","query":"q","documents":["a","b"]}`},
		"extra": {cohere.Options{Extra: map[string]any{"max_tokens_per_doc": 512}}, `{"model":"small","query":"q","documents":["a","b"],"max_tokens_per_doc":512}`},
		"TEI":   {cohere.Options{TEI: true, Extra: map[string]any{"truncate": true}}, `{"query":"q","texts":["a","b"],"truncate":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			tt.o.Header = http.Header{"Api-Key": {"other-secret"}}
			c := serve(t, tt.o, func(w http.ResponseWriter, r *http.Request) {
				got = r.Clone(context.Background())
				body, _ = io.ReadAll(r.Body)
				says(200, results(`{"index":0,"relevance_score":0.25}`, `{"index":1,"relevance_score":0.5}`))(w, r)
			})
			scores, err := c.Rerank(t.Context(), "q", []string{"a", "b"})
			require.NoError(t, err)
			require.Equal(t, []float64{0.25, 0.5}, scores)
			require.JSONEq(t, tt.want, string(body))
			require.Equal(t, "POST", got.Method)
			require.Equal(t, "/v1/rerank", got.URL.Path)
			require.Equal(t, "Bearer "+key, got.Header.Get("Authorization"))
			require.Equal(t, "other-secret", got.Header.Get("Api-Key"))
			require.Equal(t, "application/json", got.Header.Get("Content-Type"))
		})
	}
}

func TestReadsEveryForm(t *testing.T) {
	for name, body := range map[string]string{
		"Cohere": `{"results":[{"index":1,"relevance_score":0.5},{"index":0,"relevance_score":-2.5e0}],"id":"x","meta":{"api_version":{"version":"2"}}}`,
		"Jina":   `{"model":"jina-reranker-v2","object":"list","results":[{"index":1,"document":{"text":"NaN"},"relevance_score":0.5},{"index":0,"relevance_score":-2.5}]}`,
		"vLLM":   results(`{"index":1,"document":{"text":"b","multi_modal":null},"relevance_score":0.5}`, `{"index":0,"document":{"text":"a"},"relevance_score":-2.5}`),
		"TEI":    ` [{"index":1,"score":0.5},{"index":0,"score":-2.5}]`,
	} {
		t.Run(name, func(t *testing.T) {
			scores, err := serve(t, cohere.Options{}, says(200, body)).Rerank(t.Context(), "q", []string{"a", "b"})
			require.NoError(t, err)
			require.Equal(t, []float64{-2.5, 0.5}, scores)
		})
	}
}

func TestNoTextsNoRequest(t *testing.T) {
	scores, err := client(t, cohere.Options{BaseURL: "http://127.0.0.1:1"}).Rerank(t.Context(), "q", nil)
	require.NoError(t, err)
	require.Empty(t, scores)
}

func retryable(err error) (time.Duration, bool) {
	var temporary rerank.Temporary
	if errors.As(err, &temporary) {
		return temporary.Retryable()
	}
	return 0, false
}

// TestErrors shows that what package httpmodel finds out about an answer arrives.
func TestErrors(t *testing.T) {
	var status *cohere.StatusError
	var answer *cohere.AnswerError
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		is    any
		want  string
		retry bool
	}{
		"429":                         {says(429, `{"message":"trial limit"}`), &status, "server answered 429 Too Many Requests: trial limit", true},
		"401 with the key":            {says(401, `{"message":"invalid api token `+key+`"}`), &status, "server answered 401 Unauthorized: invalid api token [key]", false},
		"422 of TEI":                  {says(422, `{"error":"too long","error_type":"Validation"}`), &status, "server answered 422 Unprocessable Entity (Validation): too long", false},
		"200 with an error":           {says(200, `{"error":{"message":"too long"}}`), &status, "server answered 200 OK and no result: too long", false},
		"200 with one and no results": {says(200, `{"results":[],"error":{"message":"slow down","code":429}}`), &status, "server answered 200 OK and no result (429): slow down", true},
		"200 in words":                {says(200, `hello`), &status, "server answered 200 OK and no result: hello", false},
		"no results":                  {says(200, `{"id":"x"}`), &answer, `server's answer has no "results"; is this the address of /rerank?`, false},
		"HTML":                        {says(200, "<!DOCTYPE html><html>"), &answer, "server's answer is an HTML page; is this the address of an API?", false},
		"an array cut off":            {says(200, `[{"index":0,"score":1},{"ind`), &answer, "server's answer was cut off", true},
		"huge":                        {says(200, `{"results":[`+strings.Repeat(" ", 1<<20)+`]}`), &answer, "server's answer has more than the 67890 bytes that 2 scores and their texts take", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, cohere.Options{}, tt.h)
			_, err := c.Rerank(t.Context(), "q", []string{"a", "b"})
			require.ErrorAs(t, err, tt.is)
			require.EqualError(t, err, "cohere: "+c.String()+": "+tt.want)
			_, retry := retryable(err)
			require.Equal(t, tt.retry, retry)
		})
	}
}

// TestAnswersThatDoNotFit answers 200 and something else than it should.
func TestAnswersThatDoNotFit(t *testing.T) {
	var answer *cohere.AnswerError
	var count *rerank.CountError
	var value *codec.ValueError
	one, two := `{"index":0,"relevance_score":0.5}`, `{"index":1,"relevance_score":0.25}`
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		is    any
		text  int // which text the error names, -1 for none
		retry bool
	}{
		"a bad type":       {says(200, results(one, `{"index":1,"relevance_score":"high"}`)), &answer, -1, false},
		"too few":          {says(200, results(one)), &count, 1, false},
		"too few, first":   {says(200, results(two)), &count, 0, false},
		"too many":         {says(200, results(one, two, two)), &count, -1, false},
		"none":             {says(200, results()), &count, 0, false},
		"none of TEI":      {says(200, `[]`), &count, 0, false},
		"twice":            {says(200, results(one, one)), &answer, -1, false},
		"another text":     {says(200, results(one, `{"index":2,"relevance_score":1}`)), &answer, -1, false},
		"a negative index": {says(200, results(one, `{"index":-1,"relevance_score":1}`)), &answer, -1, false},
		"no index":         {says(200, results(one, `{"relevance_score":1}`)), &answer, -1, false},
		"null":             {says(200, results(one, `{"index":1,"relevance_score":null}`)), &value, 1, false},
		"no score":         {says(200, results(one, `{"index":1}`)), &value, 1, false},
		"NaN":              {says(200, results(one, `{"index":1,"relevance_score":NaN}`)), &value, 1, false},
		"-Infinity":        {says(200, results(one, `{"index":1,"relevance_score": -Infinity}`)), &value, 1, false},
		"too large":        {says(200, results(one, `{"index":1,"relevance_score":1e999}`)), &value, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, cohere.Options{}, tt.h).Rerank(t.Context(), "q", []string{"a", "b"})
			require.ErrorAs(t, err, tt.is)
			var text *rerank.TextError
			if errors.As(err, &text) {
				require.Equal(t, tt.text, text.Index)
				require.Contains(t, err.Error(), fmt.Sprintf("text %d", tt.text))
			} else {
				require.Equal(t, -1, tt.text)
			}
			_, retry := retryable(err)
			require.Equal(t, tt.retry, retry, err)
		})
	}
}

func TestTextsSentBackFit(t *testing.T) {
	text := strings.Repeat("é", 1<<16)
	escaped := strings.Repeat(`\u00e9`, 1<<16)
	c := serve(t, cohere.Options{}, says(200, results(`{"index":0,"relevance_score":1,"document":{"text":"`+escaped+`"}}`)))
	scores, err := c.Rerank(t.Context(), "q", []string{text})
	require.NoError(t, err)
	require.Equal(t, []float64{1}, scores)
}

// transport is a server without a network, so that time can be a test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRetryHonoursRetryAfter puts the wrapper around the client.
func TestRetryHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := client(t, cohere.Options{HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			switch calls++; calls {
			case 1:
				says(429, `{"message":"slow down"}`, "Retry-After", "4")(w, r)
			case 2:
				<-r.Context().Done() // the default of Options.Timeout ends it
				return nil, r.Context().Err()
			default:
				says(200, results(`{"index":0,"relevance_score":1}`))(w, r)
			}
			return w.Result(), nil
		})}})
		begin := time.Now()
		scores, err := rerank.Retry(c, rerank.RetryOptions{}).Rerank(t.Context(), "q", []string{"a"})
		require.NoError(t, err)
		require.Equal(t, []float64{1}, scores)
		require.Equal(t, 3, calls)
		require.GreaterOrEqual(t, time.Since(begin), 4*time.Second+cohere.DefaultTimeout+rerank.DefaultFirstDelay)
	})
}

func TestTheKeyIsNowhere(t *testing.T) {
	o := cohere.Options{APIKey: key, Header: http.Header{"Api-Key": {"other-secret-key"}}}
	c := client(t, o)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("client", "c", c)
	texts := []string{logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		texts = append(texts, fmt.Sprintf(verb, c), fmt.Sprintf(verb, *c))
	}
	for _, text := range texts {
		require.NotContains(t, text, key)
		require.NotContains(t, text, "other-secret-key")
	}
	require.Equal(t, "small at https://api.cohere.com/v2/rerank", c.String())
}

func TestNewRefuses(t *testing.T) {
	for field, change := range map[string]func(o *cohere.Options){
		"Model":   func(o *cohere.Options) { o.Model = "" },
		"BaseURL": func(o *cohere.Options) { o.BaseURL = "http://user:" + key + "@host/" },
		"APIKey":  func(o *cohere.Options) { o.APIKey = key + "\n" },
		"Extra":   func(o *cohere.Options) { o.Extra = map[string]any{"top_n": 3} },
	} {
		o := cohere.Options{Model: "m"}
		change(&o)
		_, err := cohere.New(o)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, field, value.Field)
		require.NotContains(t, err.Error(), key)
	}
	_, err := cohere.New(cohere.Options{Model: "m", Extra: map[string]any{"x": math.NaN()}})
	require.ErrorContains(t, err, "Extra is x, want values that JSON has")
}

// FuzzAnswer gives the client any answer: it returns an error, or scores that fit.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(results(`{"index":1,"relevance_score":1}`, `{"index":0,"relevance_score":NaN}`)))
	f.Add([]byte(`[{"index":0,"score":1e999},{"index":1,"score":-0}]`))
	f.Add([]byte(`{"results":[{"index":-1},{"index":9e99,"score":""}],"error":"x"}`))
	f.Add([]byte("<html>"))
	var body []byte
	c, err := cohere.New(cohere.Options{Model: "m", HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, nil
	})}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, answer []byte) {
		body = answer
		scores, err := c.Rerank(t.Context(), "q", []string{"a", "b"})
		if err == nil {
			require.NoError(t, rerank.Verify(scores, 2))
		}
	})
}
