package serve

import (
	"encoding/json"
	"net/http"

	"github.com/vecwire/vecwire"
)

const defaultFacets = 100

// inFacet places the names of what is counted.
func inFacet(name string) string {
	if name == "filter" {
		return "/filter"
	}
	return "/field"
}

func countValues(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.filterOf(v)
	if err != nil {
		return err
	}
	limit := int(get[int64](v, "limit"))
	if limit == 0 {
		limit = defaultFacets
	}
	type value struct {
		Value any `json:"value"`
		Count int `json:"count"`
	}
	return c.on(func(h *handle) error {
		counts, err := h.c.Facet(c.ctx, get[string](v, "field"), vecwire.FacetOptions{Filter: f, Limit: limit})
		if err != nil {
			return err
		}
		out := make([]value, len(counts))
		for i, one := range counts {
			out[i] = value(one)
		}
		body, err := json.Marshal(map[string]any{"values": out})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}
