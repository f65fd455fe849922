// Package openai embeds texts through any server with OpenAI's /v1/embeddings:
// OpenAI itself, Ollama, vLLM, LM Studio, Hugging Face's Text Embeddings Inference,
// llama.cpp, and others.
//
// A [Client] makes one request for each call of Embed and does not retry. Put the
// wrappers of package embed around it: [embed.Batch] for the number of texts that
// the server takes, [embed.Limit] and [embed.Retry] for its limits, which its
// errors here tell them, and [embed.Cache] for what was paid for before.
//
// The key is sent to the base URL only, never to where that redirects, and is in
// no error, log or formatted value.
//
// The package knows no collection and no database, and no model.
package openai

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// The defaults of Options.
const (
	DefaultBaseURL = "https://api.openai.com/v1" // the default of Options.BaseURL
	DefaultTimeout = time.Minute                 // the default of Options.Timeout
)

// maxDim is the most elements that a vector may have. The largest models have a
// few thousand; more is a mistake, and would let a server send as much.
const maxDim = 1 << 16

// Options says which server and model to use. Model and Dim are required.
type Options struct {
	// BaseURL is the address that "/embeddings" is added to, such as
	// http://localhost:11434/v1 for Ollama; "" means DefaultBaseURL. It has no user,
	// query or fragment.
	BaseURL string

	// APIKey is sent as a bearer token; "" sends none, as local servers want it.
	APIKey string

	// Header is sent with each request, for servers that want a key elsewhere.
	Header http.Header

	// Model is the model's name on the server.
	Model string

	// Dim is the number of elements of the model's vectors. An answer with another
	// number is an error.
	Dim int

	// SendDim asks the server for vectors of Dim elements, where the model can shorten
	// them. Other models and some servers refuse it.
	SendDim bool

	// Base64 asks for vectors in base64, which is a quarter of the size of numbers.
	// Some servers refuse or ignore it. Both forms are read, whatever was asked for.
	Base64 bool

	// DocumentPrefix and QueryPrefix are put before each text, as some models were
	// trained with: "passage: " and "query: " for E5.
	DocumentPrefix, QueryPrefix string

	// Name is what [Client.Model] returns; "" means a name made of the options.
	Name string

	// Timeout bounds each call; 0 means DefaultTimeout, less than 0 no bound but the
	// context's.
	Timeout time.Duration

	// HTTPClient makes the requests; nil means one of the Client's own, which keeps
	// connections for many concurrent calls. Redirects are not followed with either.
	HTTPClient *http.Client
}

// Client is an [embed.Embedder]. It is immutable and safe for concurrent use.
type Client struct {
	o        Options
	endpoint string
	http     *http.Client
	model    string
}

var _ embed.Embedder = (*Client)(nil)

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
		return nil, fmt.Errorf("openai: %w", &codec.ValueError{Field: field, Pos: -1, Want: want, Got: got})
	}
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return invalid("BaseURL", "an address like https://host/v1", "something else")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return invalid("BaseURL", "an address without user, query or fragment", "one with them")
	case o.Model == "":
		return invalid("Model", "the model's name on the server", "empty")
	case o.Dim < 1 || o.Dim > maxDim:
		return invalid("Dim", fmt.Sprintf("the number of elements of the model's vectors, from 1 to %d", maxDim), fmt.Sprint(o.Dim))
	case strings.ContainsAny(o.APIKey, "\r\n\x00"):
		return invalid("APIKey", "one line", "more")
	}
	o.Header = o.Header.Clone()
	return &Client{o: o, endpoint: base.JoinPath("embeddings").String(), http: httpClient(o.HTTPClient), model: name(o)}, nil
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

// name names all that changes the vectors.
func name(o Options) string {
	if o.Name != "" {
		return o.Name
	}
	name := o.Model
	if o.SendDim {
		name += fmt.Sprintf("/%d", o.Dim)
	}
	if o.DocumentPrefix != "" || o.QueryPrefix != "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", o.DocumentPrefix, o.QueryPrefix))
		name += fmt.Sprintf("/prefix-%x", sum[:4])
	}
	return name
}

// Model returns Options.Name, or else the model's name with the dimension added if
// it is sent and a hash of the prefixes if there are any, because they change the
// vectors. The server is not part of it.
func (c *Client) Model() string { return c.model }

// Dim returns the number of elements of a vector.
func (c *Client) Dim() int { return c.o.Dim }

// String returns the model and the address, without the key.
func (c *Client) String() string { return c.model + " at " + c.endpoint }

// GoString returns what String does, so that no format shows the key.
func (c *Client) GoString() string { return c.String() }
