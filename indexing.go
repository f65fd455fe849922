package vecwire

import "github.com/vecwire/vecwire/internal/engine"

// Indexing says whether a collection gets a vector index that nobody asked for.
type Indexing uint8

// The ways to have a vector index.
const (
	// AutoIndex, the default, has the embedded engine build one by itself when the
	// collection has grown so far that it pays: from 20,000 records on whose vectors have
	// 10,000,000 elements together (78,125 of 128 dimensions, 26,042 of 384), once few
	// of its records change. It is built in the background, on one processor, and
	// searches go first.
	//
	// From then on searches are approximate unless [Query].Exact is set: of 60,000
	// real embeddings they find 99 % of the nearest. [Result].Exact and Plan say what each
	// one used. An index that [Collection.DropIndex] has removed does not come
	// back by itself. Servers build only what [Collection.BuildIndex] asks for.
	AutoIndex = Indexing(engine.AutoIndex)
	// NoIndex leaves it to [Collection.BuildIndex], without which all searches are exact.
	NoIndex = Indexing(engine.NoIndex)
)

// String returns "auto" or "none".
func (i Indexing) String() string { return engine.Indexing(i).String() }
