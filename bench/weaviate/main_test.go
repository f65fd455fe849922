package main

import (
	"testing"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/codec"
)

func TestEngine(t *testing.T) {
	const rows, queries = 2000, 50
	set, err := dataset.Generated(t.TempDir(), rows)
	must(t, err)
	base, err := dataset.Load(set.Base, rows)
	must(t, err)
	asked, err := dataset.Load(set.Queries, queries)
	must(t, err)

	e := new(engine)
	must(t, e.Load(t.Context(), contest.Build{Metric: "l2", Threads: 2}, base))
	must(t, e.Build(t.Context()))
	searcher, err := e.Searcher("")
	must(t, err)
	recall := func(ef int) float64 {
		var answers [][]int32
		for i := range queries {
			must(t, searcher.Search(t.Context(), asked.Row(i), 10, ef))
			answer, err := searcher.Answer(nil)
			must(t, err)
			answers = append(answers, answer)
		}
		truth, err := dataset.NewTruth(base, asked, codec.L2, 10)
		must(t, err)
		r, err := truth.Recall(0, answers)
		must(t, err)
		return r
	}
	if few, many := recall(10), recall(400); few >= many || many < 0.99 {
		t.Errorf("recall %v at ef 10, %v at ef 400", few, many)
	}
	must(t, e.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
