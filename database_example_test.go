package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

func ExampleConfig_Open() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "vecwire")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	cfg := vecwire.Config{Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	db, err := cfg.Open(ctx, filepath.Join(dir, "vectors.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println(db.Capabilities().Engine)
	// Output: embedded
}

// The pool stays the caller's: other queries go on using it.
func ExampleOpenPool() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	db, err := vecwire.OpenPool(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	schemas, err := db.Collections(ctx)
	fmt.Println(len(schemas), err)
}

// A row of the program's own and its record are stored together, or not at all.
func ExampleWithPgxTx() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	db, err := vecwire.OpenPool(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.OpenCollection(ctx, "docs")
	if err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO articles (id) VALUES ($1)", "a"); err != nil {
			return err
		}
		return docs.Upsert(vecwire.WithPgxTx(ctx, tx), vecwire.Record{ID: "a", Vector: []float32{1, 0}})
	})
	fmt.Println(err)
}

func ExampleConfig_OpenPool() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	db, err := vecwire.Config{Logger: slog.Default()}.OpenPool(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
}

func ExampleDB_Close() {
	ctx := context.Background()
	db, c := fruit(ctx)

	fmt.Println(db.Close())
	_, err := c.Get(ctx, "lemon")
	fmt.Println(errors.Is(err, vecwire.ErrClosed))
	// Output:
	// <nil>
	// true
}

func ExampleDB_EnsureCollection() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	schema := vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "lang"}}}
	docs, err := db.EnsureCollection(ctx, schema) // makes it
	if err != nil {
		log.Fatal(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}}); err != nil {
		log.Fatal(err)
	}
	docs, err = db.EnsureCollection(ctx, schema) // opens it
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Count(ctx, filter.Filter{}))

	schema.Fields = []vecwire.Field{{Name: "year", Type: vecwire.Int, Index: true}}
	docs, err = db.EnsureCollection(ctx, schema) // adds what is missing, and leaves the rest
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Schema().Fields)

	schema.Metric = vecwire.Dot
	_, err = db.EnsureCollection(ctx, schema)
	var differs *vecwire.SchemaError
	fmt.Println(errors.As(err, &differs), differs.Msg)
	// Output:
	// 1 <nil>
	// [{lang String false [] false} {year Int true [] false}]
	// true Metric is cosine, want dot: use another name, and copy the records there, as transfer.Copy does
}

// An existing table of PostgreSQL is searched where it is. Names, types and the
// dimension come from the catalog, and nothing of the table is changed.
func ExampleDB_AttachCollection() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	items, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "shop.items", TextColumn: "description"})
	if err != nil {
		log.Fatal(err)
	}
	hits, err := items.Search(ctx, vecwire.Query{Vector: []float32{0.1, 0.2, 0.3}, Filter: filter.Lt("price", 20)})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Println(h.ID, h.Score, h.Fields["price"])
	}
}

func ExampleDB_Tx() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	err := db.Tx(ctx, func(ctx context.Context) error { // verbs called with this ctx take part
		cherry, err := c.Get(ctx, "cherry")
		if err != nil {
			return err
		}
		if err := c.Upsert(ctx, vecwire.Record{ID: "sour cherry", Vector: cherry[0].Vector}); err != nil {
			return err
		}
		_, err = c.Delete(ctx, "cherry")
		return err
	})
	fmt.Println(err)

	sold := errors.New("sold out")
	err = db.Tx(ctx, func(ctx context.Context) error {
		if _, err := c.DeleteWhere(ctx, filter.Filter{}); err != nil {
			return err
		}
		return sold // nothing was deleted
	})
	n, _ := c.Count(ctx, filter.Filter{})
	fmt.Println(errors.Is(err, sold), n)
	// Output:
	// <nil>
	// true 3
}

func ExampleEmbeddingCache() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:") // or a file, so that vectors outlive the process
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	c, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "embeddings", Dim: 3, Metric: vecwire.Dot})
	if err != nil {
		log.Fatal(err)
	}
	cached := embed.Cache(vowels{}, vecwire.EmbeddingCache(c))
	for range 2 { // the second time the model is not asked
		vectors, err := cached.Embed(ctx, []string{"banana"}, embed.Document)
		fmt.Println(vectors, err)
	}
	fmt.Println(c.Count(ctx, filter.Filter{}))
	// Output:
	// [[3 0 0]] <nil>
	// [[3 0 0]] <nil>
	// 1 <nil>
}

func ExampleDB_Backup() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "vecwire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := vecwire.Open(ctx, filepath.Join(dir, "vectors.db"))
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if _, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2}); err != nil {
		panic(err)
	}
	backup := filepath.Join(dir, "backup.db")
	var last vecwire.Progress
	err = db.Backup(ctx, backup, vecwire.BackupOptions{Progress: func(p vecwire.Progress) {
		if p.Phase == "pages" {
			last = p
		}
	}})
	if err != nil {
		panic(err)
	}
	copied, err := vecwire.Config{ReadOnly: true}.Open(ctx, backup)
	if err != nil {
		panic(err)
	}
	defer copied.Close()
	schemas, err := copied.Collections(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(schemas[0].Name, last.Done == last.Total)
	// Output: docs true
}
