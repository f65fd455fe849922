// Package rerank puts what one search or several have found into a better order:
//
//   - [Exact] rescores candidates by their vectors, in full precision.
//   - [MMR] prefers candidates that are unlike those before them.
//   - [RRF] fuses ranked lists of IDs into one.
//   - [MaxSim] scores texts by the vectors of their tokens, packed by [PackTokens].
//   - [Group] keeps a few hits of each key.
//   - [Texts] reranks texts by a model, a [Reranker], which judges how well each
//     text answers a query. [Batch] and [Retry] wrap one; package cohere has one.
//
// To rescore is to compare again by vectors, to rerank is to ask a model.
//
// All but the models are pure functions: they keep nothing, change nothing that
// they are given, and order equal candidates in one way, so that the same input
// has the same answer. The package knows vectors, IDs and texts. It must not know
// collections, engines and hits.
package rerank

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
)

// A Candidate is a record that may be in the answer. Its vector has as many
// elements as the query's.
type Candidate[T codec.Float] struct {
	ID     string // orders candidates of equal score; it may be empty
	Vector []T
}

// A Ranked is a candidate or a text at its place in the new order.
type Ranked struct {
	Index int     // its place in the order that was given, from 0
	Score float64 // higher is better
}

// CandidateError reports a candidate whose vector cannot be compared with the
// query's.
type CandidateError struct {
	Index int    // its place among the candidates, from 0
	ID    string // its ID
	Err   error  // why: a *codec.DimensionError or a *codec.ValueError
}

func (e *CandidateError) Error() string {
	return fmt.Sprintf("candidate %d (id %.64q): %v", e.Index, e.ID, e.Err)
}

// Unwrap returns Err.
func (e *CandidateError) Unwrap() error { return e.Err }

// checkQuery refuses a query that no candidate can be compared with.
func checkQuery[T codec.Float](metric codec.Metric, query []T, k int) error {
	switch {
	case metric > codec.L2:
		return refuse("metric", "Cosine, Dot or L2", fmt.Sprint(uint8(metric)))
	case k < 1:
		return refuse("k", "1 or more", fmt.Sprint(k))
	case len(query) == 0:
		return refuse("vector", "at least one element", "empty")
	}
	return codec.Check(query, len(query), metric)
}

func refuse(field, want, got string) error {
	return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: got}
}

// sortRanked orders by score, best first. Equal scores are ordered by ID, and equal
// IDs keep the order that was given.
func sortRanked[T codec.Float](ranked []Ranked, candidates []Candidate[T]) {
	slices.SortFunc(ranked, func(a, b Ranked) int {
		if c := cmp.Compare(b.Score, a.Score); c != 0 {
			return c
		}
		return order(candidates, a.Index, b.Index)
	})
}

// order orders candidates of equal score.
func order[T codec.Float](candidates []Candidate[T], i, j int) int {
	return cmp.Or(strings.Compare(candidates[i].ID, candidates[j].ID), cmp.Compare(i, j))
}
