package cohere

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"

	"github.com/vecwire/vecwire/internal/httpmodel"
	"github.com/vecwire/vecwire/rerank"
)

// A result is the score of one text. TEI calls it score, other servers
// relevance_score.
type result struct {
	Index     *int         `json:"index"`
	Relevance *json.Number `json:"relevance_score"`
	Score     *json.Number `json:"score"`
}

// nonFinite finds the words that Python writes for numbers that JSON lacks.
var nonFinite = regexp.MustCompile(`([:\s])(NaN|-?Infinity)\b`)

// decode returns the scores of an answer in the order of the texts.
func decode(from *httpmodel.Answer, texts int) ([]float64, error) {
	results, err := parse(from.Body)
	if err != nil && nonFinite.Match(from.Body) { // null, unlike a syntax error, names its text
		results, err = parse(nonFinite.ReplaceAll(from.Body, []byte("${1}null")))
	}
	if err != nil {
		return nil, from.Unreadable(err)
	}
	if len(results) < texts {
		if said := from.Said(); said != nil {
			return nil, said
		}
	}
	switch {
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

// parse reads an object that holds results, or the results alone, as TEI answers.
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
