// Package embed defines what turns texts into vectors, and puts around it what
// every service needs. The embedders themselves are in the packages below it.
//
// Each wrapper takes an [Embedder] and returns one. In the order that makes sense
// for a service, from the inside out: [Limit] keeps its rate limit, [Retry] repeats
// calls, each attempt within the limit, [Batch] divides the texts into calls, and
// [Cache] leaves out the texts that were embedded before. [Check] is for embedders
// that do not check their own answers.
//
//	e = embed.Limit(e, embed.LimitOptions{Requests: 3000})
//	e = embed.Retry(e, embed.RetryOptions{})
//	e = embed.Batch(e, embed.BatchOptions{Items: 64, Concurrency: 4})
//	e = embed.Cache(e, embed.NewLRU(0))
//
// The package knows no collection and no database.
package embed

import "context"

// Use says what a text is embedded for. Many models embed a document and a
// query differently: by a prefix, by a parameter, or, as [lexical] does, by
// different weights.
//
// [lexical]: https://pkg.go.dev/github.com/vecwire/vecwire/embed/lexical
type Use uint8

const (
	// Document embeds a text that will be stored and found. It is the default.
	Document Use = iota
	// Query embeds a text that will be searched for.
	Query
)

// String returns "document" or "query".
func (u Use) String() string {
	if u == Query {
		return "query"
	}
	return "document"
}

// An Embedder turns texts into vectors. It must be safe for concurrent use.
type Embedder interface {
	// Embed returns one vector of Dim elements for each text, in order. It
	// returns an error rather than fewer vectors.
	Embed(ctx context.Context, texts []string, use Use) ([][]float32, error)

	// Model names the model so that vectors of two models are never mixed: two
	// embedders with the same name must give the same vectors.
	Model() string

	// Dim returns the number of elements of every vector.
	Dim() int
}
