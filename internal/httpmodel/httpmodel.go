// Package httpmodel calls models that are behind an HTTP API of JSON. It has what
// the clients of all such APIs share: the request, the key, timeouts, bounds on the
// size of answers, and the many forms in which servers say that a call failed.
//
// It must not know what a model does. A client makes the body of its request and
// reads the body of the answer; see packages embed/openai and rerank/cohere.
//
// The key goes to the base URL only, never to the target of a redirect, and is in
// no error: what a server says is shown without it.
package httpmodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
)

// errorBytes is how much is read of an answer that says that the call failed. What
// is shown of it is far shorter.
const errorBytes = 1 << 16

// Options says where a model is and how it is called.
type Options struct {
	BaseURL    string        // http or https, without user, query and fragment
	Path       string        // the last part of the address, such as "embeddings"
	APIKey     string        // sent as a bearer token; "" for none
	Header     http.Header   // sent with each request
	Timeout    time.Duration // of each call; 0 or less for none but the context's
	HTTPClient *http.Client  // makes the requests; nil for one of the Client's own
}

// Client makes calls. It is immutable and safe for concurrent use.
type Client struct {
	endpoint string
	header   func() http.Header // a function, because no format shows what one holds
	timeout  time.Duration
	http     *http.Client
	secrets  *strings.Replacer
}

// New returns a client. It does not connect. The error is a [*codec.ValueError]
// that names the field at fault and shows nothing of its value.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, refuse("BaseURL", "an address like https://host/v1", "something else")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, refuse("BaseURL", "an address without user, query and fragment", "one with them")
	case strings.ContainsAny(o.APIKey, "\r\n\x00"):
		return nil, refuse("APIKey", "a single line", "more than one")
	}
	header := o.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "application/json")
	if o.APIKey != "" {
		header.Set("Authorization", "Bearer "+o.APIKey)
	}
	return &Client{
		endpoint: base.JoinPath(o.Path).String(),
		header:   func() http.Header { return header },
		timeout:  o.Timeout,
		http:     withoutRedirects(o.HTTPClient),
		secrets:  secretsOf(o.APIKey, o.Header),
	}, nil
}

func refuse(field, want, got string) error {
	return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: got}
}

// withoutRedirects returns a copy of the given client, or a new one, that follows
// no redirect: that would send texts, and keys in headers, to another server.
func withoutRedirects(given *http.Client) *http.Client {
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

// Endpoint returns the address that calls go to. It holds no key.
func (c *Client) Endpoint() string { return c.endpoint }

// An Answer is the body of an answer of status 200.
type Answer struct {
	Body   []byte
	header http.Header
	client *Client
}

// Call posts a body and returns the answer of status 200. An answer of more than
// most bytes, which what describes, is not read to its end. The error is a
// [*StatusError], an [*AnswerError], a [*TransportError] or ctx's own.
func (c *Client) Call(ctx context.Context, body []byte, most int64, what string) (*Answer, error) {
	call := ctx
	if c.timeout > 0 {
		timed, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %v", c.timeout))
		defer cancel()
		call = timed
	}
	req, err := http.NewRequestWithContext(call, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, c.header())
	response, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, call, err)
	}
	defer func() { _ = response.Body.Close() }() // what was read counts
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, errorBytes)) // a message that is cut off is better than none
		return nil, c.statusError(response.StatusCode, response.Header, text)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case int64(len(answer)) > most:
		return nil, &AnswerError{Reason: fmt.Sprintf("has more than the %d bytes that %s take", most, what)}
	case err != nil:
		return nil, c.transportError(ctx, call, err)
	}
	return &Answer{Body: answer, header: response.Header, client: c}, nil
}

// transportError says what kept the answer away. The end of the caller's own
// context is not the server's fault.
func (c *Client) transportError(ctx, call context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if call.Err() != nil {
		return &TransportError{Err: context.Cause(call)}
	}
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &AnswerError{Reason: "was cut off", CutOff: true}
	}
	if text := err.Error(); c.secrets.Replace(text) != text { // a caller's own transport may show a request
		err = errors.New(c.clean(text))
	}
	return &TransportError{Err: err}
}
