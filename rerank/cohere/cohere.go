// Package cohere scores texts through any server with the /rerank request that
// Cohere made and others took over: Cohere itself, Jina, vLLM, llama.cpp and, with
// [Options.TEI], Hugging Face's Text Embeddings Inference.
//
// A [Client] makes one request for each call of Rerank and does not retry. Put the
// wrappers of package rerank around it: [rerank.Retry] for the server's limits,
// which its errors here tell, and around that [rerank.Batch] for the number of
// texts that the server takes.
//
// The key is sent to the base URL only, never to where that redirects, and is in
// no error, log or formatted value.
//
// The package knows no collection and no database, and no model.
package cohere

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

// The defaults of Options.
const (
	DefaultBaseURL = "https://api.cohere.com/v2" // the default of Options.BaseURL
	DefaultTimeout = 30 * time.Second            // the default of Options.Timeout
)

// Options says which server and model to use. Model is required, but not with TEI.
type Options struct {
	// BaseURL is the address that "/rerank" is added to, such as
	// https://api.jina.ai/v1, or http://localhost:8000/v1 for vLLM; "" means
	// DefaultBaseURL. It has no user, query or fragment.
	BaseURL string

	// APIKey is sent as a bearer token; "" sends none, as local servers want it.
	APIKey string

	// Header is sent with each request, for servers that want a key elsewhere.
	Header http.Header

	// Model is the model's name on the server.
	Model string

	// TEI asks in the form of Text Embeddings Inference, where the texts are "texts"
	// and not "documents", and the server has one model.
	TEI bool

	// Extra is added to the body of each request, for what only some servers know:
	// {"truncate": true} or {"raw_scores": true} for TEI, {"return_documents": false}
	// for Jina, {"max_tokens_per_doc": 512} for Cohere. It cannot have "model",
	// "query", "documents", "texts", nor "top_n", which would leave scores out.
	Extra map[string]any

	// Timeout bounds each call; 0 means DefaultTimeout, less than 0 no bound but the
	// context's.
	Timeout time.Duration

	// HTTPClient makes the requests; nil means one of the Client's own, which keeps
	// connections for many concurrent calls. Redirects are not followed with either.
	HTTPClient *http.Client
}

// Client is a [rerank.Reranker]. It is immutable and safe for concurrent use.
type Client struct {
	o        Options
	extra    map[string]json.RawMessage
	endpoint string
	http     *http.Client
}

var _ rerank.Reranker = (*Client)(nil)

// New returns a client. It does not connect. The error is a [*codec.ValueError]
// that names the option that cannot be.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	invalid := func(field, want, got string) (*Client, error) {
		return nil, fmt.Errorf("cohere: %w", &codec.ValueError{Field: field, Pos: -1, Want: want, Got: got})
	}
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return invalid("BaseURL", "an address like https://host/v1", "something else")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return invalid("BaseURL", "an address without user, query or fragment", "one with them")
	case o.Model == "" && !o.TEI:
		return invalid("Model", "the model's name on the server", "empty")
	case strings.ContainsAny(o.APIKey, "\r\n\x00"):
		return invalid("APIKey", "one line", "more")
	}
	extra := map[string]json.RawMessage{}
	for _, taken := range []string{"model", "query", "documents", "texts", "top_n"} {
		if _, ok := o.Extra[taken]; ok {
			return invalid("Extra", "nothing that the client sets itself", taken)
		}
	}
	for name, value := range o.Extra {
		if extra[name], err = json.Marshal(value); err != nil {
			return invalid("Extra", "values that JSON has", name)
		}
	}
	o.Extra = nil
	o.Header = o.Header.Clone()
	return &Client{o: o, extra: extra, endpoint: base.JoinPath("rerank").String(), http: httpClient(o.HTTPClient)}, nil
}

// httpClient returns a copy of the given client, or a new one, that follows no
// redirect: that would send texts, and keys in headers, to another server.
func httpClient(given *http.Client) *http.Client {
	var c http.Client
	if given != nil {
		c = *given
	} else if base, ok := http.DefaultTransport.(*http.Transport); ok {
		transport := base.Clone()
		transport.MaxIdleConnsPerHost = 64 // with the default of 2, concurrent calls would connect each time
		c.Transport = transport
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// String returns the model, if there is a name, and the address, without the key.
func (c *Client) String() string {
	if c.o.Model == "" {
		return c.endpoint
	}
	return c.o.Model + " at " + c.endpoint
}

// GoString returns what String does, so that no format shows the key.
func (c *Client) GoString() string { return c.String() }
