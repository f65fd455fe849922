package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// shop opens a database in memory with three things to buy.
func shop(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	things, err := db.CreateCollection(ctx, vecwire.Schema{Name: "things", Dim: 2, Fields: []vecwire.Field{
		{Name: "price", Type: vecwire.Int}, {Name: "version", Type: vecwire.Int}, {Name: "note"}, {Name: "lang", Index: true},
	}})
	if err != nil {
		log.Fatal(err)
	}
	err = things.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "a spade", Fields: vecwire.Fields{"price": 5, "version": 3, "note": "old", "lang": "en"}},
		vecwire.Record{ID: "2", Vector: []float32{0, 1}, Text: "a rake", Fields: vecwire.Fields{"price": 7, "version": 1, "lang": "en"}},
		vecwire.Record{ID: "3", Vector: []float32{1, 1}, Text: "eine Harke", Fields: vecwire.Fields{"price": 6, "version": 1, "lang": "de"}},
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, things
}

func ExampleCollection_Update() {
	ctx := context.Background()
	db, things := shop(ctx)
	defer db.Close()

	// Only what is named changes, and only if nobody else was faster.
	cheaper := vecwire.Change{
		ID: "1", Set: vecwire.Fields{"price": 4, "version": 4}, Unset: []string{"note"},
		If: filter.Eq("version", 3),
	}
	fmt.Println(things.Update(ctx, cheaper))
	err := things.Update(ctx, cheaper, vecwire.Change{ID: "9", Text: "a hoe"})
	fmt.Println(errors.Is(err, vecwire.ErrConflict), errors.Is(err, vecwire.ErrNotFound))
	fmt.Println(err)
	found, err := things.Get(ctx, "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].Text, found[0].Vector, found[0].Fields)
	// Output:
	// <nil>
	// true true
	// vecwire: update things: 2 of 2 records refused, none stored: record 0 (id "1"): the record does not pass the condition; record 1 (id "9"): not found
	// a spade [1 0] map[lang:en price:4 version:4]
}

func ExampleCollection_UpdateWhere() {
	ctx := context.Background()
	db, things := shop(ctx)
	defer db.Close()

	n, err := things.UpdateWhere(ctx, filter.Eq("lang", "en"), vecwire.Fields{"lang": "en-GB", "note": nil})
	fmt.Println(n, err)
	n, err = things.Count(ctx, filter.And(filter.Eq("lang", "en-GB"), filter.IsNull("note")))
	fmt.Println(n, err)
	// Output:
	// 2 <nil>
	// 2 <nil>
}

func ExampleDB_AlterCollection() {
	ctx := context.Background()
	db, things := shop(ctx)
	defer db.Close()

	err := db.AlterCollection(ctx, "things", vecwire.Alter{
		AddFields:    []vecwire.Field{{Name: "tax", Type: vecwire.Float}},
		DropFields:   []string{"note"},
		RenameFields: map[string]string{"lang": "language"},
		Indexed:      map[string]bool{"price": true},
		FullText:     new(vecwire.English),
		Rename:       "tools",
	})
	fmt.Println(err)
	// What was open goes on.
	fmt.Println(things.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"tax": 0.2}}))
	found, err := things.Search(ctx, vecwire.Query{Text: "rakes", Fusion: &vecwire.Fusion{TextOnly: true}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(things.Schema().Name, found[0].Text, found[0].Fields)
	// Output:
	// <nil>
	// <nil>
	// tools a rake map[language:en price:7 version:1]
}
