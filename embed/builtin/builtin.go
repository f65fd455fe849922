// Package builtin embeds texts with a model that is part of the program: no server,
// no key, no download, no cgo.
//
//	e := builtin.New()
//	vectors, err := e.Embed(ctx, []string{"remove duplicates from a slice"}, embed.Query)
//
// The model is all-MiniLM-L6-v2 (Wang et al. 2020, Reimers and Gurevych 2019), with
// its weights in eight bits: 22.7 million parameters, vectors of 384 elements and
// length 1, English, texts of up to 256 tokens, of which the rest is cut off. See
// NOTICE for its licence. A program becomes 23 MB larger by it.
//
// The package is a module of its own, so that only those download the weights who
// use them. It knows no collection and no database; [transform] computes.
//
// [transform]: https://pkg.go.dev/github.com/vecwire/vecwire/embed/transform
package builtin

import (
	_ "embed"

	"github.com/vecwire/vecwire/embed/transform"
)

//go:generate go run ./internal/make

//go:embed weights.bin
var weights string

// New returns an embedder. It takes some milliseconds, most of them for the
// vocabulary; the weights are read from the program's file when they are first used.
// Its Model changes whenever the vectors do.
//
// A program needs only one: it is safe for concurrent use, and divides the texts of
// a call among all CPUs.
func New() *transform.Embedder {
	e, err := Open(transform.Options{})
	if err != nil {
		panic(err) // the weights are a part of this package, which its tests open
	}
	return e
}

// Open returns the embedder of [New] with other options, such as fewer tokens of a
// text, which takes less time. The error is that of [transform.OpenPacked].
func Open(o transform.Options) (*transform.Embedder, error) {
	return transform.OpenPacked(weights, o)
}
