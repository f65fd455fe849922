package openai

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vecwire/vecwire/embed"
)

// A request is the body of a request, as OpenAI documents it
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
	answer, err := c.http.Call(ctx, body, c.most(len(texts)), fmt.Sprintf("%d vectors of %d elements", len(texts), c.o.Dim))
	if err != nil {
		return nil, err
	}
	return decode(answer, len(texts), c.o.Dim)
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

// most returns how large an answer may be: 64 bytes for each element, because a
// number has up to 25 and may have a line of its own, and some for the rest.
func (c *Client) most(texts int) int64 {
	return 1<<16 + int64(texts)*(1<<10+64*int64(c.o.Dim))
}
