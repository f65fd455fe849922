package httpmodel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/backoff"
	"github.com/vecwire/vecwire/internal/httpmodel"
)

const key = "sk-very/secret+key"

func client(t *testing.T, o httpmodel.Options) *httpmodel.Client {
	t.Helper()
	o.Path = "answers"
	c, err := httpmodel.New(o)
	require.NoError(t, err)
	return c
}

// serve returns a client of a server that answers with h.
func serve(t *testing.T, o httpmodel.Options, h http.HandlerFunc) *httpmodel.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o.BaseURL, o.APIKey = server.URL+"/v1", key
	return client(t, o)
}

// call makes a call as clients do: an answer is an object with a result.
func call(ctx context.Context, c *httpmodel.Client) (string, error) {
	answer, err := c.Call(ctx, []byte(`{"ask":1}`), 1<<16, "3 results")
	if err != nil {
		return "", err
	}
	var got struct {
		Result string `json:"result"`
	}
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		return "", answer.Unreadable(err)
	}
	if got.Result == "" {
		if said := answer.Said(); said != nil {
			return "", said
		}
		return "", errors.New("no result")
	}
	return got.Result, nil
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

func TestRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	given := http.Header{"Api-Key": {"another secret"}, "Content-Type": {"text/plain"}}
	c := serve(t, httpmodel.Options{Header: given}, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
		says(200, `{"result":"good"}`)(w, r)
	})
	given.Set("Api-Key", "changed later")
	result, err := call(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, "good", result)
	require.Equal(t, "POST /v1/answers", got.Method+" "+got.URL.Path)
	require.Equal(t, `{"ask":1}`, string(body))
	require.Equal(t, "Bearer "+key, got.Header.Get("Authorization"))
	require.Equal(t, "another secret", got.Header.Get("Api-Key"))
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "application/json", got.Header.Get("Accept"))
}

