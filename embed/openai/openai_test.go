package openai_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/openai"
)

const key = "sk-very-secret-key"

// serve returns a client of a server that answers with h.
func serve(t *testing.T, o openai.Options, h http.HandlerFunc) *openai.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o.BaseURL, o.APIKey = server.URL+"/v1", key
	return client(t, o)
}

func client(t *testing.T, o openai.Options) *openai.Client {
	t.Helper()
	if o.Model == "" {
		o.Model = "small"
	}
	if o.Dim == 0 {
		o.Dim = 3
	}
	c, err := openai.New(o)
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

// data returns a good answer's body around items.
func data(items ...string) string {
	return `{"object":"list","data":[` + strings.Join(items, ",") + `],"model":"small","usage":{"total_tokens":3}}`
}

func inBase64(v ...float32) string {
	raw, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestEmbedRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		o    openai.Options
		use  embed.Use
		want string
	}{
		"plain":     {openai.Options{}, embed.Document, `{"model":"small","input":["a","b"]}`},
		"all":       {openai.Options{SendDim: true, Base64: true, QueryPrefix: "q: "}, embed.Document, `{"model":"small","input":["a","b"],"encoding_format":"base64","dimensions":3}`},
		"documents": {openai.Options{DocumentPrefix: "passage: ", QueryPrefix: "query: "}, embed.Document, `{"model":"small","input":["passage: a","passage: b"]}`},
		"queries":   {openai.Options{DocumentPrefix: "passage: ", QueryPrefix: "query: "}, embed.Query, `{"model":"small","input":["query: a","query: b"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			tt.o.Header = http.Header{"Api-Key": {"other-secret"}}
			c := serve(t, tt.o, func(w http.ResponseWriter, r *http.Request) {
				got = r.Clone(context.Background())
				body, _ = io.ReadAll(r.Body)
				says(200, data(`{"index":0,"embedding":[1,2,3]}`, `{"index":1,"embedding":[4,5,6]}`))(w, r)
			})
			texts := []string{"a", "b"}
			vectors, err := c.Embed(t.Context(), texts, tt.use)
			require.NoError(t, err)
			require.Equal(t, [][]float32{{1, 2, 3}, {4, 5, 6}}, vectors)
			require.Equal(t, []string{"a", "b"}, texts)
			require.JSONEq(t, tt.want, string(body))
			require.Equal(t, "POST", got.Method)
			require.Equal(t, "/v1/embeddings", got.URL.Path)
			require.Equal(t, "Bearer "+key, got.Header.Get("Authorization"))
			require.Equal(t, "other-secret", got.Header.Get("Api-Key"))
			require.Equal(t, "application/json", got.Header.Get("Content-Type"))
		})
	}
}

func TestEmbedReadsEveryForm(t *testing.T) {
	for name, body := range map[string]string{
		"numbers":          data(`{"index":0,"embedding":[1,-2.5e0,3]}`, `{"index":1,"embedding":[4,5,6]}`),
		"base64":           data(`{"index":0,"embedding":"`+inBase64(1, -2.5, 3)+`"}`, `{"index":1,"embedding":"`+inBase64(4, 5, 6)+`"}`),
		"without padding":  data(`{"index":0,"embedding":"`+strings.TrimRight(inBase64(1, -2.5, 3), "=")+`"}`, `{"index":1,"embedding":[4,5,6]}`),
		"escaped":          data(`{"index":0,"embedding":"`+strings.ReplaceAll(inBase64(1, -2.5, 3), "A", `\u0041`)+`"}`, `{"index":1,"embedding":[4,5,6]}`),
		"another order":    data(`{"index":1,"embedding":[4,5,6]}`, `{"index":0,"embedding":[1,-2.5,3]}`),
		"without an index": data(`{"embedding":[1,-2.5,3]}`, `{"embedding":[4,5,6]}`),
		"with line breaks": "{\n\"data\":\n[{\"embedding\":[\n  1.0,\n  -2.50,\n  3\n]},{\"embedding\":[4,5,6]}]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			vectors, err := serve(t, openai.Options{}, says(200, body)).Embed(t.Context(), []string{"a", "b"}, embed.Document)
			require.NoError(t, err)
			require.Equal(t, [][]float32{{1, -2.5, 3}, {4, 5, 6}}, vectors)
		})
	}
}

func TestNoTextsNoRequest(t *testing.T) {
	vectors, err := client(t, openai.Options{BaseURL: "http://127.0.0.1:1"}).Embed(t.Context(), nil, embed.Document)
	require.NoError(t, err)
	require.Empty(t, vectors)
}

// TestStatus answers with what servers answer when they fail.
func TestStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		h       http.HandlerFunc
		code    string
		message string
		after   time.Duration
		retry   bool
	}{
		"429 and when":       {says(429, `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "7"), "rate_limit_exceeded", "Rate limit reached", 7 * time.Second, true},
		"429 in ms":          {says(429, `{"error":{"message":"m"}}`, "Retry-After", "1", "Retry-After-Ms", "250"), "", "m", 250 * time.Millisecond, true},
		"429 and a bad when": {says(429, "", "Retry-After", "soon"), "", "", 0, true},
		"429":                {says(429, `{"error":{"message":"m","type":"t","code":null}}`), "t", "m", 0, true},
		"429 without money":  {says(429, `{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}`), "insufficient_quota", "m", 0, false},
		"500":                {says(500, `{"error":"model runner has stopped"}`), "", "model runner has stopped", 0, true},
		"502 in HTML":        {says(502, "<html><body>Bad Gateway</body></html>", "Content-Type", "text/html"), "", "an HTML page", 0, true},
		"503 and when":       {says(503, "", "Retry-After", "1.5"), "", "", 1500 * time.Millisecond, true},
		"501":                {says(501, ""), "", "", 0, false},
		"400":                {says(400, `{"error":{"message":"too long","type":"invalid_request_error","code":400}}`), "invalid_request_error", "too long", 0, false},
		"401 with the key":   {says(401, `{"error":{"message":"Incorrect API key provided: `+key+`.","code":"invalid_api_key"}}`), "invalid_api_key", "Incorrect API key provided: [key].", 0, false},
		"404 in text":        {says(404, "404 page\n not found"), "", "404 page not found", 0, false},
		"413 of TEI":         {says(413, `{"error":"batch size 50 > maximum allowed batch size 32","error_type":"Validation"}`), "Validation", "batch size 50 > maximum allowed batch size 32", 0, false},
		"422 of FastAPI":     {says(422, `{"detail":[{"msg":"Field required"}]}`), "", `[{"msg":"Field required"}]`, 0, false},
		"400 of vLLM":        {says(400, `{"object":"error","message":"m","code":400}`), "", "m", 0, false},
		"a long message":     {says(400, strings.Repeat("日本", 1000)), "", strings.Repeat("日本", 50) + "…", 0, false},
		"a redirect":         {says(307, "", "Location", "http://elsewhere.invalid/"), "", "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, openai.Options{}, tt.h).Embed(t.Context(), []string{"a"}, embed.Document)
			var status *openai.StatusError
			require.ErrorAs(t, err, &status)
			require.Equal(t, tt.code, status.Code)
			require.Equal(t, tt.message, status.Message)
			after, retry := embed.Retryable(err)
			require.Equal(t, tt.after, after)
			require.Equal(t, tt.retry, retry)
			require.NotContains(t, err.Error(), key)
			require.Contains(t, err.Error(), fmt.Sprint(status.Status))
		})
	}
}

