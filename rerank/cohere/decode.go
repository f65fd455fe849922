package cohere

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"

	"github.com/vecwire/vecwire/rerank"
)

// A result is the score of one text. TEI calls it score, the others
// relevance_score.
type result struct {
	Index     *int         `json:"index"`
	Relevance *json.Number `json:"relevance_score"`
	Score     *json.Number `json:"score"`
}

// nonFinite finds what Python writes for numbers that JSON does not have.
var nonFinite = regexp.MustCompile(`([:\s])(NaN|-?Infinity)\b`)

// decode returns the scores of an answer in the order of the texts.
func (c *Client) decode(body []byte, texts int) ([]float64, error) {
	results, err := parse(body)
	if err != nil && nonFinite.Match(body) { // null names the text that it is the score of
		results, err = parse(nonFinite.ReplaceAll(body, []byte("${1}null")))
	}
	switch {
	case err != nil:
		return nil, c.unreadable(body, err)
	case results == nil:
		return nil, &AnswerError{Reason: `has no "results"; is this the address of /rerank?`}
	case len(results) > texts:
		return nil, &rerank.CountError{Texts: texts, Scores: len(results)}
	}
	scores := make([]float64, texts)
	seen := make([]bool, texts)
	for _, r := range results {
		switch {
		case r.Index == nil:
			return nil, &AnswerError{Reason: "has a score without an index"}
		case *r.Index < 0 || *r.Index >= texts:
			return nil, &AnswerError{Reason: fmt.Sprintf("has a score for text %d of %d", *r.Index, texts)}
		case seen[*r.Index]:
			return nil, &AnswerError{Reason: fmt.Sprintf("has two scores for text %d", *r.Index)}
		}
		seen[*r.Index] = true
		scores[*r.Index] = r.score()
	}
	for i, ok := range seen {
		if !ok {
			return nil, &rerank.TextError{Index: i, Err: &rerank.CountError{Texts: texts, Scores: len(results)}}
		}
	}
	if err := rerank.Verify(scores, texts); err != nil {
		return nil, err
	}
	return scores, nil
}

// score returns the result's score, NaN if it has none.
func (r result) score() float64 {
	for _, number := range []*json.Number{r.Relevance, r.Score} {
		if number != nil {
			x, _ := number.Float64() // infinite for what is too large
			return x
		}
	}
	return math.NaN()
}

// parse reads an object with results or, as TEI answers, the results alone.
func parse(body []byte) ([]result, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		results := []result{}
		err := json.Unmarshal(body, &results)
		return results, err
	}
	var answer struct {
		Results []result `json:"results"`
	}
	err := json.Unmarshal(body, &answer)
	return answer.Results, err
}

// unreadable says why an answer is no JSON of this API.
func (c *Client) unreadable(body []byte, err error) error {
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch text := bytes.TrimSpace(body); {
	case len(text) == 0:
		return &AnswerError{Reason: "is empty", CutOff: true}
	case text[0] == '<':
		return &AnswerError{Reason: "is an HTML page; is this the address of an API?"}
	case isSyntax && (text[0] == '{' || text[0] == '[') && syntax.Offset >= int64(len(text)), errors.Is(err, io.ErrUnexpectedEOF):
		return &AnswerError{Reason: "was cut off", CutOff: true}
	}
	return &AnswerError{Reason: "cannot be read: " + c.clean(err.Error())}
}
