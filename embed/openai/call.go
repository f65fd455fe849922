package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/embed"
)

// request is the body of a request, as OpenAI documents it
// (https://platform.openai.com/docs/api-reference/embeddings/create).
type request struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Encoding   string   `json:"encoding_format,omitempty"`
	Dimensions int      `json:"dimensions,omitempty"`
}

// Embed returns a vector for each text, in order. Its errors wrap a
// [*StatusError], an [*AnswerError], a [*TransportError], an [*embed.TextError] or
// [*embed.CountError] for an answer that does not fit the texts, or ctx's error.
func (c *Client) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	vectors, err := c.embed(ctx, texts, use)
	if err != nil {
		return nil, fmt.Errorf("openai: %s: %w", c.model, err)
	}
	return vectors, nil
}

func (c *Client) embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	body, err := json.Marshal(c.request(texts, use))
	if err != nil {
		return nil, err
	}
	call := ctx
	if c.o.Timeout > 0 {
		timed, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, fmt.Errorf("no answer within %v", c.o.Timeout))
		defer cancel()
		call = timed
	}
	req, err := http.NewRequestWithContext(call, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for key, values := range c.o.Header {
		req.Header[key] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if c.o.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.o.APIKey)
	}
	response, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, call, err)
	}
	defer func() { _ = response.Body.Close() }() // what was read counts
	if response.StatusCode != http.StatusOK {
		return nil, c.statusError(response)
	}
	most := c.most(len(texts))
	answer, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case int64(len(answer)) > most:
		return nil, &AnswerError{Reason: fmt.Sprintf("has more than the %d bytes that %d vectors of %d elements take", most, len(texts), c.o.Dim)}
	case err != nil:
		return nil, c.transportError(ctx, call, err)
	}
	return c.decode(answer, len(texts))
}

func (c *Client) request(texts []string, use embed.Use) request {
	r := request{Model: c.o.Model, Input: texts}
	prefix := c.o.DocumentPrefix
	if use == embed.Query {
		prefix = c.o.QueryPrefix
	}
	if prefix != "" {
		r.Input = make([]string, len(texts))
		for i, text := range texts {
			r.Input[i] = prefix + text
		}
	}
	if c.o.Base64 {
		r.Encoding = "base64"
	}
	if c.o.SendDim {
		r.Dimensions = c.o.Dim
	}
	return r
}

// most returns how large an answer may be: 64 bytes for each element, as a number
// has up to 25 and may stand on a line of its own, and some for the rest.
func (c *Client) most(texts int) int64 {
	return 1<<16 + int64(texts)*(1<<10+64*int64(c.o.Dim))
}

// transportError says what kept the answer away. The caller's own context is not
// the server's fault.
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
	return &TransportError{Err: err}
}

// statusError reads what servers say about an error, each in its own form.
func (c *Client) statusError(response *http.Response) error {
	e := &StatusError{Status: response.StatusCode, After: retryAfter(response.Header, time.Now())}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16)) // a message that is cut off is better than none
	var said struct {
		Error   json.RawMessage `json:"error"`      // an object (OpenAI, vLLM, llama.cpp) or a string (Ollama, TEI)
		Type    string          `json:"error_type"` // TEI
		Message string          `json:"message"`    // older vLLM
		Detail  json.RawMessage `json:"detail"`     // FastAPI
	}
	var object struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"` // a string, a number or null
	}
	switch text := strings.TrimSpace(string(body)); {
	case json.Unmarshal(body, &said) != nil:
		if strings.HasPrefix(text, "<") {
			text = "an HTML page"
		}
		e.Message = text
	case json.Unmarshal(said.Error, &object) == nil:
		e.Message, e.Code = object.Message, object.Type
		var code string
		if json.Unmarshal(object.Code, &code) == nil && code != "" {
			e.Code = code
		}
	case json.Unmarshal(said.Error, &e.Message) == nil:
		e.Code = said.Type
	case said.Message != "":
		e.Message = said.Message
	default:
		e.Message = string(said.Detail)
	}
	e.Message, e.Code = c.clean(e.Message), c.clean(e.Code)
	return e
}

// clean shortens what a server said and takes keys out of it, which some repeat.
func (c *Client) clean(text string) string {
	const most = 300
	if c.o.APIKey != "" {
		text = strings.ReplaceAll(text, c.o.APIKey, "[key]")
	}
	for _, values := range c.o.Header {
		for _, value := range values {
			if len(value) >= 8 { // a shorter one is no key, and may be a word of the message
				text = strings.ReplaceAll(text, value, "[key]")
			}
		}
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// retryAfter returns how long a server asks to wait: in milliseconds, as OpenAI and
// Azure say it, or in seconds or until a date (RFC 9110, section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour
	parse := func(text string, unit time.Duration) (time.Duration, bool) {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(n >= 0) {
			return 0, false
		}
		return time.Duration(min(n*float64(unit), float64(longest))), true
	}
	if d, ok := parse(header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	text := header.Get("Retry-After")
	if d, ok := parse(text, time.Second); ok {
		return d
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(0, date.Sub(now)), longest)
	}
	return 0
}
