package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
)

// schemaOf makes a schema of a body, which has the shape of one: package transfer
// knows what the names in it mean.
func (c *call) schemaOf(name string, v values) (vecwire.Schema, error) {
	fields := []map[string]any{}
	for _, f := range get[[]any](v, "fields") {
		typ := get[string](f.(values), "type")
		if typ == "" {
			typ = vecwire.String.String()
		}
		field := maps.Clone(f.(values))
		field["type"] = typ
		fields = append(fields, field)
	}
	vectors := []map[string]any{}
	for _, v := range get[[]any](v, "vectors") {
		vector := maps.Clone(v.(values))
		if get[string](vector, "metric") == "" {
			vector["metric"] = vecwire.Cosine.String()
		}
		vectors = append(vectors, vector)
	}
	dim, model := get[int64](v, "dim"), get[string](v, "model")
	if e := c.handles.embedders[model]; e != nil && dim == 0 {
		dim = int64(e.Dim())
	}
	if dim == 0 {
		return vecwire.Schema{}, invalid("/dim", "how many numbers a vector has: no embedder here is of the model", "nothing")
	}
	entry := maps.Clone(v)
	maps.Copy(entry, values{"name": name, "dim": dim, "fields": fields, "vectors": vectors})
	for key, standard := range map[string]string{"element": vecwire.FLOAT.String(), "metric": vecwire.Cosine.String()} {
		if get[string](v, key) == "" {
			entry[key] = standard
		}
	}
	body, err := json.Marshal(entry)
	if err != nil {
		return vecwire.Schema{}, err
	}
	return transfer.ParseSchemaJSON(body)
}

// inSchema places the names of a schema's fields.
func inSchema(string) string { return "/fields" }

func createCollection(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	name := get[string](v, "name")
	if !c.who.sees(name) {
		return newProblem(http.StatusForbidden, "forbidden", "the token is for other collections")
	}
	s, err := c.schemaOf(name, v)
	if err != nil {
		return err
	}
	made, err := c.db.CreateCollection(c.ctx, s)
	if err != nil {
		return err
	}
	body, err := transfer.SchemaJSON(made.Schema())
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, body)
}

func ensureCollection(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	s, err := c.schemaOf(c.r.PathValue("collection"), v)
	if err != nil {
		return err
	}
	ensured, err := c.db.EnsureCollection(c.ctx, s)
	if _, ok := errors.AsType[*vecwire.SchemaError](err); ok {
		if there, openErr := c.db.OpenCollection(c.ctx, s.Name); openErr == nil {
			return differs(there.Schema(), s)
		}
	}
	if err != nil {
		return err
	}
	body, err := transfer.SchemaJSON(ensured.Schema())
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, body)
}

// differs is the problem of a collection whose schema is not the one that is
// wanted. It names the members that differ.
func differs(is, want vecwire.Schema) error {
	p := newProblem(http.StatusConflict, "conflict", "the collection exists with another schema")
	member := func(pointer string, is, want fmt.Stringer) {
		if is.String() != want.String() {
			p.Errors = append(p.Errors, detail{Pointer: pointer, Want: is.String(), Got: want.String()})
		}
	}
	member("/dim", number64(is.Dim), number64(want.Dim))
	member("/element", is.Element, want.Element)
	member("/metric", is.Metric, want.Metric)
	member("/full_text", is.FullText, want.FullText)
	member("/distributed", is.Distributed, want.Distributed)
	member("/max_records", number64(is.MaxRecords), number64(want.MaxRecords))
	member("/model", word(is.Model), word(want.Model))
	member("/extra", word(is.Extra), word(want.Extra))
	if !slices.Equal(is.Vectors, want.Vectors) {
		p.Errors = append(p.Errors, detail{Pointer: "/vectors", Detail: "the named vectors of the collection are others"})
	}
	for i, f := range want.Fields {
		at := slices.IndexFunc(is.Fields, func(there vecwire.Field) bool { return there.Name == f.Name })
		switch {
		case at < 0:
			p.Errors = append(p.Errors, detail{Pointer: fmt.Sprintf("/fields/%d", i), Detail: fmt.Sprintf("field %q is not in the collection", f.Name)})
		case is.Fields[at].Type != f.Type:
			p.Errors = append(p.Errors, detail{Pointer: fmt.Sprintf("/fields/%d/type", i), Want: is.Fields[at].Type.String(), Got: f.Type.String()})
		}
	}
	for _, f := range is.Fields {
		if !slices.ContainsFunc(want.Fields, func(w vecwire.Field) bool { return w.Name == f.Name }) {
			p.Errors = append(p.Errors, detail{Pointer: "/fields", Detail: fmt.Sprintf("field %q of the collection is missing", f.Name)})
		}
	}
	return p
}

type number64 int64

func (n number64) String() string { return fmt.Sprint(int64(n)) }

type word string

func (w word) String() string { return string(w) }

func listCollections(c *call) error {
	schemas, err := c.db.Collections(c.ctx)
	if err != nil {
		return err
	}
	out := []json.RawMessage{}
	for _, s := range schemas {
		if !c.who.sees(s.Name) {
			continue
		}
		body, err := transfer.SchemaJSON(s)
		if err != nil {
			return err
		}
		out = append(out, body)
	}
	body, err := json.Marshal(map[string]any{"collections": out})
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, body)
}

func getCollection(c *call) error {
	return c.on(func(h *handle) error {
		count, err := h.c.Count(c.ctx, filter.Filter{})
		if err != nil {
			return err
		}
		infos := []vecwire.IndexInfo{}
		if c.db.Capabilities().Indexes && c.namespace == "" {
			if infos, err = h.c.Indexes(c.ctx); err != nil {
				return err
			}
		}
		schema, err := transfer.SchemaJSON(h.schema)
		if err != nil {
			return err
		}
		answer := map[string]any{"schema": schema, "count": count, "indexes": indexEntries(infos), "embedder": h.embedded}
		if c.db.Capabilities().Usage && c.namespace == "" {
			u, err := h.c.Usage(c.ctx)
			if err != nil {
				return err
			}
			answer["usage"] = usageEntry(u)
		}
		body, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}

func dropCollection(c *call) error {
	if err := c.db.DropCollection(c.ctx, c.r.PathValue("collection")); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
