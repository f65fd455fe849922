package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/builtin"
	"github.com/vecwire/vecwire/embed/openai"
	"github.com/vecwire/vecwire/embed/transform"
)

// counter is an embedder that knows how many tokens a text has.
type counter interface{ CountTokens(text string) int }

// embedder returns the one that the settings name.
func (a *app) embedder() (vecwire.Embedder, error) {
	s := a.settings
	switch s.Embedder {
	case "", "builtin":
		if s.Embedder == "" && s.EmbedURL != "" {
			return a.openai()
		}
		return builtin.New(), nil
	case "openai":
		return a.openai()
	case "transform":
		if s.EmbedModel == "" {
			return nil, usagef("--embedder transform: name the folder of the model by --embed-model")
		}
		return transform.Open(s.EmbedModel, transform.Options{})
	}
	return nil, usagef("--embedder %q: want builtin, openai or transform", s.Embedder)
}

func (a *app) openai() (vecwire.Embedder, error) {
	s := a.settings
	if s.EmbedModel == "" || s.EmbedDim == 0 {
		return nil, usagef("--embedder openai: name the model by --embed-model and its number of dimensions by --embed-dim")
	}
	e, err := openai.New(openai.Options{BaseURL: s.EmbedURL, APIKey: os.Getenv("OPENAI_API_KEY"), Model: s.EmbedModel, Dim: s.EmbedDim})
	if err != nil {
		return nil, err
	}
	retrying := embed.Retry(embed.Limit(e, embed.LimitOptions{}), embed.RetryOptions{})
	return embed.Batch(retrying, embed.BatchOptions{Concurrency: 8}), nil
}

// embedding returns the collection with the embedder of the settings.
func (a *app) embedding(c *vecwire.Collection) (*vecwire.Collection, error) {
	e, err := a.embedder()
	if err != nil {
		return nil, err
	}
	with, err := c.WithEmbedder(e)
	if err != nil {
		return nil, otherModel(err, c.Schema())
	}
	return with, nil
}

// otherModel adds to an error about a model how to name the right one.
func otherModel(err error, s vecwire.Schema) error {
	_, dim := errors.AsType[*vecwire.DimensionError](err)
	if !dim && !errors.Is(err, vecwire.ErrModelMismatch) {
		return err
	}
	model := fmt.Sprintf("was filled by the model %q", s.Model)
	if s.Model == "" {
		model = "was filled by a model without a name"
	}
	return remedy(err, "the collection %s %s (%d dimensions): name that one by --embedder, --embed-url and --embed-model, "+
		"search by --mode words, or change the collection's model by vecwire reembed", s.Name, model, s.Dim)
}
