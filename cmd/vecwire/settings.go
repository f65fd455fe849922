package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/vecwire/vecwire/codec"
)

// settings are what every verb knows: which database, which collection, which model.
// A flag counts most, then the environment, then the user's configuration file. A file
// in the current folder is never read: it may be part of a repository that somebody
// else wrote.
type settings struct {
	DB         string `json:"db"`
	Collection string `json:"collection"`
	Embedder   string `json:"embedder"`
	EmbedURL   string `json:"embed-url"`
	EmbedModel string `json:"embed-model"`
	EmbedDim   int    `json:"embed-dim"`

	named bool // the collection was named
	file  string
}

const (
	defaultDB         = "vecwire.db"
	defaultCollection = "docs"
)

func (s *settings) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.DB, "db", "", "database: a file, or a `URL` such as postgres://… (VECWIRE_DB; default "+defaultDB+")")
	flags.StringVarP(&s.Collection, "collection", "c", "", "collection `NAME` (VECWIRE_COLLECTION; default "+defaultCollection+", or the only one)")
	flags.StringVar(&s.Embedder, "embedder", "", "`KIND` of model: builtin, openai or transform (VECWIRE_EMBEDDER; default builtin)")
	flags.StringVar(&s.EmbedURL, "embed-url", "", "base `URL` of an OpenAI-compatible server; its key is in OPENAI_API_KEY")
	flags.StringVar(&s.EmbedModel, "embed-model", "", "`MODEL` on that server, or the folder of a local model for transform")
	flags.IntVar(&s.EmbedDim, "embed-dim", 0, "`NUMBER` of dimensions of that server's model")
	flags.StringVar(&s.file, "config", "", "configuration `FILE`, JSON (VECWIRE_CONFIG; default vecwire/config.json in your configuration folder)")
}

// load fills in what the flags leave open.
func (s *settings) load(flags *pflag.FlagSet) error {
	var file settings
	if err := file.read(s.file); err != nil {
		return err
	}
	for flag, value := range map[string]struct {
		into      *string
		variables []string
		file, def string
	}{
		"db":          {&s.DB, []string{"VECWIRE_DB"}, file.DB, defaultDB},
		"collection":  {&s.Collection, []string{"VECWIRE_COLLECTION"}, file.Collection, ""},
		"embedder":    {&s.Embedder, []string{"VECWIRE_EMBEDDER"}, file.Embedder, ""},
		"embed-url":   {&s.EmbedURL, []string{"VECWIRE_EMBED_URL"}, file.EmbedURL, ""},
		"embed-model": {&s.EmbedModel, []string{"VECWIRE_EMBED_MODEL"}, file.EmbedModel, ""},
	} {
		if flags.Changed(flag) {
			continue
		}
		*value.into = value.def
		if value.file != "" {
			*value.into = value.file
		}
		for _, name := range value.variables {
			if v := os.Getenv(name); v != "" {
				*value.into = v
			}
		}
	}
	if !flags.Changed("embed-dim") {
		s.EmbedDim = file.EmbedDim
		if v := os.Getenv("VECWIRE_EMBED_DIM"); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				return usagef("VECWIRE_EMBED_DIM is %q: want a number", v)
			}
			s.EmbedDim = n
		}
	}
	s.named = s.Collection != ""
	if !s.named {
		s.Collection = defaultCollection
	}
	return nil
}

// read reads a configuration file. Only one that was named must be there.
func (s *settings) read(name string) error {
	named := true
	if name == "" {
		name = os.Getenv("VECWIRE_CONFIG")
	}
	if name == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil // no home, no file
		}
		name, named = filepath.Join(dir, "vecwire", "config.json"), false
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(s)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("there is more after the object, want one")
	}
	if err == nil {
		if twice := codec.KeyTwice(text, true); twice != nil {
			err = fmt.Errorf("the key %q is there twice, want it once", twice[len(twice)-1])
		}
	}
	if err != nil {
		return fmt.Errorf("configuration %s: %w; the keys are db, collection, embedder, embed-url, embed-model and embed-dim", name, err)
	}
	return nil
}
