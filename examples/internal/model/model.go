// Package model gives the examples their embedder: that of an OpenAI-compatible
// server if one is named, and otherwise one that knows words and needs no server.
package model

import (
	"errors"
	"flag"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/lexical"
	"github.com/vecwire/vecwire/embed/openai"
)

// Options says which embedder to use.
type Options struct {
	URL  string // such as http://localhost:11434/v1; "" for words
	Name string
	Dim  int
	// File keeps the weights of words between runs.
	File string
}

// Register adds the flags that set o. The server's key is in OPENAI_API_KEY.
func (o *Options) Register(flags *flag.FlagSet) {
	flags.StringVar(&o.URL, "embed-url", "", "base `URL` of an OpenAI-compatible server, such as http://localhost:11434/v1 (default none: words are compared)")
	flags.StringVar(&o.Name, "embed-model", "text-embedding-3-small", "the server's `MODEL`")
	flags.IntVar(&o.Dim, "embed-dim", 1536, "the `NUMBER` of dimensions of the model")
}

// Open returns the embedder and the metric that its vectors are made for. The
// corpus is read once, to weigh words, if there is no File yet.
func (o Options) Open(corpus iter.Seq2[string, error]) (vecwire.Embedder, vecwire.Metric, error) {
	if o.URL != "" {
		e, err := openai.New(openai.Options{BaseURL: o.URL, APIKey: os.Getenv("OPENAI_API_KEY"), Model: o.Name, Dim: o.Dim})
		if err != nil {
			return nil, 0, err
		}
		retrying := embed.Retry(embed.Limit(e, embed.LimitOptions{}), embed.RetryOptions{})
		return embed.Batch(retrying, embed.BatchOptions{Concurrency: 8}), vecwire.Cosine, nil
	}
	words, err := lexical.Load(o.File)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return words, vecwire.Dot, err
	}
	var fitter lexical.Fitter
	for text, err := range corpus {
		if err != nil {
			return nil, 0, err
		}
		fitter.Add(text)
	}
	if words, err = fitter.Fit(lexical.Options{}); err != nil {
		return nil, 0, err
	}
	if err := os.MkdirAll(filepath.Dir(o.File), 0o755); err != nil {
		return nil, 0, err
	}
	return words, vecwire.Dot, words.Save(o.File)
}
