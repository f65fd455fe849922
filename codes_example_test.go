package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
)

// Short codes take half of the memory of those that searches compare by default; scores are
// those of the vectors all the same.
func ExampleCodes() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 384, Codes: vecwire.FourBits})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Schema().Codes)

	whole := vecwire.SevenBits // there is memory enough by now
	if err := db.AlterCollection(ctx, "docs", vecwire.Alter{Codes: &whole}); err != nil {
		log.Fatal(err)
	}
	docs, err = db.OpenCollection(ctx, "docs")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Schema().Codes)
	// Output:
	// 4-bit
	// 7-bit
}
