package vecwire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// The job that is killed: so many texts for each time that it is, in batches of so many.
const (
	killedTexts   = 150
	killedBatch   = 16
	killedWorkers = 3
	killedWindow  = killedBatch * killedWorkers
	killedRounds  = "VECWIRE_INGEST_TEST_ROUNDS" // how many times, for the child
)

func killedText(i int) string { return fmt.Sprintf("text %d", i) }

// spoken embeds a text as its number, and says on standard output which it has
// embedded.
type spoken struct{ w io.Writer }

func (spoken) Model() string { return "spoken" }
func (spoken) Dim() int      { return 2 }

func (s spoken) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		n, err := strconv.Atoi(strings.TrimPrefix(text, "text "))
		if err != nil {
			return nil, err
		}
		out[i] = []float32{1, float32(n)}
	}
	_, err := fmt.Fprintln(s.w, strings.ReplaceAll(strings.Join(texts, " "), "text ", ""))
	return out, err
}

// ingestTexts is the job that is killed.
func ingestTexts(url string) error {
	ctx := context.Background()
	rounds, err := strconv.Atoi(os.Getenv(killedRounds))
	if err != nil {
		return err
	}
	db, err := vecwire.Open(ctx, url)
	if err != nil {
		return err
	}
	c, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "killed", Dim: 2, Metric: vecwire.Dot, Model: "spoken"})
	if err != nil {
		return err
	}
	if c, err = c.WithEmbedder(spoken{os.Stdout}); err != nil {
		return err
	}
	records := func(yield func(vecwire.Record, error) bool) {
		for i := range rounds * killedTexts {
			if !yield(vecwire.Record{ID: fmt.Sprintf("%04d", i), Text: killedText(i)}, nil) {
				return
			}
		}
	}
	_, err = c.Ingest(ctx, records, vecwire.IngestOptions{Job: "job", BatchRecords: killedBatch, Workers: killedWorkers})
	if err != nil {
		return err
	}
	return db.Close()
}

// TestIngestKilled kills a process while it ingests, again and again, and lets
// the last one finish: every record is there once, and of the texts no more
// than those that were under way at a kill were embedded again.
func TestIngestKilled(t *testing.T) {
	t.Parallel()
	kill := func(t *testing.T, url string, rounds int) {
		t.Parallel()
		rng := rand.New(rand.NewPCG(7, 7))
		times := make([]int, rounds*killedTexts) // that each text was embedded
		for round := range rounds + 1 {
			cmd := child(t, "texts", url)
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", killedRounds, rounds))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			again, calls, last := 0, 0, 1+rng.IntN(12)
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				for _, word := range strings.Fields(lines.Text()) {
					i, err := strconv.Atoi(word)
					require.NoError(t, err)
					if times[i]++; times[i] > 1 {
						again++
					}
				}
				if calls++; calls == last && round < rounds {
					require.NoError(t, cmd.Process.Kill())
				}
			}
			err = cmd.Wait()
			require.LessOrEqual(t, again, killedWindow, "texts of round %d that were embedded before", round)
			if round == rounds {
				require.NoError(t, err)
			} else {
				require.Error(t, err, "round %d ended by itself", round)
			}
		}
		db, err := vecwire.Open(t.Context(), url)
		require.NoError(t, err)
		defer db.Close()
		c, err := db.OpenCollection(t.Context(), "killed")
		require.NoError(t, err)
		next := 0
		for r, err := range c.All(t.Context(), vecwire.Scan{Vectors: true}) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%04d", next), r.ID)
			require.Equal(t, killedText(next), r.Text)
			require.Equal(t, []float32{1, float32(next)}, r.Vector)
			require.Positive(t, times[next])
			next++
		}
		require.Equal(t, len(times), next)
	}
	t.Run("embedded", func(t *testing.T) { kill(t, filepath.Join(t.TempDir(), "killed.db"), 20) })
	t.Run("postgres", func(t *testing.T) { kill(t, testenv.Postgres(t), 20) })
	t.Run("iris", func(t *testing.T) { kill(t, testenv.IRIS(t, irisKinds[0]).URL(), 6) })
}

const million = 1_000_000

// ingestMillion ingests a million records with 256 MiB of memory, and fails if
// it took more.
func ingestMillion(url string) error {
	const limit = 256 << 20
	debug.SetMemoryLimit(limit)
	ctx := context.Background()
	db, err := vecwire.Open(ctx, url)
	if err != nil {
		return err
	}
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "million", Dim: 8, Metric: vecwire.Dot})
	if err != nil {
		return err
	}
	var most uint64
	report, err := c.Ingest(ctx, generated(million, 8), vecwire.IngestOptions{
		Every: 20 * time.Millisecond,
		Progress: func(vecwire.Progress) {
			heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
			metrics.Read(heap)
			most = max(most, heap[0].Value.Uint64()+heap[1].Value.Uint64())
		},
	})
	if err != nil {
		return err
	}
	if report.Inserted != million {
		return fmt.Errorf("%d records were inserted", report.Inserted)
	}
	if most > limit {
		return fmt.Errorf("the heap had %d MiB", most>>20)
	}
	n, err := c.Count(ctx, filter.Filter{})
	if err == nil && n != million {
		err = fmt.Errorf("%d records are there", n)
	}
	fmt.Printf("heap at most %d MiB, %d records/s\n", most>>20, int(million/report.Elapsed.Seconds()))
	return err
}

