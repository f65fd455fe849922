// Package cohere reranks texts through any server with Cohere's /rerank request:
// Cohere itself, Jina, vLLM, llama.cpp and, with [Options.TEI], Hugging Face's Text
// Embeddings Inference.
//
// A [Client] makes one request for each call of Rerank and does not retry. Put the
// wrappers of package rerank around it: [rerank.Retry] for the server's rate limits,
// which it learns from the errors of this package, and around that [rerank.Batch]
// for the number of texts that the server takes.
//
// The key is sent to the base URL only, never to the target of a redirect. No error,
// log or formatted value shows it.
//
// The package must not know collections and databases, and knows no model by name.
package cohere

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/httpmodel"
	"github.com/vecwire/vecwire/rerank"
)

// The defaults of Options.
const (
	DefaultBaseURL = "https://api.cohere.com/v2" // the default of Options.BaseURL
	DefaultTimeout = 30 * time.Second            // the default of Options.Timeout
)

// Options says which server and model to use. Model is required unless TEI is set.
type Options struct {
	// BaseURL is the address to which "/rerank" is added, such as
	// https://api.jina.ai/v1, or http://localhost:8000/v1 for vLLM; "" means
	// DefaultBaseURL. It has no user, query or fragment.
	BaseURL string

	// APIKey is sent as a bearer token; "" sends none, as for local servers.
	APIKey string

	// Header is sent with each request, for servers that want a key elsewhere.
	Header http.Header

	// Model is the model's name on the server.
	Model string

	// TEI makes requests in the form of Text Embeddings Inference, which has one model
	// and takes the texts as "texts" instead of "documents".
	TEI bool

	// Extra is added to the body of each request, for parameters of some servers:
	// {"truncate": true} or {"raw_scores": true} for TEI, {"return_documents": false}
	// for Jina, {"max_tokens_per_doc": 512} for Cohere. It cannot have "model",
	// "query", "documents", "texts", nor "top_n", which would leave scores out.
	Extra map[string]any

	// Timeout bounds each call; 0 means DefaultTimeout, a negative value no bound but
	// the context's.
	Timeout time.Duration

	// HTTPClient makes the requests; nil means one of the Client's own, which keeps
	// connections for many concurrent calls. Redirects are not followed with either.
	HTTPClient *http.Client
}

// Client is a [rerank.Reranker]. It is immutable and safe for concurrent use.
type Client struct {
	model string
	tei   bool
	extra map[string]json.RawMessage
	http  *httpmodel.Client
}

var _ rerank.Reranker = (*Client)(nil)

// New returns a client. It does not connect. The error is a [*codec.ValueError]
// that names the option that cannot be used.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{model: o.Model, tei: o.TEI}
	var err error
	if o.Model == "" && !o.TEI {
		err = &codec.ValueError{Field: "Model", Pos: -1, Want: "the model's name on the server", Got: "empty"}
	} else if c.extra, err = extras(o.Extra); err == nil {
		c.http, err = httpmodel.New(httpmodel.Options{
			BaseURL: o.BaseURL, Path: "rerank",
			APIKey: o.APIKey, Header: o.Header, Timeout: o.Timeout, HTTPClient: o.HTTPClient,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("cohere: %w", err)
	}
	return c, nil
}

// extras returns Options.Extra as JSON.
func extras(given map[string]any) (map[string]json.RawMessage, error) {
	for _, taken := range []string{"model", "query", "documents", "texts", "top_n"} {
		if _, ok := given[taken]; ok {
			return nil, &codec.ValueError{Field: "Extra", Pos: -1, Want: "nothing that the client sets itself", Got: taken}
		}
	}
	extra := make(map[string]json.RawMessage, len(given))
	for name, value := range given {
		var err error
		if extra[name], err = json.Marshal(value); err != nil {
			return nil, &codec.ValueError{Field: "Extra", Pos: -1, Want: "values that JSON has", Got: name}
		}
	}
	return extra, nil
}

// String returns the model, if there is a name, and the address, without the key.
func (c *Client) String() string {
	if c.model == "" {
		return c.http.Endpoint()
	}
	return c.model + " at " + c.http.Endpoint()
}

// GoString returns what String does, so that no format shows the key.
func (c *Client) GoString() string { return c.String() }
