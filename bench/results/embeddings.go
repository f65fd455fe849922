package results

import "gonum.org/v1/plot/plotter"

// The names of our searches in the plot of embeddings, through the whole API.
const (
	OursGraphAPI = "vecwire, graph"
	OursScanAPI  = "vecwire, scan"
)

// A Series is how good the answers of an engine are, by its settings.
type Series struct {
	Name   string
	Recall []float64
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
		if err := line(p, s.Name, points, s.Name == OursGraphAPI || s.Name == OursScanAPI); err != nil {
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