func TestRetryAfterDate(t *testing.T) {
	_, err := serve(t, openai.Options{}, says(429, "", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))).Embed(t.Context(), []string{"a"}, embed.Document)
	after, _ := embed.Retryable(err)
	require.InDelta(t, time.Hour.Minutes(), after.Minutes(), 5)
	_, err = serve(t, openai.Options{}, says(429, "", "Retry-After", "Mon, 01 Jan 2024 00:00:00 GMT")).Embed(t.Context(), []string{"a"}, embed.Document)
	after, retry := embed.Retryable(err)
	require.Zero(t, after)
	require.True(t, retry)
}

// TestAnswersThatDoNotFit answers 200 and something else than it should.
func TestAnswersThatDoNotFit(t *testing.T) {
	var answer *openai.AnswerError
	var count *embed.CountError
	var dimension *codec.DimensionError
	var value *codec.ValueError
	one, two := `{"index":0,"embedding":[1,2,3]}`, `{"index":1,"embedding":[4,5,6]}`
	good := data(one, two)
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		is    any
		text  int // which text the error names, -1 for none
		retry bool
	}{
		"cut off":          {says(200, good[:len(good)/2]), &answer, -1, true},
		"connection cut":   {says(200, good[:len(good)/2], "Content-Length", fmt.Sprint(len(good))), &answer, -1, true},
		"empty":            {says(200, ""), &answer, -1, true},
		"HTML":             {says(200, "<!DOCTYPE html><html>"), &answer, -1, false},
		"no data":          {says(200, `{"message":"hello"}`), &answer, -1, false},
		"not JSON":         {says(200, `hello`), &answer, -1, false},
		"huge":             {says(200, `{"data":[`+strings.Repeat(" ", 1<<20)+`]}`), &answer, -1, false},
		"a bad type":       {says(200, data(`{"index":0,"embedding":["x"]}`)), &answer, -1, false},
		"bad base64":       {says(200, data(`{"index":0,"embedding":"*"}`, two)), &answer, -1, false},
		"odd base64":       {says(200, data(`{"index":0,"embedding":"AAAAAAA="}`, two)), &answer, -1, false},
		"too few":          {says(200, data(one)), &count, 1, false},
		"too few, first":   {says(200, data(two)), &count, 0, false},
		"too many":         {says(200, data(one, two, two)), &count, -1, false},
		"none":             {says(200, data()), &count, 0, false},
		"twice":            {says(200, data(one, one)), &answer, -1, false},
		"another text":     {says(200, data(one, `{"index":2,"embedding":[4,5,6]}`)), &answer, -1, false},
		"a negative index": {says(200, data(one, `{"index":-1,"embedding":[4,5,6]}`)), &answer, -1, false},
		"null":             {says(200, data(one, `{"index":1,"embedding":null}`)), &count, 1, false},
		"no embedding":     {says(200, data(one, `{"index":1}`)), &count, 1, false},
		"wrong dimension":  {says(200, data(one, `{"index":1,"embedding":[4,5]}`)), &dimension, 1, false},
		"empty embedding":  {says(200, data(`{"index":0,"embedding":[]}`, two)), &dimension, 0, false},
		"null in a vector": {says(200, data(one, `{"index":1,"embedding":[4,null,6]}`)), &value, 1, false},
		"NaN":              {says(200, data(one, `{"index":1,"embedding":"`+inBase64(1, float32(math.NaN()), 2)+`"}`)), &value, 1, false},
		"too large":        {says(200, data(one, `{"index":1,"embedding":[1e60,1,1]}`)), &answer, -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, openai.Options{}, tt.h).Embed(t.Context(), []string{"a", "b"}, embed.Document)
			require.ErrorAs(t, err, tt.is)
			var text *embed.TextError
			if errors.As(err, &text) {
				require.Equal(t, tt.text, text.Index)
			} else {
				require.Equal(t, -1, tt.text)
			}
			_, retry := embed.Retryable(err)
			require.Equal(t, tt.retry, retry, err)
		})
	}
}

