// Package embed defines embedders, which turn texts into vectors, and the wrappers
// that every service behind one needs. Embedders are in the packages below this one;
// [Func] makes one of a function.
//
// Each wrapper takes an [Embedder] and returns one. From the inside out, in the
// order that makes sense for a service: [Limit] keeps its rate limit, [Retry]
// repeats calls that failed, each attempt within the limit, [Batch] divides texts
// into calls, and [Cache] leaves out texts that were embedded before. [Check] is for
// embedders that do not check their own answers.
//
//	e = embed.Limit(e, embed.LimitOptions{Requests: 3000})
//	e = embed.Retry(e, embed.RetryOptions{})
//	e = embed.Batch(e, embed.BatchOptions{Items: 64, Concurrency: 4})
//	e = embed.Cache(e, embed.NewLRU(0))
//
// Embed gives every vector or an error. [Isolate] embeds many texts of which some
// may be refused: one text that is too long then costs only itself.
//
// Vectors are checked once, where they come from foreign code: by the innermost
// embedder if it says that it does (see [Embedder]), and otherwise by the first of
// Batch, Cache, Check and Isolate around it. Cache also checks what its store
// returns. A collection checks every vector that it is given, whoever made it.
//
// The package must not know collections and databases.
package embed

import "context"

// Use says what a text is embedded for. Many models embed documents and queries
// differently: by a prefix, by a parameter, or, as [lexical] does, by different
// weights.
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
//
// An embedder that checks its own answers, as [Verify] does, may have the method
//
//	Verified() bool
//
// that returns true. Then wrappers do not check them again.
type Embedder interface {
	// Embed returns one vector of Dim finite elements for each text, in order. It
	// returns an error rather than fewer vectors.
	Embed(ctx context.Context, texts []string, use Use) ([][]float32, error)

	// Model names the model, so that vectors of two models are never mixed. Two
	// embedders of the same name must give the same vectors.
	Model() string

	// Dim returns the number of elements of every vector.
	Dim() int
}

// verified reports whether e checks its own answers.
func verified(e Embedder) bool {
	v, ok := e.(interface{ Verified() bool })
	return ok && v.Verified()
}
