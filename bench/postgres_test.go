package main_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	pgxvec "github.com/pgvector/pgvector-go/pgx"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

const poolSize = 10

// durable is a server as one in production: the tests' own keep nothing through
// a power cut, which makes small writes fast.
var durable = testenv.Settings{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}

// barePool is a pool as users of pgvector-go make it: vectors go in binary form.
func barePool(b *testing.B, url string) *pgxpool.Pool {
	cfg, err := pgxpool.ParseConfig(url)
	must(b, err)
	cfg.MaxConns = poolSize
	cfg.AfterConnect = pgxvec.RegisterTypes
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	must(b, err)
	b.Cleanup(pool.Close)
	return pool
}

func wired(b *testing.B, url string) *vecwire.DB {
	db, err := vecwire.Config{Server: vecwire.ServerConfig{MaxConns: poolSize}}.Open(context.Background(), url)
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func recordsOf(vectors [][]float32) []vecwire.Record {
	records := make([]vecwire.Record, len(vectors))
	for i, v := range vectors {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%06d", i), Vector: v, Text: "some text " + strconv.Itoa(i)}
	}
	return records
}

const (
	bareSettings = "SELECT set_config('hnsw.ef_search', '100', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"
	bareSearch   = `SELECT id, text, vector <=> $1 FROM docs ORDER BY vector <=> $1 LIMIT 18`
)

type bareHit struct {
	id, text string
	distance float64
}

// bare runs the statements of Collection.Search through pgx alone.
func bare(ctx context.Context, pool *pgxpool.Pool, q []float32) ([]bareHit, error) {
	var batch pgx.Batch
	batch.Queue(bareSettings)
	batch.Queue(bareSearch, pgvector.NewVector(q))
	results := pool.SendBatch(ctx, &batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hits := make([]bareHit, 0, 18)
	for rows.Next() {
		var h bareHit
		if err := rows.Scan(&h.id, &h.text, &h.distance); err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// BenchmarkPostgresSearch asks for the ten nearest of 100,000 vectors of 128
// dimensions through an HNSW index, against the same SQL through bare pgx.
func BenchmarkPostgresSearch(b *testing.B) {
	ctx := context.Background()
	url := testenv.Postgres(b)
	db := wired(b, url)
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128})
	must(b, err)
	must(b, docs.Insert(ctx, recordsOf(descriptors(b, "sift100k_base.bvecs", 100_000))...))
	must(b, docs.BuildIndex(ctx, vecwire.IndexOptions{MemoryBytes: 512 << 20, Workers: 1}))
	queries := descriptors(b, "sift_query.bvecs", 100)
	pool := barePool(b, url)

	ours := func(i int) {
		hits, err := docs.Search(ctx, vecwire.Query{Vector: queries[i%len(queries)], K: 10})
		must(b, err)
		if len(hits) != 10 {
			b.Fatalf("%d hits", len(hits))
		}
	}
	theirs := func(i int) {
		hits, err := bare(ctx, pool, queries[i%len(queries)])
		must(b, err)
		if len(hits) != 18 {
			b.Fatalf("%d hits", len(hits))
		}
	}
	b.Run("one", func(b *testing.B) {
		n, m := 0, 0
		pair.Run(b, func() { ours(n); n++ }, func() { theirs(m); m++ })
	})
	b.Run("allocs/vecwire", func(b *testing.B) { allocations(b, ours) })
	b.Run("allocs/pgx", func(b *testing.B) { allocations(b, theirs) })
	b.Run("concurrent", func(b *testing.B) {
		const goroutines, each = 100, 20
		load := func(search func(int)) func() {
			return func() {
				var wait sync.WaitGroup
				for g := range goroutines {
					wait.Go(func() {
						for i := range each {
							search(g*each + i)
						}
					})
				}
				wait.Wait()
			}
		}
		pair.Run(b, load(ours), load(theirs))
	})
	b.Run("promises", func(b *testing.B) { promises(b, docs, db, queries, ours) })
}

func allocations(b *testing.B, search func(int)) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		search(n)
		n++
	}
}

// promises prints what is promised of the server as a table.
func promises(b *testing.B, docs *vecwire.Collection, db *vecwire.DB, queries [][]float32, search func(int)) {
	ctx := context.Background()
	p50 := func(n int, f func(int)) time.Duration {
		times := make([]time.Duration, n)
		for i := range times {
			start := time.Now()
			f(i)
			times[i] = time.Since(start)
		}
		slices.Sort(times)
		return times[n/2]
	}
	for b.Loop() {
		trip := p50(500, func(int) {
			_, err := docs.Get(ctx, "000007")
			must(b, err)
		})
		one := p50(500, search)
		small, err := db.CreateCollection(ctx, vecwire.Schema{Name: "small", Dim: 128})
		must(b, err)
		records := recordsOf(queries)
		for i := len(records); i < 1000; i++ {
			records = append(records, vecwire.Record{ID: fmt.Sprintf("%06d", i), Vector: queries[i%len(queries)], Text: "text"})
		}
		start := time.Now()
		must(b, small.Upsert(ctx, records...))
		thousand := time.Since(start)
		must(b, db.DropCollection(ctx, "small"))

		const n = 1000
		start = time.Now()
		for i := range n {
			search(i)
		}
		serial := time.Since(start) / n
		var next atomic.Int64
		var wait sync.WaitGroup
		start = time.Now()
		for range poolSize {
			wait.Go(func() {
				for i := next.Add(1); i <= n; i = next.Add(1) {
					search(int(i))
				}
			})
		}
		wait.Wait()
		concurrent := time.Since(start) / n
		b.Logf(`
round trip (Get of one record, p50)      %8s   at most 2 ms
search of 128 dimensions (p50)           %8s   at most 10 ms
upsert of 1,000 records                  %8s   under 1 s
cost of a query, serial                  %8s
cost of a query, %d at the same time     %8s   at most 1.1 of serial: %.2f`,
			trip.Round(time.Microsecond), one.Round(time.Microsecond), thousand.Round(time.Microsecond), serial.Round(time.Microsecond),
			poolSize, concurrent.Round(time.Microsecond), float64(concurrent)/float64(serial))
	}
}

