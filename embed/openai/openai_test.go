package openai_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
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

// TestErrors shows that what package httpmodel finds out about an answer arrives.
func TestErrors(t *testing.T) {
	var status *openai.StatusError
	var answer *openai.AnswerError
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		is    any
		want  string
		retry bool
	}{
		"429":                      {says(429, `{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}`), &status, "openai: small: server answered 429 Too Many Requests (rate_limit_exceeded): Rate limit reached", true},
		"400":                      {says(400, `{"error":{"message":"too long","type":"invalid_request_error"}}`), &status, "openai: small: server answered 400 Bad Request (invalid_request_error): too long", false},
		"401 with the key":         {says(401, `{"error":{"message":"Incorrect API key provided: `+key+`."}}`), &status, "openai: small: server answered 401 Unauthorized: Incorrect API key provided: [key].", false},
		"200 with an error":        {says(200, `{"error":{"message":"too long"}}`), &status, "openai: small: server answered 200 OK and no result: too long", false},
		"200 with one and no data": {says(200, `{"data":[],"error":{"message":"slow down","code":429}}`), &status, "openai: small: server answered 200 OK and no result (429): slow down", true},
		"200 with one and some":    {says(200, `{"data":[{"index":0,"embedding":[1,2,3]}],"error":"text 1 is too long"}`), &status, "openai: small: server answered 200 OK and no result: text 1 is too long", false},
		"200 in words":             {says(200, `hello`), &status, "openai: small: server answered 200 OK and no result: hello", false},
		"no data":                  {says(200, `{"object":"list"}`), &answer, `openai: small: server's answer has no "data"; is this the address of /v1/embeddings?`, false},
		"HTML":                     {says(200, "<!DOCTYPE html><html>"), &answer, "openai: small: server's answer is an HTML page; is this the address of an API?", false},
		"cut off":                  {says(200, `{"data":[{"index":0,"embed`), &answer, "openai: small: server's answer was cut off", true},
		"huge":                     {says(200, `{"data":[`+strings.Repeat(" ", 1<<20)+`]}`), &answer, "openai: small: server's answer has more than the 67968 bytes that 2 vectors of 3 elements take", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, openai.Options{}, tt.h).Embed(t.Context(), []string{"a", "b"}, embed.Document)
			require.ErrorAs(t, err, tt.is)
			require.EqualError(t, err, tt.want)
			_, retry := embed.Retryable(err)
			require.Equal(t, tt.retry, retry)
		})
	}
}

// TestAnswersThatDoNotFit answers 200 and something else than it should.
func TestAnswersThatDoNotFit(t *testing.T) {
	var answer *openai.AnswerError
	var count *embed.CountError
	var dimension *codec.DimensionError
	var value *codec.ValueError
	one, two := `{"index":0,"embedding":[1,2,3]}`, `{"index":1,"embedding":[4,5,6]}`
	for name, tt := range map[string]struct {
		h     http.HandlerFunc
		is    any
		text  int // which text the error names, -1 for none
		retry bool
	}{
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

// transport is a server without a network, so that time can be a test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRetryHonoursRetryAfter puts the wrappers around the client.
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
			case 3: // the default of Options.Timeout ends it
				<-r.Context().Done()
				return nil, r.Context().Err()
			default:
				says(200, data(`{"index":0,"embedding":[1,2,3]}`))(w, r)
			}
			return w.Result(), nil
		})}})
		begin := time.Now()
		vectors, err := embed.Retry(embed.Limit(c, embed.LimitOptions{}), embed.RetryOptions{}).Embed(t.Context(), []string{"a"}, embed.Document)
		require.NoError(t, err)
		require.Equal(t, [][]float32{{1, 2, 3}}, vectors)
		require.Equal(t, 4, calls)
		require.GreaterOrEqual(t, time.Since(begin), 20*time.Second+openai.DefaultTimeout+embed.DefaultFirstDelay)
	})
}

// TestRefusedTexts has a server that refuses calls with a bad text, in each way that
// servers have, behind all wrappers: the bad texts are named, with the server's words,
// and all others are embedded.
func TestRefusedTexts(t *testing.T) {
	for name, tt := range map[string]struct {
		refuse http.HandlerFunc
		ends   bool // the error is not about texts
		most   int  // sent, per text
	}{
		"400":               {says(400, `{"error":{"message":"input too long"}}`), false, 2},
		"413":               {says(413, `{"error":"input too long","error_type":"Validation"}`), false, 2},
		"422":               {says(422, `{"detail":[{"msg":"input too long"}]}`), false, 2},
		"200":               {says(200, `{"error":{"message":"input too long"}}`), false, 2},
		"200 with no data":  {says(200, `{"data":[],"error":"input too long"}`), false, 2},
		"500":               {says(500, `input too long`), false, 4}, // with its attempts
		"401":               {says(401, `input too long`), true, 2},
		"429":               {says(429, `input too long`), true, 4},
		"200 for a limit":   {says(200, `{"error":{"message":"input too long","code":"rate_limit_exceeded"}}`), true, 4},
		"404 for the model": {says(404, `input too long`), true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				c := client(t, openai.Options{BaseURL: "http://server/v1", HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					w := httptest.NewRecorder()
					var in struct{ Input []string }
					require.NoError(t, json.NewDecoder(r.Body).Decode(&in))
					sent += len(in.Input)
					if slices.Contains(in.Input, "bad") {
						tt.refuse(w, r)
						return w.Result(), nil
					}
					items := make([]string, len(in.Input))
					for i := range items {
						items[i] = fmt.Sprintf(`{"index":%d,"embedding":[%d,2,3]}`, i, len(in.Input[i]))
					}
					says(200, data(items...))(w, r)
					return w.Result(), nil
				})}})
				store := embed.NewLRU(0)
				e := embed.Retry(embed.Limit(c, embed.LimitOptions{}), embed.RetryOptions{})
				e = embed.Cache(embed.Batch(e, embed.BatchOptions{Items: 16}), store)
				texts := make([]string, 100)
				for i := range texts {
					texts[i] = strings.Repeat("x", 1+i)
				}
				texts[50] = "bad"
				vectors, failed, err := embed.Isolate(e).Each(t.Context(), texts, embed.Document)
				require.LessOrEqual(t, sent, tt.most*len(texts))
				if tt.ends {
					require.ErrorContains(t, err, "input too long")
					require.GreaterOrEqual(t, store.Len(), 48, "what was embedded before is kept")
					return
				}
				require.NoError(t, err)
				require.Len(t, failed, 1)
				require.Equal(t, 50, failed[0].Index)
				require.ErrorContains(t, failed[0], "input too long")
				require.Nil(t, vectors[50])
				require.Equal(t, []float32{100, 2, 3}, vectors[99])
				require.Equal(t, 99, store.Len())
			})
		})
	}
}

func TestTheKeyIsNowhere(t *testing.T) {
	c := client(t, openai.Options{APIKey: key, Header: http.Header{"Api-Key": {"other-secret-key"}}})
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
	require.Equal(t, "small at https://api.openai.com/v1/embeddings", c.String())
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