func TestHugeAnswersAreNotRead(t *testing.T) {
	sent := make(chan int, 1)
	c := serve(t, openai.Options{}, func(w http.ResponseWriter, r *http.Request) {
		wrote := 0
		defer func() { sent <- wrote }()
		_, _ = io.WriteString(w, `{"data":[`)
		for wrote < 1<<30 {
			n, err := w.Write(bytes.Repeat([]byte(" "), 1<<16))
			if wrote += n; err != nil {
				return
			}
		}
	})
	_, err := c.Embed(t.Context(), []string{"a"}, embed.Document)
	var answer *openai.AnswerError
	require.ErrorAs(t, err, &answer)
	require.Contains(t, err.Error(), "has more than")
	require.Less(t, <-sent, 1<<30)
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, openai.Options{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client go
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Embed(ctx, []string{"a"}, embed.Document)
	require.ErrorIs(t, err, context.Canceled)
	_, retry := embed.Retryable(err)
	require.False(t, retry)
}

func TestCancellationWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, openai.Options{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"data":[`)
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Embed(ctx, []string{"a"}, embed.Document)
	require.ErrorIs(t, err, context.Canceled)
}

// transport is a server without a network, so that time can be a test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, openai.Options{BaseURL: "http://slow/v1", HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}})
		begin := time.Now()
		_, err := c.Embed(t.Context(), []string{"a"}, embed.Document)
		var lost *openai.TransportError
		require.ErrorAs(t, err, &lost)
		require.ErrorContains(t, err, "no answer within 1m0s")
		require.Equal(t, openai.DefaultTimeout, time.Since(begin))
		_, retry := embed.Retryable(err)
		require.True(t, retry)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Embed(ctx, []string{"a"}, embed.Document)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, retry = embed.Retryable(err)
		require.False(t, retry, "the caller's own deadline")
	})
}

// TestRetryHonoursRetryAfter puts the wrapper around the client.
func TestRetryHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := client(t, openai.Options{BaseURL: "http://busy/v1", HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			switch calls++; calls {
			case 1:
				says(429, `{"error":{"message":"slow down"}}`, "Retry-After", "20")(w, r)
			case 2:
				return nil, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
			default:
				says(200, data(`{"index":0,"embedding":[1,2,3]}`))(w, r)
			}
			return w.Result(), nil
		})}})
		begin := time.Now()
		vectors, err := embed.Retry(embed.Limit(c, embed.LimitOptions{}), embed.RetryOptions{}).Embed(t.Context(), []string{"a"}, embed.Document)
		require.NoError(t, err)
		require.Equal(t, [][]float32{{1, 2, 3}}, vectors)
		require.Equal(t, 3, calls)
		require.GreaterOrEqual(t, time.Since(begin), 20*time.Second+embed.DefaultFirstDelay)
	})
}

func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = client(t, openai.Options{BaseURL: "http://" + address, APIKey: key}).Embed(t.Context(), []string{"a"}, embed.Document)
	var lost *openai.TransportError
	require.ErrorAs(t, err, &lost)
	_, retry := embed.Retryable(err)
	require.True(t, retry)

	for _, bad := range []error{
		&net.DNSError{Err: "no such host", IsNotFound: true},
		context.Canceled,
	} {
		_, retry := embed.Retryable(&openai.TransportError{Err: bad})
		require.False(t, retry, bad)
	}
	tls := httptest.NewUnstartedServer(says(200, ""))
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	_, err = client(t, openai.Options{BaseURL: tls.URL}).Embed(t.Context(), []string{"a"}, embed.Document)
	require.ErrorAs(t, err, &lost)
	_, retry = embed.Retryable(err)
	require.False(t, retry, "a bad certificate stays bad")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	for _, given := range []*http.Client{nil, {}} {
		c := serve(t, openai.Options{HTTPClient: given}, says(308, "", "Location", other.URL))
		_, err := c.Embed(t.Context(), []string{"a"}, embed.Document)
		var status *openai.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, 308, status.Status)
		require.False(t, followed)
	}
}

func TestTheKeyIsNowhere(t *testing.T) {
	c := client(t, openai.Options{APIKey: key, Header: http.Header{"Api-Key": {"other-secret-key"}}})
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("client", "c", c)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c), logged.String()} {
		require.NotContains(t, text, key)
		require.NotContains(t, text, "other-secret-key")
	}
	require.Equal(t, "small at https://api.openai.com/v1/embeddings", c.String())

	h := says(400, `{"error":"bad header other-secret-key"}`)
	_, err := serve(t, openai.Options{Header: http.Header{"Api-Key": {"other-secret-key"}}}, h).Embed(t.Context(), []string{"a"}, embed.Document)
	require.ErrorContains(t, err, "bad header [key]")
}

func TestNewRefuses(t *testing.T) {
	good := openai.Options{Model: "m", Dim: 3}
	for field, change := range map[string]func(o *openai.Options){
		"Model":   func(o *openai.Options) { o.Model = "" },
		"Dim":     func(o *openai.Options) { o.Dim = 0 },
		"BaseURL": func(o *openai.Options) { o.BaseURL = "http://user:" + key + "@host/" },
		"APIKey":  func(o *openai.Options) { o.APIKey = key + "\n" },
	} {
		o := good
		change(&o)
		_, err := openai.New(o)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, field, value.Field)
		require.NotContains(t, err.Error(), key)
	}
	for _, base := range []string{"localhost:8080", "ftp://host", "http://", "http://host?key=" + key, "://", "http://host/#x"} {
		o := good
		o.BaseURL = base
		_, err := openai.New(o)
		require.ErrorContains(t, err, "BaseURL", base)
		require.NotContains(t, err.Error(), key)
	}
}

func TestModelNamesWhatChangesVectors(t *testing.T) {
	names := map[string]bool{}
	for _, o := range []openai.Options{
		{}, {SendDim: true}, {SendDim: true, Dim: 4}, {QueryPrefix: "query: "}, {DocumentPrefix: "query: "},
		{DocumentPrefix: "a", QueryPrefix: "b"}, {DocumentPrefix: "ab"}, {Model: "large"},
	} {
		names[client(t, o).Model()] = true
	}
	require.Len(t, names, 8)
	require.Equal(t, "small", client(t, openai.Options{BaseURL: "http://elsewhere", Base64: true}).Model())
	require.Equal(t, "mine", client(t, openai.Options{Name: "mine", SendDim: true}).Model())
}

// FuzzAnswer gives the client any answer: it returns an error, or vectors that fit.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(data(`{"index":1,"embedding":[1,2,3]}`, `{"index":0,"embedding":"`+inBase64(1, 2, 3)+`"}`)))
	f.Add([]byte(`{"data":[{"embedding":[1,null,1e39]},{"embedding":"\u0041AAA="}]}`))
	f.Add([]byte(`{"data":[{"index":-1},{"index":9e99,"embedding":""}],"error":"x"}`))
	f.Add([]byte("<html>"))
	var body []byte
	c, err := openai.New(openai.Options{Model: "m", Dim: 3, HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, nil
	})}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, answer []byte) {
		body = answer
		vectors, err := c.Embed(t.Context(), []string{"a", "b"}, embed.Document)
		if err == nil {
			require.NoError(t, embed.Verify(vectors, 2, 3))
		}
	})
}
