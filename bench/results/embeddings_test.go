package results

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAtRecall(t *testing.T) {
	graph := Series{Name: "graph", Recall: []float64{.8, .96, .992}, Worst: []float64{.1, .5, .8}, Speed: []float64{1e6 / 10, 1e6 / 20, 1e6 / 40}}
	scan := Series{Name: "scan", Recall: []float64{1}, Worst: []float64{1}, Speed: []float64{1000}}
	got := AtRecall([]Series{graph, scan}, []float64{.8, .96, .9799, .999}, map[string]int64{"graph": 3000}, 10)
	require.Equal(t, "| µs a query, one thread, CPU time (recall of the worst 1 % of queries) | recall 0.80 | recall 0.96 | recall 0.98 | recall 1.00 | bytes a record |\n"+
		"| --- | --- | --- | --- | --- | --- |\n"+
		"| graph | 10.0 (0.10) | 20.0 (0.50) | 26.9 (0.63) | - | 300 |\n"+
		"| scan | 1000.0 (1.00) | 1000.0 (1.00) | 1000.0 (1.00) | 1000.0 (1.00) | - |\n", got)
}
