package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// Chat is an OpenAI-compatible chat endpoint. Its key is in OPENAI_API_KEY.
type Chat struct{ URL, Model string }

// Ask sends one prompt and returns the answer.
func (c Chat) Ask(ctx context.Context, prompt string) (string, error) {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	body, err := json.Marshal(map[string]any{"model": c.Model, "messages": []message{{"user", prompt}}})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("OPENAI_API_KEY"); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("chat: %s: %.300s", resp.Status, answer)
	}
	var got struct {
		Choices []struct{ Message message }
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return "", fmt.Errorf("chat: %w", err)
	}
	if len(got.Choices) == 0 {
		return "", fmt.Errorf("chat: the answer has no choices: %.300s", answer)
	}
	return got.Choices[0].Message.Content, nil
}