// BenchmarkPostgresUpsert stores 100,000 records of 128 dimensions in an empty
// collection: in one call against COPY and a merge in one transaction, and in
// batches of 10,000 over four connections against the same through bare pgx. The
// ratios of the rates are reported, and that to one statement a record.
func BenchmarkPostgresUpsert(b *testing.B) {
	ctx := context.Background()
	url := testenv.StartPostgres(b, durable).CreateDatabase(b)
	db := wired(b, url)
	records := recordsOf(descriptors(b, "sift100k_base.bvecs", 100_000))
	fresh := func(b *testing.B) *vecwire.Collection {
		_ = db.DropCollection(ctx, "docs")
		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128})
		must(b, err)
		return docs
	}
	fresh(b)
	pool := barePool(b, url)

	rate := func(b *testing.B, n int, store func(docs *vecwire.Collection)) float64 {
		docs := fresh(b)
		start := time.Now()
		store(docs)
		return float64(n) / time.Since(start).Seconds()
	}
	parallel := func(b *testing.B, store func(part []vecwire.Record) error) {
		var wait sync.WaitGroup
		parts := make(chan []vecwire.Record)
		for range 4 {
			wait.Go(func() {
				for part := range parts {
					must(b, store(part))
				}
			})
		}
		for part := range slices.Chunk(records, 10_000) {
			parts <- part
		}
		close(parts)
		wait.Wait()
	}
	for b.Loop() {
		const rounds = 7
		var rates [5][]float64
		for round := range rounds {
			stores := []func(docs *vecwire.Collection){
				func(docs *vecwire.Collection) { must(b, docs.Upsert(ctx, records...)) },
				func(*vecwire.Collection) { must(b, copyAndMerge(ctx, pool, records)) },
				func(docs *vecwire.Collection) {
					parallel(b, func(part []vecwire.Record) error { return docs.Upsert(ctx, part...) })
				},
				func(*vecwire.Collection) {
					parallel(b, func(part []vecwire.Record) error { return copyAndMerge(ctx, pool, part) })
				},
			}
			for i := range stores { // in another order each round: what comes before is felt
				i = (i + round) % len(stores)
				rates[i] = append(rates[i], rate(b, len(records), stores[i]))
			}
			const few = 1_000
			rates[4] = append(rates[4], rate(b, few, func(*vecwire.Collection) { must(b, rowByRow(ctx, pool, records[:few])) }))
		}
		var median [5]float64
		for i := range rates {
			slices.Sort(rates[i])
			median[i] = rates[i][rounds/2]
		}
		b.ReportMetric(median[0], "rows/s")
		b.ReportMetric(median[1], "pgx-rows/s")
		b.ReportMetric(median[0]/median[1], "ratio")
		b.ReportMetric(median[2], "4-rows/s")
		b.ReportMetric(median[3], "pgx-4-rows/s")
		b.ReportMetric(median[2]/median[3], "4-ratio")
		b.ReportMetric(median[4], "loop-rows/s")
		b.ReportMetric(median[0]/median[4], "ratio-to-loop")
	}
}

const merge = ` ON CONFLICT (id) DO UPDATE SET vector = EXCLUDED.vector, text = EXCLUDED.text`

func copyAndMerge(ctx context.Context, pool *pgxpool.Pool, records []vecwire.Record) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TEMP TABLE stage (id text, vector vector(128), text text) ON COMMIT DROP`); err != nil {
			return err
		}
		rows := pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
			return []any{records[i].ID, pgvector.NewVector(records[i].Vector), records[i].Text}, nil
		})
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"stage"}, []string{"id", "vector", "text"}, rows); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO docs (id, vector, text) SELECT id, vector, text FROM stage`+merge)
		return err
	})
}

func rowByRow(ctx context.Context, pool *pgxpool.Pool, records []vecwire.Record) error {
	for _, r := range records {
		_, err := pool.Exec(ctx, `INSERT INTO docs (id, vector, text) VALUES ($1, $2, $3)`+merge, r.ID, pgvector.NewVector(r.Vector), r.Text)
		if err != nil {
			return err
		}
	}
	return nil
}
