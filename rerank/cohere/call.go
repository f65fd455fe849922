package cohere

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Rerank returns a score for each text, in order. Most models give scores from 0 to
// 1, some logits. Its errors wrap a [*StatusError], an [*AnswerError], a
// [*TransportError], a [*rerank.TextError] or [*rerank.CountError] for scores that
// do not fit the texts, or ctx's error.
func (c *Client) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	scores, err := c.rerank(ctx, query, texts)
	if err != nil {
		return nil, fmt.Errorf("cohere: %s: %w", c, err)
	}
	return scores, nil
}

func (c *Client) rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	body, err := c.request(query, texts)
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
	maps.Copy(req.Header, c.o.Header)
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
	// Some servers send the texts back, with every letter escaped at worst.
	most := int64(1<<16 + 6*len(body) + 1<<10*len(texts))
	answer, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case int64(len(answer)) > most:
		return nil, &AnswerError{Reason: fmt.Sprintf("has more than the %d bytes that %d scores and their texts take", most, len(texts))}
	case err != nil:
		return nil, c.transportError(ctx, call, err)
	}
	return c.decode(answer, len(texts))
}

// request returns the body of a request (https://docs.cohere.com/reference/rerank,
// https://huggingface.github.io/text-embeddings-inference).
func (c *Client) request(query string, texts []string) ([]byte, error) {
	body := make(map[string]any, len(c.extra)+3)
	for name, value := range c.extra {
		body[name] = value
	}
	body["query"] = query
	if c.o.Model != "" {
		body["model"] = c.o.Model
	}
	if c.o.TEI {
		body["texts"] = texts
	} else {
		body["documents"] = texts
	}
	return json.Marshal(body)
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
		Message string          `json:"message"` // Cohere
		Error   json.RawMessage `json:"error"`   // a string (TEI) or an object with a message (vLLM)
		Detail  json.RawMessage `json:"detail"`  // Jina and FastAPI: a string or a list
	}
	var object struct {
		Message string `json:"message"`
	}
	switch text := strings.TrimSpace(string(body)); {
	case strings.HasPrefix(text, "<"):
		e.Message = "an HTML page"
	case json.Unmarshal(body, &said) != nil:
		e.Message = text
	case said.Message != "":
		e.Message = said.Message
	case json.Unmarshal(said.Error, &object) == nil && object.Message != "":
		e.Message = object.Message
	case json.Unmarshal(said.Error, &e.Message) == nil, json.Unmarshal(said.Detail, &e.Message) == nil:
	default:
		e.Message = string(said.Detail)
	}
	e.Message = c.clean(e.Message)
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

// retryAfter returns how long a server asks to wait, in seconds or until a date
// (RFC 9110, section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour
	text := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
		return time.Duration(min(n*float64(time.Second), float64(longest)))
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(0, date.Sub(now)), longest)
	}
	return 0
}
