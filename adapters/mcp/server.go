package mcp

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
)

// DefaultTokens is the default of [Options.Tokens].
const DefaultTokens = 2000

// MaxK is how many records an answer may have.
const MaxK = 50

// Options says what assistants may do. The zero value lets them read all collections,
// and search those that have full text by their words.
type Options struct {
	// Collection is the only one that may be reached. The tools then have no parameter
	// for it. Defaults to "": all, and the assistant says which.
	Collection string
	// Write adds the tools that store and delete.
	Write bool
	// Embedder turns questions and stored texts into vectors. In collections that
	// another model has filled, questions are answered by words, which the answer says.
	Embedder vecwire.Embedder
	// Tokens is how long an answer may be, by estimate. Defaults to [DefaultTokens].
	Tokens int
	// Version is told to clients as the server's version. Defaults to "dev".
	Version string
}

// NewServer returns a server with the tools and resources of [AddTools].
func NewServer(db *vecwire.DB, o Options) *sdk.Server {
	version := o.Version
	if version == "" {
		version = "dev"
	}
	s := sdk.NewServer(&sdk.Implementation{Name: "vecwire", Title: "vecwire", Version: version}, &sdk.ServerOptions{
		Instructions: "Searches a store of texts by meaning, words and filters. Search first; get reads records whole, by the IDs of hits.",
		Capabilities: &sdk.ServerCapabilities{},
	})
	AddTools(s, db, o)
	return s
}

// AddTools adds the tools and resources of a database to a server that may have others.
// The names of the tools are search, get and list, and with [Options.Write] store and
// delete.
func AddTools(s *sdk.Server, db *vecwire.DB, o Options) {
	if o.Tokens <= 0 {
		o.Tokens = DefaultTokens
	}
	t := &tools{db: db, Options: o}
	t.addSearch(s)
	t.addGet(s)
	t.addList(s)
	if o.Write {
		t.addStore(s)
		t.addDelete(s)
	}
	t.addResources(s)
}

type tools struct {
	Options
	db *vecwire.DB
}

// open opens the collection that a call is about. It is opened for each call, since a
// model may be changed, or a collection dropped, while the server runs.
func (t *tools) open(ctx context.Context, name string) (*vecwire.Collection, error) {
	if t.Collection != "" {
		if name != "" && name != t.Collection {
			return nil, fmt.Errorf("collection %q: want %q, the only one that may be reached", name, t.Collection)
		}
		name = t.Collection
	}
	c, err := t.db.OpenCollection(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("collection %q: %w; the tool list names those that there are", name, err)
	}
	return c, nil
}

// schemas are those of the collections that may be reached.
func (t *tools) schemas(ctx context.Context) ([]vecwire.Schema, error) {
	all, err := t.db.Collections(ctx)
	if err != nil || t.Collection == "" {
		return all, err
	}
	return slices.DeleteFunc(all, func(s vecwire.Schema) bool { return s.Name != t.Collection }), nil
}
