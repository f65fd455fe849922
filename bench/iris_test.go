package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// What these benchmarks compare runs over a stand-in for IRIS, written in
// Python: they tell what the wire server costs, and nothing about IRIS.

var irisServers = []testenv.IRISOptions{
	{Version: testenv.IRISOldest, Mode: testenv.IRISExternal}, {Version: testenv.IRISLatest, Mode: testenv.IRISDBAPI},
}

func eachIRIS(b *testing.B, run func(b *testing.B, db *vecwire.DB, conn *pgx.Conn)) {
	for _, kind := range irisServers {
		b.Run(kind.Version+"-"+string(kind.Mode), func(b *testing.B) {
			server := testenv.IRIS(b, kind)
			db, err := vecwire.Open(context.Background(), server.URL())
			must(b, err)
			b.Cleanup(func() { _ = db.Close() })
			cfg, err := pgx.ParseConfig(server.PostgresURL())
			must(b, err)
			cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
			conn, err := pgx.ConnectConfig(context.Background(), cfg)
			must(b, err)
			b.Cleanup(func() { _ = conn.Close(context.Background()) })
			run(b, db, conn)
		})
	}
}

func irisRecords(n int) []vecwire.Record {
	random := rand.New(rand.NewPCG(1, 2))
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("id%06d", i), Vector: make([]float32, 128)}
		for j := range records[i].Vector {
			records[i].Vector[j] = float32(random.NormFloat64())
		}
	}
	return records
}

func vectorText(v []float32) string { return string(codec.AppendText(nil, v)) }

// BenchmarkIRISUpsert stores 1,000 records of 128 dimensions, against a loop of
// single-row statements through bare pgx.
func BenchmarkIRISUpsert(b *testing.B) {
	ctx := context.Background()
	eachIRIS(b, func(b *testing.B, db *vecwire.DB, conn *pgx.Conn) {
		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128})
		must(b, err)
		_, err = conn.Exec(ctx, "CREATE TABLE bare (id VARCHAR(255) NOT NULL PRIMARY KEY, vec VECTOR(FLOAT, 128))")
		must(b, err)
		records := irisRecords(1_000)
		pair.Run(b,
			func() { must(b, docs.Upsert(ctx, records...)) },
			func() {
				for _, r := range records {
					_, err := conn.Exec(ctx, "INSERT OR UPDATE bare (id, vec) VALUES ($1, TO_VECTOR($2, FLOAT))", r.ID, vectorText(r.Vector))
					must(b, err)
				}
			})
	})
}

// bareIRISForm is a way to search with bare pgx.
type bareIRISForm struct {
	name string
	run  func(ctx context.Context, conn *pgx.Conn, table, vector string) (pgx.Rows, error)
}

var bareIRISForms = []bareIRISForm{
	{"exec-bare-column", func(ctx context.Context, conn *pgx.Conn, table, vector string) (pgx.Rows, error) {
		return conn.Query(ctx, "SELECT TOP 10 id, VECTOR_COSINE(vec, TO_VECTOR($1, FLOAT)) AS score FROM "+table+" ORDER BY 2 DESC", vector)
	}},
	{"exec-qualified-column", func(ctx context.Context, conn *pgx.Conn, table, vector string) (pgx.Rows, error) {
		return conn.Query(ctx, "SELECT TOP 10 t.id, VECTOR_COSINE(t.vec, TO_VECTOR($1, FLOAT)) AS score FROM "+table+" t ORDER BY 2 DESC", vector)
	}},
	{"exec-inlined", func(ctx context.Context, conn *pgx.Conn, table, vector string) (pgx.Rows, error) {
		return conn.Query(ctx, "SELECT TOP 10 id, VECTOR_COSINE(vec, TO_VECTOR('"+vector+"', FLOAT)) AS score FROM "+table+" ORDER BY 2 DESC", pgx.QueryExecModeExec)
	}},
	{"simple-inlined", func(ctx context.Context, conn *pgx.Conn, table, vector string) (pgx.Rows, error) {
		return conn.Query(ctx, "SELECT TOP 10 id, VECTOR_COSINE(vec, TO_VECTOR('"+vector+"', FLOAT)) AS score FROM "+table+" ORDER BY 2 DESC", pgx.QueryExecModeSimpleProtocol)
	}},
}

