package serve

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
)

const (
	defaultSample = 1000
	labelBytes    = 120 // of a point's text
)

// point is a record on the plane.
type point struct {
	ID    string  `json:"id"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Color string  `json:"color,omitempty"`
	Text  string  `json:"text,omitempty"`
}

// serveMap draws records at random, the same ones as long as the collection is the
// same, and shows their vectors on a plane.
func serveMap(c *call) error {
	f, err := c.filterOf(c.query)
	if err != nil {
		return err
	}
	sample, color := int(get[int64](c.query, "sample")), get[string](c.query, "color")
	if sample == 0 {
		sample = min(defaultSample, c.o.Limits.Sample)
	}
	return c.on(func(h *handle) error {
		if color != "" && !hasField(h.schema, color) {
			return invalidParameter("color", "a field of the collection", describe([]byte(color)))
		}
		ids, n, err := c.draw(h, vecwire.Scan{Filter: f}, sample)
		if err != nil {
			return err
		}
		records, err := h.c.Get(c.ctx, ids...)
		if err != nil {
			return err
		}
		points := make([]point, len(records))
		vectors := make([][]float64, len(records))
		for i, r := range records {
			vectors[i] = r.Vector64
			if r.Vector64 == nil {
				vectors[i] = make([]float64, len(r.Vector))
				for j, x := range r.Vector {
					vectors[i][j] = float64(x)
				}
			}
			points[i] = point{ID: r.ID, Text: label(r.Text)}
			if v := r.Fields[color]; v != nil {
				points[i].Color = colorOf(v)
			}
		}
		axes, explained := principal(vectors)
		for i := range points {
			points[i].X, points[i].Y = axes[i][0], axes[i][1]
		}
		body, err := json.Marshal(map[string]any{"points": points, "explained": explained, "records": n})
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}

func hasField(s vecwire.Schema, name string) bool {
	for _, f := range s.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// label is the beginning of a text.
func label(text string) string {
	if len(text) <= labelBytes {
		return text
	}
	return strings.ToValidUTF8(text[:labelBytes], "") + "…"
}

func colorOf(v any) string {
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339)
	}
	return label(fmt.Sprint(v))
}

// draw returns the IDs of a sample of the records, and how many there are: each is
// drawn with the same chance (reservoir sampling).
func (c *call) draw(h *handle, s vecwire.Scan, sample int) (ids []string, n int, err error) {
	rng := rand.New(rand.NewPCG(1, 2))
	for r, err := range h.c.All(c.ctx, s) {
		if err != nil {
			return nil, n, err
		}
		n++
		if len(ids) < sample {
			ids = append(ids, r.ID)
		} else if at := rng.IntN(n); at < sample {
			ids[at] = r.ID
		}
	}
	return ids, n, nil
}

// principal returns where vectors lie along the two directions in which they differ
// most, and which part of their variance each direction has. The directions are
// found by orthogonal iteration, which needs no matrix of all pairs of dimensions.
func principal(vectors [][]float64) (axes [][2]float64, explained [2]float64) {
	axes = make([][2]float64, len(vectors))
	if len(vectors) == 0 {
		return axes, explained
	}
	dim := len(vectors[0])
	mean := make([]float64, dim)
	for _, v := range vectors {
		for j, x := range v {
			mean[j] += x / float64(len(vectors))
		}
	}
	total := 0.0
	for _, v := range vectors {
		for j := range v {
			v[j] -= mean[j]
			total += v[j] * v[j]
		}
	}
	if total == 0 || math.IsInf(total, 0) {
		return axes, explained
	}
	const rounds = 40 // more move no point that can be seen
	rng := rand.New(rand.NewPCG(3, 4))
	var directions [2][]float64
	for i := range directions {
		directions[i] = make([]float64, dim)
		for j := range directions[i] {
			directions[i][j] = rng.NormFloat64()
		}
	}
	for range rounds {
		most := 0.0 // what the first direction has
		for i, d := range directions {
			next := make([]float64, dim)
			for _, v := range vectors {
				along := inner(v, d)
				for j, x := range v {
					next[j] += along * x
				}
			}
			if i == 1 {
				along := inner(next, directions[0])
				for j := range next {
					next[j] -= along * directions[0][j]
				}
			}
			length := math.Sqrt(inner(next, next))
			for j := range next {
				if length > 1e-12*most { // less is what rounding has left
					next[j] /= length
				} else {
					next[j] = 0
				}
			}
			directions[i], most = next, length
		}
	}
	for i, v := range vectors {
		for k, d := range directions {
			axes[i][k] = inner(v, d)
			explained[k] += axes[i][k] * axes[i][k] / total
		}
	}
	return axes, explained
}

func inner(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
