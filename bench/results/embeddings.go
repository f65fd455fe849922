package results

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/plotter"
)

// The names of our searches in the plot of embeddings, through the whole API.
const (
	OursGraphAPI = "vecwire, graph"
	OursScanAPI  = "vecwire, scan"
	OursGraph4   = "vecwire, graph, 4-bit codes"
	OursScan4    = "vecwire, scan, 4-bit codes"
)

// A Series is how good the answers of an engine are, by its settings.
type Series struct {
	Name   string
	Recall []float64
	Worst  []float64 // the recall of the worst 1 % of queries
	Speed  []float64 // queries a second
}

// DrawRecall writes a plot of recall against queries a second.
func DrawRecall(path, title string, all []Series) error {
	p := newPlot(title, "recall at 10", "queries a second, one at a time")
	var names []string
	var ends plotter.XYs
	var recall, speed span
	for _, s := range all {
		points := make(plotter.XYs, len(s.Recall))
		for i := range points {
			points[i] = plotter.XY{X: s.Recall[i], Y: s.Speed[i]}
			recall.add(s.Recall[i])
			speed.add(s.Speed[i])
		}
		if err := line(p, s.Name, points, strings.HasPrefix(s.Name, OursGraphAPI) || strings.HasPrefix(s.Name, OursScanAPI)); err != nil {
			return err
		}
		names, ends = append(names, s.Name), append(ends, points[len(points)-1])
	}
	logarithmic(&p.Y, speed.least, speed.most)
	p.X.Min, p.X.Max = recall.least, recall.most+0.3*(recall.most-recall.least) // room for the names
	p.X.Tick.Marker = nines{}
	if err := labels(p, names, ends); err != nil {
		return err
	}
	return save(p, path)
}

// AtRecall returns a table of the time that each series takes at some recalls, between
// the two nearest of its settings, of the recall that the worst 1 % of queries have there,
// and of the memory that a record takes.
func AtRecall(all []Series, recalls []float64, memory map[string]int64, rows int) string {
	head := []string{"µs a query, one thread, CPU time (recall of the worst 1 % of queries)"}
	for _, r := range recalls {
		head = append(head, fmt.Sprintf("recall %.2f", r))
	}
	t := newTable(append(head, "bytes a record")...)
	for _, s := range all {
		cells := []string{s.Name}
		for _, r := range recalls {
			cells = append(cells, s.at(r))
		}
		bytes := "-"
		if b := memory[s.Name]; b > 0 {
			bytes = fmt.Sprint(b / int64(rows))
		}
		t.row(append(cells, bytes)...)
	}
	return t.String()
}

// at returns the time at a recall, in microseconds, along a straight line of its logarithm
// over that of what is missed, and the recall of the worst queries, along one between the
// same settings.
func (s Series) at(recall float64) string {
	best, worst := math.Inf(1), 0.0
	take := func(micros, w float64) {
		if micros < best {
			best, worst = micros, w
		}
	}
	for i, speed := range s.Speed {
		if s.Recall[i] >= recall {
			take(1e6/speed, s.Worst[i])
		}
		if i == 0 || s.Recall[i-1] >= recall || s.Recall[i] < recall {
			continue
		}
		miss := func(r float64) float64 { return math.Log(max(1-r, 1e-4)) }
		part := (miss(recall) - miss(s.Recall[i-1])) / (miss(s.Recall[i]) - miss(s.Recall[i-1]))
		take(1e6/math.Exp((1-part)*math.Log(s.Speed[i-1])+part*math.Log(speed)), (1-part)*s.Worst[i-1]+part*s.Worst[i])
	}
	if math.IsInf(best, 1) {
		return "-"
	}
	return fmt.Sprintf("%.1f (%.2f)", best, worst)
}