func drain(b *testing.B, rows pgx.Rows, err error) {
	must(b, err)
	n := 0
	for rows.Next() {
		n++
	}
	must(b, rows.Err())
	if n != 10 {
		b.Fatalf("%d rows", n)
	}
}

// BenchmarkIRISSearch asks for the ten nearest of 1,000 and of 10 records of 128
// dimensions, against every form of bare pgx. Nearly all of the time over 1,000
// is the stand-in's.
func BenchmarkIRISSearch(b *testing.B) {
	ctx := context.Background()
	eachIRIS(b, func(b *testing.B, db *vecwire.DB, conn *pgx.Conn) {
		for _, n := range []int{1_000, 10} {
			docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: fmt.Sprintf("docs%d", n), Dim: 128})
			must(b, err)
			records := irisRecords(n)
			must(b, docs.Upsert(ctx, records...))
			for _, form := range bareIRISForms {
				b.Run(fmt.Sprintf("%d/%s", n, form.name), func(b *testing.B) {
					i := 0
					pair.Run(b,
						func() {
							_, err := docs.Search(ctx, vecwire.Query{Vector: records[i%n].Vector, IDsOnly: true})
							must(b, err)
							i++
						},
						func() {
							rows, err := form.run(ctx, conn, fmt.Sprintf("vw_docs%d", n), vectorText(records[i%n].Vector))
							drain(b, rows, err)
							i++
						})
				})
			}
		}
	})
}

// BenchmarkIRISGrowth asks 10,000 different queries on one connection and
// reports the median time of each thousand: the server remembers every text of
// a statement.
func BenchmarkIRISGrowth(b *testing.B) {
	if testing.Short() {
		b.Skip("asks 10,000 queries on each of six servers")
	}
	ctx := context.Background()
	const queries, part = 10_000, 1_000
	for _, kind := range irisServers {
		for _, side := range []string{"vecwire", "exec-inlined", "simple-inlined"} {
			b.Run(kind.Version+"-"+string(kind.Mode)+"/"+side, func(b *testing.B) {
				server := testenv.IRIS(b, kind) // one for each: the server slows down for all
				db, err := vecwire.Config{Server: vecwire.ServerConfig{MaxConns: 1}}.Open(ctx, server.URL())
				must(b, err)
				defer db.Close()
				docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128})
				must(b, err)
				must(b, docs.Upsert(ctx, irisRecords(10)...))
				conn, err := pgx.Connect(ctx, server.PostgresURL())
				must(b, err)
				defer conn.Close(ctx)
				vectors := irisRecords(queries)
				for b.Loop() {
					var curve []string
					var times []time.Duration
					for i, r := range vectors {
						begin := time.Now()
						if side == "vecwire" {
							_, err := docs.Search(ctx, vecwire.Query{Vector: r.Vector, IDsOnly: true})
							must(b, err)
						} else {
							form := slices.IndexFunc(bareIRISForms, func(f bareIRISForm) bool { return f.name == side })
							rows, err := bareIRISForms[form].run(ctx, conn, "vw_docs", vectorText(r.Vector))
							drain(b, rows, err)
						}
						times = append(times, time.Since(begin))
						if (i+1)%part == 0 {
							slices.Sort(times)
							curve = append(curve, fmt.Sprintf("%.2f", float64(times[part/2].Microseconds())/1000))
							b.ReportMetric(float64(times[part/2].Microseconds())/1000, fmt.Sprintf("p50ms-%dk", (i+1)/part))
							times = times[:0]
						}
					}
					b.Log("median of each 1,000 in ms: " + strings.Join(curve, " "))
				}
			})
		}
	}
}
