package cohere

import (
	"context"
	"encoding/json"
	"fmt"
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
	// Some servers send the texts back, at worst with every letter escaped.
	most := int64(1<<16 + 6*len(body) + 1<<10*len(texts))
	answer, err := c.http.Call(ctx, body, most, fmt.Sprintf("%d scores and their texts", len(texts)))
	if err != nil {
		return nil, err
	}
	return decode(answer, len(texts))
}

// request returns the body of a request (https://docs.cohere.com/reference/rerank,
// https://huggingface.github.io/text-embeddings-inference).
func (c *Client) request(query string, texts []string) ([]byte, error) {
	body := make(map[string]any, len(c.extra)+3)
	for name, value := range c.extra {
		body[name] = value
	}
	body["query"] = query
	if c.model != "" {
		body["model"] = c.model
	}
	if c.tei {
		body["texts"] = texts
	} else {
		body["documents"] = texts
	}
	return json.Marshal(body)
}
