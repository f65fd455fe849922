package vecwire_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkIngest stores 100,000 ready vectors of 128 dimensions through Ingest
// and through a loop of Upsert, with the batches and the goroutines that do best
// on each engine.
func BenchmarkIngest(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	var records []vecwire.Record
	for r := range generated(n, 128) {
		records = append(records, r)
	}
	run := func(b *testing.B, url string, batch, goroutines int) {
		ctx := b.Context()
		db, err := vecwire.Open(ctx, url)
		require.NoError(b, err)
		defer db.Close()
		fresh := func(store func(*vecwire.Collection)) func() {
			return func() {
				c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128})
				require.NoError(b, err)
				store(c)
				require.NoError(b, db.DropCollection(ctx, "docs"))
			}
		}
		pair.Run(b, fresh(func(c *vecwire.Collection) {
			_, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			require.NoError(b, err)
		}), fresh(func(c *vecwire.Collection) {
			group, ctx := errgroup.WithContext(ctx)
			group.SetLimit(goroutines)
			for part := range slices.Chunk(records, batch) {
				group.Go(func() error { return c.Upsert(ctx, part...) })
			}
			require.NoError(b, group.Wait())
		}))
	}
	b.Run("embedded", func(b *testing.B) { run(b, filepath.Join(b.TempDir(), "ingest.db"), 2000, 2) })
	b.Run("postgres", func(b *testing.B) { run(b, testenv.Postgres(b), 1000, 3) })
}

// slow embeds a call of any size in 50 ms, so many at a time.
type slow struct{ places chan struct{} }

func (slow) Model() string { return "slow" }
func (slow) Dim() int      { return 128 }

func (s slow) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	s.places <- struct{}{}
	defer func() { <-s.places }()
	time.Sleep(50 * time.Millisecond)
	out := make([][]float32, len(texts))
	for i := range out {
		out[i] = make([]float32, 128)
		out[i][i%128] = 1
	}
	return out, nil
}

// BenchmarkIngestEmbedding ingests texts with an embedder that takes 50 ms a
// call of at most 32 texts, 8 calls at a time, against the calls alone.
func BenchmarkIngestEmbedding(b *testing.B) {
	const places, items = 8, 32
	ctx := b.Context()
	n := 200 * items
	if testing.Short() {
		n = 20 * items
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("text %d of a long list of texts that are to be embedded", i)
	}
	run := func(b *testing.B, url string) {
		db, err := vecwire.Open(ctx, url)
		require.NoError(b, err)
		defer db.Close()
		e := slow{make(chan struct{}, places)}
		pair.Run(b, func() {
			c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128, Model: "slow"})
			require.NoError(b, err)
			with, err := c.WithEmbedder(embed.Batch(e, embed.BatchOptions{Items: items, Concurrency: places}))
			require.NoError(b, err)
			report, err := with.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for i, text := range texts {
					if !yield(vecwire.Record{ID: strconv.Itoa(i), Text: text}, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			require.NoError(b, err)
			require.EqualValues(b, n, report.Inserted)
			require.NoError(b, db.DropCollection(ctx, "docs"))
		}, func() {
			group := errgroup.Group{}
			for part := range slices.Chunk(texts, items) {
				group.Go(func() error {
					_, err := e.Embed(ctx, part, embed.Document)
					return err
				})
			}
			require.NoError(b, group.Wait())
		})
	}
	b.Run("embedded", func(b *testing.B) { run(b, filepath.Join(b.TempDir(), "embedding.db")) })
	b.Run("postgres", func(b *testing.B) { run(b, testenv.Postgres(b)) })
}
