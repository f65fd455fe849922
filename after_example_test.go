package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
)

func ExampleQuery_Token() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	q := vecwire.Query{Vector: []float32{1, 0, 0}, K: 2, Exact: true}
	for page := 1; ; page++ {
		hits, err := c.Search(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, h := range hits {
			fmt.Println(page, h.ID)
		}
		if len(hits) < q.K {
			break
		}
		q.After = q.Token(hits[len(hits)-1])
	}
	// Output:
	// 1 cherry
	// 1 lemon
	// 2 melon
}