// TestServersWords answers with what servers answer when a call fails.
func TestServersWords(t *testing.T) {
	for name, tt := range map[string]struct {
		h       http.HandlerFunc
		code    string
		message string
		after   time.Duration
		retry   bool
		texts   bool // whether another text may be answered
	}{
		"429 and when":             {says(429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "7"), "rate_limit_exceeded", "Rate limit reached", 7 * time.Second, true, false},
		"429 in milliseconds":      {says(429, `{"error":{"message":"m"}}`, "Retry-After", "1", "Retry-After-Ms", "250"), "", "m", 250 * time.Millisecond, true, false},
		"429 and a bad when":       {says(429, "", "Retry-After", "soon"), "", "", 0, true, false},
		"429 and a negative when":  {says(429, "", "Retry-After", "-7"), "", "", 0, true, false},
		"429 and NaN":              {says(429, "", "Retry-After", "NaN"), "", "", 0, true, false},
		"429 and no end":           {says(429, "", "Retry-After", "1e300"), "", "", 365 * 24 * time.Hour, true, false},
		"429 and the past":         {says(429, "", "Retry-After", "Mon, 01 Jan 2024 00:00:00 GMT"), "", "", 0, true, false},
		"429 of Cohere":            {says(429, `{"message":"trial limit"}`), "", "trial limit", 0, true, false},
		"429 of TEI":               {says(429, `{"error":"Model is overloaded","error_type":"Overloaded"}`), "Overloaded", "Model is overloaded", 0, true, false},
		"429 of null":              {says(429, `{"error":{"message":"m","type":"t","code":null}}`), "t", "m", 0, true, false},
		"429 without money":        {says(429, `{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}`, "Retry-After", "7"), "insufficient_quota", "m", 0, false, false},
		"408":                      {says(408, ""), "", "", 0, true, false},
		"500 of Ollama":            {says(500, `{"error":"model runner has stopped"}`), "", "model runner has stopped", 0, true, true},
		"500 of vLLM":              {says(500, `{"error":{"message":"engine died","type":"x","code":500}}`), "x", "engine died", 0, true, true},
		"424 of TEI":               {says(424, `{"error":"inference failed","error_type":"Backend"}`), "Backend", "inference failed", 0, false, true},
		"501":                      {says(501, ""), "", "", 0, false, false},
		"502 in HTML":              {says(502, "<html><body>Bad Gateway</body></html>", "Content-Type", "text/html"), "", "an HTML page", 0, true, false},
		"503 and when":             {says(503, "", "Retry-After", "1.5"), "", "", 1500 * time.Millisecond, true, false},
		"505":                      {says(505, ""), "", "", 0, false, false},
		"400 of OpenAI":            {says(400, `{"error":{"message":"too long","type":"invalid_request_error","code":400}}`), "invalid_request_error", "too long", 0, false, true},
		"400 of vLLM":              {says(400, `{"object":"error","message":"m","code":400}`), "", "m", 0, false, true},
		"400 with a list":          {says(400, `{"errors":[{"message":"input 3 is too long","code":3040},{"message":"and 4"}],"success":false}`), "3040", "input 3 is too long; and 4", 0, false, true},
		"400 with strings":         {says(400, `{"errors":["one","two"]}`), "", "one; two", 0, false, true},
		"400 with null and words":  {says(400, `{"error":null,"message":"too long"}`), "", "too long", 0, false, true},
		"400 with false and words": {says(400, `{"error":false,"errors":[],"message":"too long"}`), "", "too long", 0, false, true},
		"400 with title and words": {says(400, `{"statusCode":400,"error":"Bad Request","message":"too long"}`), "", "Bad Request: too long", 0, false, true},
		"400 of Mistral":           {says(400, `{"object":"error","message":{"detail":[{"type":"x","msg":"too long","loc":["body","input",3]}]},"type":"invalid_request"}`), "invalid_request", "too long (at body.input.3)", 0, false, true},
		"400 of Gemini":            {says(400, `[{"error":{"code":400,"message":"bad key","status":"INVALID_ARGUMENT"}}]`), "", "bad key", 0, false, true},
		"400 of RFC 9457":          {says(400, `{"type":"https://example.invalid/too-long","title":"Too long","detail":"of 600 tokens","status":400}`), "", "of 600 tokens", 0, false, true},
		"400 of an unknown form":   {says(400, `{"error":{"reasons":7}}`), "", `{"reasons":7}`, 0, false, true},
		"400 with a rate limit":    {says(400, `{"__type":"x","code":"ThrottlingException","message":"slow down"}`), "ThrottlingException", "slow down", 0, true, false},
		"400 in text":              {says(400, "the input\n is too long\n"), "", "the input is too long", 0, false, true},
		"400 in broken JSON":       {says(400, `{"error":`), "", `{"error":`, 0, false, true},
		"400 of a number":          {says(400, `7`), "", "7", 0, false, true},
		"400 of nothing":           {says(400, ``), "", "", 0, false, true},
		"400 of bytes":             {says(400, "\x1b[31m\xff"), "", "\uFFFD[31m\uFFFD", 0, false, true},
		"401 with the key":         {says(401, `{"error":{"message":"Incorrect API key provided: sk-very\/secret+key.","code":"invalid_api_key"}}`), "invalid_api_key", "Incorrect API key provided: [key].", 0, false, false},
		"401 in text":              {says(401, `no such key: `+key), "", "no such key: [key]", 0, false, false},
		"401 with the key as code": {says(401, `{"error":{"message":"m","code":"sk-very/secret+key"}}`), "", "m", 0, false, false},
		"401 in an address":        {says(401, `see https://x.invalid/?k=`+url.QueryEscape(key)), "", "see https://x.invalid/?k=[key]", 0, false, false},
		"402 of Jina":              {says(402, `{"detail":"Insufficient balance"}`), "", "Insufficient balance", 0, false, false},
		"403":                      {says(403, `{"error":"no"}`), "", "no", 0, false, false},
		"404 in text":              {says(404, "404 page\n not found"), "", "404 page not found", 0, false, false},
		"413 of TEI":               {says(413, `{"error":"batch size 50 > maximum allowed batch size 32","error_type":"Validation"}`), "Validation", "batch size 50 > maximum allowed batch size 32", 0, false, true},
		"422 of FastAPI":           {says(422, `{"detail":[{"type":"missing","loc":["body","input"],"msg":"Field required"}]}`), "missing", "Field required (at body.input)", 0, false, true},
		"a long message":           {says(400, strings.Repeat("日本", 1000)), "", strings.Repeat("日本", 50) + "…", 0, false, true},
		"a key in a long message":  {says(400, strings.Repeat("x", 295)+key), "", strings.Repeat("x", 295) + "[key]", 0, false, true},
		"a redirect":               {says(307, "", "Location", "http://elsewhere.invalid/"), "", "", 0, false, false},

		"200 with an error":         {says(200, `{"error":{"message":"too long","type":"invalid_request_error"}}`), "invalid_request_error", "too long", 0, false, true},
		"200 with nothing and one":  {says(200, `{"data":[],"error":"too long"}`), "", "too long", 0, false, true},
		"200 with null and words":   {says(200, `{"error":null,"message":"too long"}`), "", "too long", 0, false, true},
		"200 with a list":           {says(200, `{"errors":[{"message":"too long"}]}`), "", "too long", 0, false, true},
		"200 with detail":           {says(200, `{"detail":"too long"}`), "", "too long", 0, false, true},
		"200 of Gemini":             {says(200, `{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}`), "429", "m", 0, true, false},
		"200 with 502":              {says(200, `{"error":{"code":502,"message":"provider failed"}}`), "502", "provider failed", 0, true, false},
		"200 with 401":              {says(200, `{"error":{"code":401,"message":"who?"}}`), "401", "who?", 0, false, false},
		"200 with a server's error": {says(200, `{"error":{"code":"server_error","message":"m"}}`), "server_error", "m", 0, true, true},
		"200 with a rate limit":     {says(200, `{"error":{"message":"m","code":"rate_limit_exceeded"}}`), "rate_limit_exceeded", "m", 0, true, false},
		"200 with a limit's words":  {says(200, `{"error":{"message":"Rate limit reached for requests"}}`), "", "Rate limit reached for requests", 0, true, false},
		"200 and when":              {says(200, `{"error":"m"}`, "Retry-After", "3"), "", "m", 3 * time.Second, true, false},
		"200 without money":         {says(200, `{"error":{"message":"rate limit","code":"insufficient_quota"}}`, "Retry-After", "3"), "insufficient_quota", "rate limit", 0, false, false},
		"200 in text":               {says(200, "upstream says: "+key), "", "upstream says: [key]", 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t.Context(), serve(t, httpmodel.Options{}, tt.h))
			var status *httpmodel.StatusError
			require.ErrorAs(t, err, &status)
			require.Equal(t, tt.code, status.Code)
			require.Equal(t, tt.message, status.Message)
			require.Contains(t, err.Error(), fmt.Sprint(status.Status))
			require.Contains(t, err.Error(), tt.message)
			require.NotContains(t, err.Error(), key)
			after, retry := backoff.Retryable(err)
			require.Equal(t, tt.retry, retry)
			if retry || tt.after > 0 {
				require.Equal(t, tt.after, after)
			}
			require.Equal(t, tt.texts, status.TextsAtFault())
		})
	}
}

