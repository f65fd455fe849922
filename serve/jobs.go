package serve

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func buildIndex(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	where := get[filter.Filter](v, "where")
	if err := c.bounded("/where", where); err != nil {
		return err
	}
	o := vecwire.IndexOptions{
		M: int(get[int64](v, "m")), EfConstruction: int(get[int64](v, "ef_construction")),
		Where: where, Dims: int(get[int64](v, "dims")), Method: vecwire.IndexMethod(get[string](v, "method")),
	}
	for _, way := range []vecwire.Compress{vecwire.HalfPrecision, vecwire.Bits} {
		if way.String() == get[string](v, "compress") {
			o.Compress = way
		}
	}
	return c.on(func(h *handle) error {
		if err := h.c.BuildIndex(c.ctx, o); err != nil {
			return err
		}
		infos, err := h.c.Indexes(c.ctx)
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string]any{"indexes": indexEntries(infos)})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}

// inIndex places the names of an index's options.
func inIndex(name string) string {
	switch name {
	case "M":
		return "/m"
	case "EfConstruction":
		return "/ef_construction"
	case "Compress":
		return "/compress"
	case "Dims":
		return "/dims"
	case "Method":
		return "/method"
	}
	return "/where" // a field of its filter
}

func dropIndex(c *call) error {
	return c.on(func(h *handle) error {
		if err := h.c.DropIndex(c.ctx, c.r.PathValue("index")); err != nil {
			return err
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// measureRecall measures each effort with the same queries.
func measureRecall(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.filterOf(v)
	if err != nil {
		return err
	}
	efforts := get[[]any](v, "efforts")
	if efforts == nil {
		efforts = []any{int64(0)}
	}
	type latency struct {
		P50 float64 `json:"p50_ms"`
		P95 float64 `json:"p95_ms"`
		P99 float64 `json:"p99_ms"`
	}
	type report struct {
		Effort      int64   `json:"effort"`
		Queries     int     `json:"queries"`
		Mean        float64 `json:"mean"`
		Min         float64 `json:"min"`
		Approximate int     `json:"approximate"`
		Index       latency `json:"index"`
		Exact       latency `json:"exact"`
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	inMS := func(l vecwire.Latency) latency { return latency{ms(l.P50), ms(l.P95), ms(l.P99)} }
	return c.on(func(h *handle) error {
		reports := []report{}
		for _, e := range efforts {
			effort, _ := e.(int64)
			r, err := h.c.Recall(c.ctx, vecwire.RecallOptions{
				K: int(get[int64](v, "k")), Sample: int(get[int64](v, "sample")), Filter: f, Effort: int(effort), Seed: 1,
			})
			if err != nil {
				return err
			}
			reports = append(reports, report{effort, r.Queries, r.Mean, r.Min, r.Approximate, inMS(r.Index), inMS(r.Exact)})
		}
		body, err := json.Marshal(map[string]any{"reports": reports})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}
