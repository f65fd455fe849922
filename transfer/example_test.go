package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// fruit opens a database in memory with two records.
func fruit(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name:   "fruit",
		Dim:    3,
		Fields: []vecwire.Field{{Name: "tree", Type: vecwire.Bool}, {Name: "grams", Type: vecwire.Int}},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Upsert(ctx,
		vecwire.Record{ID: "cherry", Vector: []float32{0.9, 0.8, 0.1}, Text: "small and red", Fields: vecwire.Fields{"tree": true, "grams": 8}},
		vecwire.Record{ID: "lemon", Vector: []float32{0.1, 0.1, 0.3}, Text: "sour", Fields: vecwire.Fields{"tree": true}},
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, c
}

func ExampleWriteJSONL() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	if err := transfer.WriteSchema(os.Stdout, c.Schema()); err != nil {
		log.Fatal(err)
	}
	if _, err := transfer.WriteJSONL(ctx, os.Stdout, c, transfer.Options{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"vecwire":1,"schema":{"name":"fruit","dim":3,"element":"FLOAT","metric":"cosine","fields":[{"name":"tree","type":"Bool"},{"name":"grams","type":"Int"}]}}
	// {"id":"cherry","vector":[0.9,0.8,0.1],"text":"small and red","fields":{"tree":true,"grams":8}}
	// {"id":"lemon","vector":[0.1,0.1,0.3],"text":"sour","fields":{"tree":true}}
}

func ExampleReadJSONL() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	file := strings.NewReader(`{"id":"melon","vector":[0.3,0.7,0.9],"fields":{"grams":2000}}
{"id":"fig","vector":[0.3,0.9,0.2],"fields":{"grams":"50"}}
{"id":"plum","vector":[0.4,0.7]}
`)
	report, err := c.Ingest(ctx, transfer.ReadJSONL(file, c.Schema()), vecwire.IngestOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Inserted)
	for _, failed := range report.Failures {
		fmt.Println(&failed)
	}
	// Output:
	// 1
	// record 1 (id "fig"): line 2: grams is String "50", want Int
	// record 2 (id "plum"): vector has 2 dimensions, want 3
}

// A file with its schema makes the collection too.
func ExampleReadSchema() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	var file bytes.Buffer
	if err := transfer.WriteSchema(&file, c.Schema()); err != nil {
		log.Fatal(err)
	}
	if _, err := transfer.WriteJSONL(ctx, &file, c, transfer.Options{}); err != nil {
		log.Fatal(err)
	}

	in := bufio.NewReader(&file)
	schema, err := transfer.ReadSchema(in)
	if err != nil {
		log.Fatal(err)
	}
	schema.Name = "again"
	again, err := db.CreateCollection(ctx, schema)
	if err != nil {
		log.Fatal(err)
	}
	report, err := again.Ingest(ctx, transfer.ReadJSONL(in, schema), vecwire.IngestOptions{})
	fmt.Println(report.Inserted, err)
	// Output: 2 <nil>
}

func ExampleWriteNPY() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	var vectors, payload bytes.Buffer // or files
	if _, err := transfer.WriteNPY(ctx, &vectors, &payload, c, transfer.Options{}); err != nil {
		log.Fatal(err)
	}
	fmt.Print(payload.String())
	for r, err := range transfer.ReadNPY(&vectors, &payload, c.Schema()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Vector)
	}
	// Output:
	// {"id":"cherry","text":"small and red","fields":{"tree":true,"grams":8}}
	// {"id":"lemon","text":"sour","fields":{"tree":true}}
	// cherry [0.9 0.8 0.1]
	// lemon [0.1 0.1 0.3]
}

func ExampleCopy() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	other, err := vecwire.Open(ctx, "mem:") // or postgres://…, or iris://…
	if err != nil {
		log.Fatal(err)
	}
	defer other.Close()
	dst, err := other.EnsureCollection(ctx, c.Schema())
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		report, err := transfer.Copy(ctx, dst, c, transfer.CopyOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Inserted, report.Updated, report.Unchanged)
	}
	// Output:
	// 2 0 0
	// 0 0 2
}

func ExampleWriteCSV() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	if _, err := transfer.WriteCSV(ctx, os.Stdout, c, transfer.Options{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// id,vector,text,tree,grams
	// cherry,"[0.9,0.8,0.1]",small and red,true,8
	// lemon,"[0.1,0.1,0.3]",sour,true,
}

func ExampleReadCSV() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	table := "name;embedding;weight\nplum;[0.9, 0.1, 0.3];30\npear;[0.2, 0.7, 0.1];much\n"
	in := transfer.ReadCSV(strings.NewReader(table), c.Schema(), transfer.CSVOptions{
		Comma: ';',
		Names: transfer.Names{ID: "name", Vector: "embedding", Fields: map[string]string{"grams": "weight"}},
	})
	report, err := c.Ingest(ctx, in, vecwire.IngestOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Inserted, report.Failures[0].Err)
	// Output: 1 line 3: column "weight": grams is "much", want Int
}

func ExampleNames() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	names := transfer.Names{ID: "doc_id", Vector: "embedding", Fields: map[string]string{"grams": "meta.grams"}}
	var file bytes.Buffer
	if _, err := transfer.WriteJSONL(ctx, &file, c, transfer.Options{Names: &names}); err != nil {
		log.Fatal(err)
	}
	fmt.Print(file.String())
	for r, err := range names.ReadJSONL(&file, c.Schema()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Vector, r.Text, r.Fields)
	}
	// Output:
	// {"doc_id":"cherry","embedding":[0.9,0.8,0.1],"text":"small and red","tree":true,"meta":{"grams":8}}
	// {"doc_id":"lemon","embedding":[0.1,0.1,0.3],"text":"sour","tree":true}
	// cherry [0.9 0.8 0.1] small and red map[grams:8 tree:true]
	// lemon [0.1 0.1 0.3] sour map[tree:true]
}