func TestRetryAfterDate(t *testing.T) {
	_, err := call(t.Context(), serve(t, httpmodel.Options{}, says(429, "", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))))
	after, _ := backoff.Retryable(err)
	require.InDelta(t, time.Hour.Minutes(), after.Minutes(), 5)
}

// TestUnreadableAnswers answers 200 and something that is not JSON of the API.
func TestUnreadableAnswers(t *testing.T) {
	good := `{"result":"a good one"}`
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		want  string
		retry bool
	}{
		"cut off":         {says(200, good[:len(good)/2]), "was cut off", true},
		"a list cut off":  {says(200, `[{"result":`), "was cut off", true},
		"connection cut":  {says(200, good[:len(good)/2], "Content-Length", fmt.Sprint(len(good))), "was cut off", true},
		"empty":           {says(200, " "), "is empty", true},
		"HTML":            {says(200, "<!DOCTYPE html><html>"), "is an HTML page", false},
		"huge":            {says(200, `{"result":"`+strings.Repeat(" ", 1<<17)), "has more than the 65536 bytes that 3 results take", false},
		"broken":          {says(200, `{"result":x}`), "cannot be read: invalid character 'x'", false},
		"of another type": {says(200, `{"result":["a"]}`), "cannot be read: json: cannot unmarshal array", false},
		"a list":          {says(200, `[1,2]`), "cannot be read: json: cannot unmarshal array", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t.Context(), serve(t, httpmodel.Options{}, tt.h))
			var answer *httpmodel.AnswerError
			require.ErrorAs(t, err, &answer)
			require.ErrorContains(t, err, tt.want)
			_, retry := backoff.Retryable(err)
			require.Equal(t, tt.retry, retry)
		})
	}
	_, err := call(t.Context(), serve(t, httpmodel.Options{}, says(200, `{"model":"m"}`)))
	require.EqualError(t, err, "no result", "the server has said nothing")
}

func TestHugeAnswersAreNotRead(t *testing.T) {
	for _, status := range []int{200, 500} {
		sent := make(chan int, 1)
		c := serve(t, httpmodel.Options{}, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			wrote := 0
			defer func() { sent <- wrote }()
			for wrote < 1<<30 {
				n, err := w.Write(bytes.Repeat([]byte(" "), 1<<16))
				if wrote += n; err != nil {
					return
				}
			}
		})
		_, err := call(t.Context(), c)
		require.Error(t, err)
		require.Less(t, <-sent, 1<<30)
	}
}

func TestCancellation(t *testing.T) {
	for _, begun := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		c := serve(t, httpmodel.Options{}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client go
			if begun {
				_, _ = io.WriteString(w, `{"result":`)
				_ = http.NewResponseController(w).Flush()
			}
			cancel()
			<-r.Context().Done()
		})
		_, err := call(ctx, c)
		require.ErrorIs(t, err, context.Canceled)
		_, retry := backoff.Retryable(err)
		require.False(t, retry)
	}
}

