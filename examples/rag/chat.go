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

// Chat is an OpenAI-compatible chat endpoint. Its key is taken from OPENAI_API_KEY.
type Chat struct{ URL, Model string }

// Ask sends a prompt and returns the answer.
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
	key := os.Getenv("OPENAI_API_KEY")
	if key != "" {
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
	var got struct {
		Choices []struct{ Message message }
	}
	err = json.Unmarshal(answer, &got)
	if resp.StatusCode != http.StatusOK || err != nil || len(got.Choices) == 0 {
		return "", fmt.Errorf("chat: %s, and no choices: %.300q", resp.Status, without(key, string(answer)))
	}
	return got.Choices[0].Message.Content, nil
}

// without takes the key out of an answer: some servers repeat it in their errors.
func without(key, answer string) string {
	if key == "" {
		return answer
	}
	return strings.ReplaceAll(answer, key, "[key]")
}
