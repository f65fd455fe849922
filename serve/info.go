package serve

import (
	"encoding/json"
	"net/http"

	"github.com/vecwire/vecwire"
)

func serveHealth(c *call) error { return c.json(http.StatusOK, []byte(`{"status":"ok"}`)) }

// serveReady asks the database for its collections: the cheapest question that
// reaches a server.
func serveReady(c *call) error {
	if isEnding(c.ctx) {
		return newProblem(http.StatusServiceUnavailable, "unavailable", "the server is about to end")
	}
	if _, err := c.db.Collections(c.ctx); err != nil {
		p := newProblem(http.StatusServiceUnavailable, "unavailable", "the database does not answer")
		p.cause = err
		return p
	}
	return c.json(http.StatusOK, []byte(`{"status":"ready"}`))
}

// serveServer says what a client can go by: the page asks it first.
func serveServer(c *call) error {
	caps, l := c.db.Capabilities(), c.o.Limits
	type embedder struct {
		Model string `json:"model"`
		Dim   int    `json:"dim"`
	}
	out := struct {
		Version      string         `json:"version"`
		Engine       string         `json:"engine"`
		Capabilities map[string]any `json:"capabilities"`
		Limits       map[string]any `json:"limits"`
		Embedders    []embedder     `json:"embedders"`
		Token        string         `json:"token"`
		Scope        string         `json:"scope"`
	}{
		Version: c.o.Version, Engine: caps.Engine, Embedders: []embedder{}, Token: c.who.Name, Scope: c.who.Scope.String(),
		Capabilities: map[string]any{
			"l2": caps.L2, "doubles": caps.Doubles, "max_id_bytes": caps.MaxIDBytes, "max_dim": caps.MaxDim, "indexes": caps.Indexes,
			"effort": caps.Effort, "full_text": caps.FullText, "compressed_indexes": caps.CompressedIndexes,
			"partial_indexes": caps.PartialIndexes, "prefix_indexes": caps.PrefixIndexes, "index_methods": caps.IndexMethods, "auto_index": caps.AutoIndex, "codes": caps.Codes, "atomic_batches": caps.AtomicBatches,
			"update": caps.Update, "update_if": caps.UpdateIf, "facets": caps.Facets,
		},
		Limits: map[string]any{
			"body_bytes": l.Body, "bulk_bytes": l.Bulk, "line_bytes": l.Line, "k": l.K, "queries": l.Queries, "ids": l.IDs,
			"filter_depth": l.FilterDepth, "filter_values": l.FilterValues, "sample": l.Sample, "time_ms": l.Time.Milliseconds(),
		},
	}
	for _, e := range c.o.Embedders {
		out.Embedders = append(out.Embedders, embedder{e.Model(), e.Dim()})
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, body)
}

// indexEntry is an index as answers have it.
type indexEntry struct {
	Name           string `json:"name"`
	Kind           string `json:"kind"`
	Valid          bool   `json:"valid"`
	Bytes          int64  `json:"bytes"`
	M              int    `json:"m"`
	EfConstruction int    `json:"ef_construction"`
	Compress       string `json:"compress"`
	Dims           int    `json:"dims"`
	Where          string `json:"where"`
}

func indexEntries(infos []vecwire.IndexInfo) []indexEntry {
	out := make([]indexEntry, len(infos))
	for i, x := range infos {
		out[i] = indexEntry{x.Name, x.Kind, x.Valid, x.Bytes, x.M, x.EfConstruction, x.Compress.String(), x.Dims, x.Where}
	}
	return out
}
