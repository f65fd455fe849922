package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
	"github.com/vecwire/vecwire/transfer/parquet"
)

func Example() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fruit, err := db.CreateCollection(ctx, vecwire.Schema{Name: "fruit", Dim: 2, Fields: []vecwire.Field{{Name: "colours", Type: vecwire.Strings}}})
	if err != nil {
		log.Fatal(err)
	}
	err = fruit.Upsert(ctx, vecwire.Record{ID: "cherry", Vector: []float32{0.9, 0.8}, Fields: vecwire.Fields{"colours": []string{"red", "black"}}})
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer // or an *os.File
	if _, err := parquet.Write(ctx, &file, fruit, transfer.Options{Names: &transfer.Names{ID: "doc_id", Vector: "embedding"}}); err != nil {
		log.Fatal(err)
	}
	names := transfer.Names{ID: "doc_id", Vector: "embedding"}
	for r, err := range parquet.Read(bytes.NewReader(file.Bytes()), int64(file.Len()), fruit.Schema(), names) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Vector, r.Fields)
	}
	// Output: cherry [0.9 0.8] map[colours:[red black]]
}