// TestIngestMemory ingests a million records in a process that is given 256 MiB.
// On PostgreSQL nothing of them stays in the process; the embedded engine keeps
// all IDs and vectors.
func TestIngestMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes a minute: leave out -short")
	}
	for name, url := range map[string]string{"embedded": filepath.Join(t.TempDir(), "million.db"), "postgres": testenv.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := child(t, "million", url).CombinedOutput()
			require.NoError(t, err, "%s", out)
			t.Logf("%s", out)
		})
	}
}

// TestIngestLeavesNothing sees that no goroutine is left of a job that ended in
// any way.
func TestIngestLeavesNothing(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 8})
	require.NoError(t, err)
	before := goleak.IgnoreCurrent()
	for _, o := range []vecwire.IngestOptions{{}, {Ordered: true}, {MaxErrors: -1}} {
		o.Job, o.BatchRecords, o.Workers, o.Every = "job", 5, 4, time.Millisecond
		o.Progress = func(vecwire.Progress) {}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
			for r := range generated(200, 8) {
				if r.ID == "150" {
					r.Vector = nil
					cancel()
				}
				if !yield(r, nil) {
					return
				}
			}
		}, o)
		cancel()
		require.Error(t, err)
	}
	_, err = c.Ingest(t.Context(), generated(100, 8), vecwire.IngestOptions{})
	require.NoError(t, err)
	goleak.VerifyNone(t, before, idleReaders)

	require.NoError(t, db.Close())
	_, err = c.Ingest(t.Context(), generated(100, 8), vecwire.IngestOptions{})
	require.ErrorIs(t, err, vecwire.ErrClosed)
}

// TestIngestClosed closes the database under a job, whose input and whose
// progress use it, too: the job ends, and Close waits for no more than a batch.
func TestIngestClosed(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 8})
	require.NoError(t, err)
	closed := make(chan error, 1)
	_, err = c.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
		n := 0
		for r := range generated(1_000_000, 8) {
			if n++; n == 1000 {
				go func() { closed <- db.Close() }()
			}
			if n%100 == 0 {
				_, _ = c.Count(t.Context(), filter.Filter{})
				runtime.Gosched()
			}
			if !yield(r, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{BatchRecords: 50})
	require.ErrorIs(t, err, vecwire.ErrClosed)
	require.NoError(t, <-closed)
}

// TestIngestServerRefusals finds the records that a table's own constraints and
// key refuse, and stores all others.
func TestIngestServerRefusals(t *testing.T) {
	ctx, url := t.Context(), testenv.Postgres(t)
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	for _, sql := range []string{
		`CREATE EXTENSION IF NOT EXISTS vector`,
		`CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(8) NOT NULL, price bigint CHECK (price <> 13), code text UNIQUE)`,
	} {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "items"})
	require.NoError(t, err)
	report, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		n := 0
		for r := range generated(100, 8) {
			r.Fields = vecwire.Fields{"price": n, "code": r.ID}
			switch n {
			case 40:
				r.Fields["code"] = "39"
			case 50:
				r.ID = "fifty"
			}
			n++
			if !yield(r, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{BatchRecords: 30})
	require.NoError(t, err)
	require.EqualValues(t, 97, report.Inserted)
	require.EqualValues(t, 3, report.Failed)
	failed := map[int]string{}
	for _, f := range report.Failures {
		failed[f.Index] = f.Err.Error()
	}
	require.Contains(t, failed[13], "items_price_check")
	require.Contains(t, failed[40], "items_code_key")
	require.Contains(t, failed[50], "whole number")
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 97, n)
}

// bomb panics when it embeds a certain text.
type bomb struct{ lengths }

func (b bomb) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if slices.Contains(texts, "bomb") {
		panic("boom")
	}
	return b.lengths.Embed(ctx, texts, use)
}

// TestIngestPanics has functions of the caller's panic in a worker: that never ends
// the process. An embedder that panics over a text refuses it, and Progress ends the
// job.
func TestIngestPanics(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	bare, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2, Model: "lengths"})
	require.NoError(t, err)
	c, err := bare.WithEmbedder(bomb{lengths{new(int)}})
	require.NoError(t, err)
	before := goleak.IgnoreCurrent()
	texts := func(list ...string) func(func(vecwire.Record, error) bool) {
		return func(yield func(vecwire.Record, error) bool) {
			for i, text := range list {
				if !yield(vecwire.Record{ID: strconv.Itoa(i), Text: text}, nil) {
					return
				}
			}
		}
	}
	report, err := c.Ingest(t.Context(), texts("a", "bb", "bomb", "ccc"), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 3, report.Inserted)
	require.Len(t, report.Failures, 1)
	require.Equal(t, "2", report.Failures[0].ID)
	require.ErrorAs(t, report.Failures[0].Err, new(*vecwire.EmbedError))
	require.ErrorContains(t, report.Failures[0].Err, "panicked in")
	require.ErrorContains(t, report.Failures[0].Err, "boom")

	_, err = c.Ingest(t.Context(), texts("d"), vecwire.IngestOptions{Progress: func(vecwire.Progress) { panic("boom") }})
	require.ErrorContains(t, err, "Progress panicked in")

	require.PanicsWithValue(t, "boom", func() {
		_, _ = c.Ingest(t.Context(), func(func(vecwire.Record, error) bool) { panic("boom") }, vecwire.IngestOptions{})
	})
	goleak.VerifyNone(t, before, idleReaders)
}

// idleReaders is what closes connections that an open store has not used for long.
var idleReaders = goleak.IgnoreTopFunction("database/sql.(*DB).connectionCleaner")
