package vecwire_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func ExampleCollection_DeleteExpired() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	sessions, err := db.CreateCollection(ctx, vecwire.Schema{Name: "sessions", Dim: 2, Fields: []vecwire.Field{
		{Name: "until", Type: vecwire.Time, Expires: true},
	}})
	if err != nil {
		log.Fatal(err)
	}
	err = sessions.Upsert(ctx,
		vecwire.Record{ID: "over", Vector: []float32{1, 0}, Fields: vecwire.Fields{"until": time.Now().Add(-time.Minute)}},
		vecwire.Record{ID: "open", Vector: []float32{0, 1}, Fields: vecwire.Fields{"until": time.Now().Add(time.Hour)}},
		vecwire.Record{ID: "kept", Vector: []float32{1, 1}},
	)
	if err != nil {
		log.Fatal(err)
	}
	n, err := sessions.Count(ctx, filter.Filter{})
	fmt.Println(n, "are there", err)
	n, err = sessions.DeleteExpired(ctx)
	fmt.Println(n, "was removed", err)
	// Output:
	// 2 are there <nil>
	// 1 was removed <nil>
}
