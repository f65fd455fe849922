package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
)

func ExampleCollection_BuildIndex() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	err := c.BuildIndex(ctx, vecwire.IndexOptions{M: 16, Progress: func(p vecwire.Progress) {
		log.Println(p.Phase, p.Done, p.Total) // for a progress bar
	}})
	fmt.Println(err)
	err = c.BuildIndex(ctx, vecwire.IndexOptions{M: 1})
	var value *vecwire.ValueError
	fmt.Println(errors.As(err, &value), value.Field)
	// Output:
	// <nil>
	// true M
}

func ExampleCollection_Indexes() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	if err := c.BuildIndex(ctx, vecwire.IndexOptions{}); err != nil {
		log.Fatal(err)
	}

	indexes, err := c.Indexes(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range indexes {
		fmt.Println(x.Kind, x.M, x.EfConstruction, x.Valid)
	}
	// Output: hnsw 16 200 true
}

func ExampleCollection_DropIndex() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	if err := c.BuildIndex(ctx, vecwire.IndexOptions{}); err != nil {
		log.Fatal(err)
	}

	indexes, err := c.Indexes(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.DropIndex(ctx, indexes[0].Name))
	fmt.Println(errors.Is(c.DropIndex(ctx, indexes[0].Name), vecwire.ErrNotFound))
	// Output:
	// <nil>
	// true
}

func ExampleCollection_Recall() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	report, err := c.Recall(ctx, vecwire.RecallOptions{K: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Queries, report.Mean, report.Approximate)
	for _, g := range report.Groups { // none: so few records are found without an index
		fmt.Println(g.Mean, g.Share, g.ID)
	}
	report, err = c.Recall(ctx, vecwire.RecallOptions{K: 2, IDs: []string{"lemon"}}) // what was written last
	fmt.Println(report.Queries, report.Min, err)
	// Output:
	// 3 1 0
	// 1 1 <nil>
}

// A small collection needs no index, and Tune says so. For a large one it returns the
// smallest effort that reaches the recall, which searches use from then on.
func ExampleCollection_Tune() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	report, err := c.Tune(ctx, vecwire.TuneOptions{Recall: 0.99, Measure: vecwire.RecallOptions{Sample: 200}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range report.Tried {
		fmt.Println(step.Effort, step.Recall, step.Index.P95)
	}
	fmt.Println(report.Effort, report.Recall)
	// Output: vecwire: tune fruit: no answer came through an index: there is none, see BuildIndex, or so few records that looking at all is faster
}
