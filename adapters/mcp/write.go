package mcp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
)

type storeIn struct {
	Collection string         `json:"collection" jsonschema:"name of the collection, as list shows it"`
	Text       string         `json:"text" jsonschema:"the text to keep, one thought or passage"`
	ID         string         `json:"id,omitempty" jsonschema:"ID of the record; one that exists is replaced; default made from the text"`
	Fields     map[string]any `json:"fields,omitempty" jsonschema:"values of the collection's fields, which list names; times as RFC 3339"`
}

func (t *tools) addStore(s *sdk.Server) {
	addTool(t, s, &sdk.Tool{
		Name:        "store",
		Description: "Keep a text, so that search finds it. Answers with its ID.",
		Annotations: writes("Store"),
	}, t.store)
}

func (t *tools) store(ctx context.Context, in storeIn) (string, error) {
	if in.Text == "" {
		return "", errors.New("text: want a text, got an empty one")
	}
	c, err := t.open(ctx, in.Collection)
	if err != nil {
		return "", err
	}
	if t.Embedder == nil {
		return "", errors.New("nothing can be stored: this server has no model")
	}
	if c, err = c.WithEmbedder(t.Embedder); err != nil {
		return "", err
	}
	if in.ID == "" {
		in.ID = fmt.Sprintf("%x", sha256.Sum256([]byte(in.Text)))[:16]
	}
	if err := keepsVectors(ctx, c, in.ID); err != nil {
		return "", err
	}
	if err := c.Upsert(ctx, vecwire.Record{ID: in.ID, Text: in.Text, Fields: in.Fields}); err != nil {
		return "", err
	}
	return fmt.Sprintf("Stored id=%q.", in.ID), nil
}

// keepsVectors refuses to replace a record that has vectors beside its own, which are not
// those of the new text, and which nobody here can make.
func keepsVectors(ctx context.Context, c *vecwire.Collection, id string) error {
	if len(c.Schema().Vectors) == 0 {
		return nil
	}
	there, err := c.Get(ctx, id)
	if err != nil || len(there) == 0 || len(there[0].Vectors) == 0 {
		return err
	}
	names := slices.Sorted(maps.Keys(there[0].Vectors))
	return fmt.Errorf("id: the record %q has vectors that this server cannot make (%s) and that would be lost: store the text under another ID, or delete the record first", id, strings.Join(names, ", "))
}

type deleteIn struct {
	Collection string   `json:"collection" jsonschema:"name of the collection, as list shows it"`
	IDs        []string `json:"ids" jsonschema:"IDs of the records to delete, 1 to 50"`
}

func (t *tools) addDelete(s *sdk.Server) {
	addTool(t, s, &sdk.Tool{
		Name:        "delete",
		Description: "Delete records by their IDs, for good.",
		Annotations: writes("Delete"),
	}, t.delete)
}

func (t *tools) delete(ctx context.Context, in deleteIn) (string, error) {
	if len(in.IDs) == 0 || len(in.IDs) > MaxK {
		return "", fmt.Errorf("ids: want 1 to %d, got %d", MaxK, len(in.IDs))
	}
	c, err := t.open(ctx, in.Collection)
	if err != nil {
		return "", err
	}
	n, err := c.Delete(ctx, in.IDs...)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Deleted %d of %d.", n, len(in.IDs)), nil
}
