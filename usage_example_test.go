package vecwire_test

import (
	"context"
	"fmt"
	"log"
)

func ExampleCollection_Usage() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	u, err := c.Usage(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range u.Parts {
		fmt.Println(p.Name, p.Memory > 0)
	}
	fmt.Println(u.Mapped, u.Server)
	// Output:
	// vectors true
	// codes false
	// links false
	// ids true
	// fields false
	// 0 0
}
