package transfer_test

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// A format of one's own writes what Each gives it, under the names that Columns returns.
func ExampleOptions_Each() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "lang"}}})
	if err != nil {
		panic(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"lang": "en"}}); err != nil {
		panic(err)
	}
	id, vector, _, fields, _, err := transfer.Names{Fields: map[string]string{"lang": "language"}}.Columns(docs.Schema())
	if err != nil {
		panic(err)
	}
	fmt.Println(id, vector, fields)
	n, err := transfer.Options{}.Each(ctx, docs, func(r vecwire.Record) (int, error) {
		return fmt.Println(r.ID, r.Vector, r.Fields["lang"])
	}, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(n, "record")
	// Output:
	// id vector [language]
	// 1 [1 2] en
	// 1 record
}
