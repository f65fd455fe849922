package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func ExampleScan_Token() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	heaviest := vecwire.Scan{OrderBy: "grams", Desc: true, Limit: 2}
	for page := 1; page <= 2; page++ {
		for r, err := range c.All(ctx, heaviest) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(page, r.ID, r.Fields["grams"])
			heaviest.After = heaviest.Token(r)
		}
	}
	// Output:
	// 1 melon 2000
	// 1 cherry 8
	// 2 lemon <nil>
}

func ExampleCollection_Facet() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	counts, err := c.Facet(ctx, "tree", vecwire.FacetOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range counts {
		fmt.Println(n.Value, n.Count)
	}
	// Output:
	// true 2
	// false 1
}

func ExampleCollection_Range() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(c.Range(ctx, "grams", filter.Eq("tree", true)))
	fmt.Println(c.Range(ctx, "grams", filter.Filter{}))
	// Output:
	// 8 8 <nil>
	// 8 2000 <nil>
}
