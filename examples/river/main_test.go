package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

func write(t *testing.T, dir, name, text string) string {
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// The program ingests its files, and again those that have changed.
func TestRun(t *testing.T) {
	url, dir := testenv.Postgres(t), t.TempDir()
	long := strings.Repeat("A transaction is stored as a whole, or not at all. ", 200)
	paths := []string{
		write(t, dir, "a", long), write(t, dir, "b", "Vectors are compared by their cosine."), write(t, dir, "c", "A mirror answers searches from memory."),
	}
	ask := func(question string) string {
		var out, log bytes.Buffer
		args := append([]string{"-db", url, "-words", filepath.Join(dir, "words"), "-ask", question}, paths...)
		require.NoError(t, run(t.Context(), args, &out, &log))
		require.Equal(t, 3, strings.Count(log.String(), "completed "), log.String())
		best, _, _ := strings.Cut(out.String(), "\n")
		return best
	}
	require.Contains(t, ask("searches from memory"), paths[2]+"#0")
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	defer pool.Close()
	agree := func() (passages int) {
		var sum int
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT (SELECT sum(passages) FROM files), (SELECT count(*) FROM passages)").Scan(&sum, &passages))
		require.Equal(t, sum, passages)
		return passages
	}
	require.Greater(t, agree(), 3)
	write(t, dir, "a", "Short now.")
	ask("short")
	require.Equal(t, 3, agree(), "what the file has no more is gone")
}

// A job that fails after it has stored everything leaves nothing, and is worked again.
func TestFailedJobLeavesNothing(t *testing.T) {
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, testenv.Postgres(t))
	require.NoError(t, err)
	defer pool.Close()
	e := embed.Func("m", 2, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		vectors := make([][]float32, len(texts))
		for i, text := range texts {
			vectors[i] = []float32{float32(len(text)), 1}
		}
		return vectors, nil
	})
	db, docs, err := prepare(ctx, pool, e, vecwire.Cosine)
	require.NoError(t, err)
	defer db.Close()
	w := &IngestWorker{pool: pool, docs: docs, e: e}
	path := write(t, t.TempDir(), "a", "a text")

	// The end of the job is what cannot be stored, last of all: it is not running.
	job := &river.Job[IngestArgs]{JobRow: &rivertype.JobRow{ID: 1, State: rivertype.JobStateAvailable}, Args: IngestArgs{Path: path}}
	require.Error(t, w.Work(ctx, job))
	n, err := docs.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
	var rows int
	require.NoError(t, pool.QueryRow(ctx, "SELECT count(*) FROM files").Scan(&rows))
	require.Zero(t, rows)

	// A trigger refuses the row of the first attempt, after the passages were stored.
	_, err = pool.Exec(ctx, `
		CREATE SEQUENCE attempts;
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('attempts') = 1 THEN RAISE EXCEPTION 'the first attempt'; END IF;
			RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON files DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	require.NoError(t, err)
	var log bytes.Buffer
	require.NoError(t, ingest(ctx, pool, w, []string{path, path + "-missing"}, &log))
	require.Contains(t, log.String(), "will be tried again: "+path)
	require.Contains(t, log.String(), "cancelled "+path+"-missing")
	n, err = docs.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
