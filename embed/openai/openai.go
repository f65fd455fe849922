// Package openai embeds texts through any server with OpenAI's /v1/embeddings:
// OpenAI itself, Ollama, vLLM, LM Studio, Hugging Face's Text Embeddings Inference,
// llama.cpp, and others.
//
// A [Client] makes one request for each call of Embed and does not retry. Put the
// wrappers of package embed around it: [embed.Batch] for the number of texts that
// the server takes, [embed.Limit] and [embed.Retry] for its rate limits, which they
// learn from the errors of this package, and [embed.Cache] for texts that were paid
// for before.
//
// The key is sent to the base URL only, never to the target of a redirect. No error,
// log or formatted value shows it.
//
// The package must not know collections and databases, and knows no model by name.
package openai

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/httpmodel"
)

// The defaults of Options.
const (
	DefaultBaseURL = "https://api.openai.com/v1" // the default of Options.BaseURL
	DefaultTimeout = time.Minute                 // the default of Options.Timeout
)

// maxDim is the most elements of a vector. The largest models have a few thousand;
// more is a mistake, and would let a server send as much.
const maxDim = 1 << 16

// Options says which server and model to use. Model and Dim are required.
type Options struct {
	// BaseURL is the address to which "/embeddings" is added, such as
	// http://localhost:11434/v1 for Ollama; "" means DefaultBaseURL. It has no user,
	// query or fragment.
	BaseURL string

	// APIKey is sent as a bearer token; "" sends none, as for local servers.
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

	// Base64 asks for vectors in base64, which has a quarter of the size of numbers.
	// Some servers refuse or ignore it. Both forms are read in any case.
	Base64 bool

	// DocumentPrefix and QueryPrefix are put before each text, for models that were
	// trained with prefixes: "passage: " and "query: " for E5.
	DocumentPrefix, QueryPrefix string

	// Name is what [Client.Model] returns; "" means a name made of the options.
	Name string

	// Timeout bounds each call; 0 means DefaultTimeout, a negative value no bound but
	// the context's.
	Timeout time.Duration

	// HTTPClient makes the requests; nil means one of the Client's own, which keeps
	// connections for many concurrent calls. Redirects are not followed with either.
	HTTPClient *http.Client
}

// Client is an [embed.Embedder]. It is immutable and safe for concurrent use.
type Client struct {
	o     Options
	http  *httpmodel.Client
	model string
}

var _ embed.Embedder = (*Client)(nil)

// New returns a client. It does not connect. The error is a [*codec.ValueError]
// that names the option that cannot be used.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{model: name(o), o: o}
	var err error
	switch {
	case o.Model == "":
		err = &codec.ValueError{Field: "Model", Pos: -1, Want: "the model's name on the server", Got: "empty"}
	case o.Dim < 1 || o.Dim > maxDim:
		err = &codec.ValueError{
			Field: "Dim", Pos: -1,
			Want: fmt.Sprintf("the number of elements of the model's vectors, from 1 to %d", maxDim), Got: fmt.Sprint(o.Dim),
		}
	default:
		c.http, err = httpmodel.New(httpmodel.Options{
			BaseURL: o.BaseURL, Path: "embeddings",
			APIKey: o.APIKey, Header: o.Header, Timeout: o.Timeout, HTTPClient: o.HTTPClient,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	c.o.APIKey, c.o.Header = "", nil // so that no format shows them
	return c, nil
}

// name returns a name of all options that change the vectors.
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

// Model returns Options.Name if it is set. Otherwise it returns the model's name, with
// the dimension if that is sent and a hash of the prefixes if there are any, because
// they change the vectors. The server is not part of the name.
func (c *Client) Model() string { return c.model }

// Dim returns the number of elements of a vector.
func (c *Client) Dim() int { return c.o.Dim }

// Verified returns true: every answer is checked, as [embed.Verify] does.
func (c *Client) Verified() bool { return true }

// String returns the model and the address, without the key.
func (c *Client) String() string { return c.model + " at " + c.http.Endpoint() }

// GoString returns what String does, so that no format shows the key.
func (c *Client) GoString() string { return c.String() }
