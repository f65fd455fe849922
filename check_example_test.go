package vecwire_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func ExampleDB_Check() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	if err != nil {
		panic(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2}}); err != nil {
		panic(err)
	}
	report, err := db.Check(ctx)
	if err != nil {
		panic(err)
	}
	for _, p := range report.Problems {
		fmt.Println(p.Collection, p.ID, p.What)
	}
	for _, c := range report.Collections {
		fmt.Println(c.Name, c.Records)
	}
	fmt.Println(report.Total, "problems")
	// Output:
	// docs 1
	// 0 problems
}

func ExampleDB_Compact() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "vecwire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vectors.db")
	db, err := vecwire.Open(ctx, path)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "old", Type: vecwire.Bool}}})
	if err != nil {
		panic(err)
	}
	records := make([]vecwire.Record, 5000)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i)}, Text: "some words", Fields: vecwire.Fields{"old": i > 0}}
	}
	if err := docs.Upsert(ctx, records...); err != nil {
		panic(err)
	}
	if err := db.Compact(ctx); err != nil { // all of it is in the file then, and not in the log
		panic(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	if _, err := docs.DeleteWhere(ctx, filter.Eq("old", true)); err != nil {
		panic(err)
	}
	if err := db.Compact(ctx); err != nil {
		panic(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	fmt.Println(after.Size() < before.Size()/2)
	// Output: true
}

func ExampleDB_Salvage() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "vecwire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vectors.db")
	db, err := vecwire.Open(ctx, path)
	if err != nil {
		panic(err)
	}
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	if err != nil {
		panic(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2}}); err != nil {
		panic(err)
	}
	if err := db.Close(); err != nil {
		panic(err)
	}

	// The file may be damaged now: it is only read.
	if db, err = (vecwire.Config{ReadOnly: true}).Open(ctx, path); err != nil {
		panic(err)
	}
	defer db.Close()
	report, err := db.Salvage(ctx, filepath.Join(dir, "salvaged.db"))
	if err != nil {
		panic(err)
	}
	for _, c := range report.Collections {
		fmt.Println(c.Name, c.Records)
	}
	fmt.Println(report.Total, "lost")
	// Output:
	// docs 1
	// 0 lost
}