// transport is a server without a network, so that time can be a test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, httpmodel.Options{BaseURL: "http://slow/v1", Timeout: time.Minute, HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}})
		begin := time.Now()
		_, err := call(t.Context(), c)
		var lost *httpmodel.TransportError
		require.ErrorAs(t, err, &lost)
		require.ErrorContains(t, err, "no answer within 1m0s")
		require.Equal(t, time.Minute, time.Since(begin))
		_, retry := backoff.Retryable(err)
		require.True(t, retry)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = call(ctx, c)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, retry = backoff.Retryable(err)
		require.False(t, retry, "the caller's own deadline")
	})
}

func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = call(t.Context(), client(t, httpmodel.Options{BaseURL: "http://" + address}))
	var lost *httpmodel.TransportError
	require.ErrorAs(t, err, &lost)
	_, retry := backoff.Retryable(err)
	require.True(t, retry)
	require.False(t, lost.TextsAtFault())

	for _, bad := range []error{&net.DNSError{Err: "no such host", IsNotFound: true}, context.Canceled} {
		_, retry := backoff.Retryable(&httpmodel.TransportError{Err: bad})
		require.False(t, retry, bad)
	}
	tls := httptest.NewUnstartedServer(says(200, ""))
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	_, err = call(t.Context(), client(t, httpmodel.Options{BaseURL: tls.URL}))
	require.ErrorAs(t, err, &lost)
	_, retry = backoff.Retryable(err)
	require.False(t, retry, "a bad certificate stays bad")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	for _, given := range []*http.Client{nil, {}} {
		_, err := call(t.Context(), serve(t, httpmodel.Options{HTTPClient: given}, says(308, "", "Location", other.URL)))
		var status *httpmodel.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, 308, status.Status)
		require.False(t, followed)
	}
}

func TestHeadersAreSecrets(t *testing.T) {
	header := http.Header{
		"Api-Key":             {"other-secret-key"},
		"Proxy-Authorization": {"Basic dXNlcjpwYXNzd29yZA=="}, // user:password
		"X-Token":             {"Bearer long-token"},
		"X-Tenant":            {"acme"},
	}
	for said, want := range map[string]string{
		"bad header other-secret-key":  "bad header [key]",
		"bad token long-token":         "bad token [key]",
		"bad password":                 "bad [key]",
		"bad dXNlcjpwYXNzd29yZA==":     "bad [key]",
		"no tenant acme":               "no tenant acme",
		"Basic dXNlcjpwYXNzd29yZA== ?": "[key] ?",
	} {
		_, err := call(t.Context(), serve(t, httpmodel.Options{Header: header}, says(400, said)))
		require.EqualError(t, err, "server answered 400 Bad Request: "+want)
	}
	// A transport of the caller's own may put a request into its errors.
	c := client(t, httpmodel.Options{BaseURL: "http://host", APIKey: key, HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("cannot send %v", r.Header)
	})}})
	_, err := call(t.Context(), c)
	require.ErrorContains(t, err, "cannot send")
	require.NotContains(t, err.Error(), key)
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]httpmodel.Options{
		"BaseURL": {BaseURL: "http://user:" + key + "@host/"},
		"APIKey":  {BaseURL: "http://host", APIKey: key + "\n"},
	} {
		_, err := httpmodel.New(o)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, want, value.Field)
		require.NotContains(t, err.Error(), key)
	}
	for _, base := range []string{"", "localhost:8080", "ftp://host", "http://", "http://host?key=" + key, "://" + key, "http://host/#" + key, " http://host", "http://host\x00"} {
		_, err := httpmodel.New(httpmodel.Options{BaseURL: base})
		require.ErrorContains(t, err, "BaseURL", base)
		require.NotContains(t, err.Error(), key)
	}
}

// FuzzServersWords gives the client any answer that says that the call failed.
func FuzzServersWords(f *testing.F) {
	f.Add(400, []byte(`{"error":{"message":"m","code":7}}`))
	f.Add(200, []byte(`{"errors":[{"message":null},{"msg":"`+key+`","loc":[1,"a"]}],"detail":[[[]]]}`))
	f.Add(429, []byte(`[{"error":[{}]}]`))
	f.Add(500, []byte("\xff<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c := client(t, httpmodel.Options{BaseURL: "http://host", APIKey: key, HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200 + (status%400+400)%400, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})}})
		_, err := call(t.Context(), c)
		if err == nil {
			return
		}
		require.NotContains(t, err.Error(), key)
		require.Less(t, len(err.Error()), 1200)
		require.NotContains(t, err.Error(), "\n")
	})
}
