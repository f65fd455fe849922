package vecwire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// numbered embeds a text as the number in it and the number of its model, and
// says how many it has embedded.
type numbered struct {
	model int
	w     io.Writer
}

func (n numbered) Model() string { return fmt.Sprint("model ", n.model) }
func (n numbered) Dim() int      { return 2 }

func (n numbered) Embed(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		number, err := strconv.Atoi(strings.TrimPrefix(text, "text "))
		if err != nil {
			return nil, err
		}
		out[i] = n.vector(number)
	}
	_, err := fmt.Fprintln(n.w, len(texts))
	return out, err
}

func (n numbered) vector(number int) []float32 { return []float32{float32(n.model), float32(number)} }

// The embedding that is killed.
const (
	reembedBatch = 128 // that Reembed gives the embedder at a time
	reembedModel = "VECWIRE_REEMBED_TEST_MODEL"
)

func fillNumbered(t *testing.T, db *vecwire.DB, texts int) {
	first := numbered{0, io.Discard}
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{
		Name: "killed", Dim: first.Dim(), Metric: vecwire.Dot, Model: first.Model(), Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}},
	})
	require.NoError(t, err)
	records := make([]vecwire.Record, texts)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%04d", i), Text: fmt.Sprint("text ", i), Vector: first.vector(i), Fields: vecwire.Fields{"n": i}}
	}
	require.NoError(t, c.Upsert(t.Context(), records...))
}

// expectNumbered checks that a collection is whole, under the one model or the
// other, and returns which.
func expectNumbered(t *testing.T, db *vecwire.DB, texts int) int {
	t.Helper()
	c, err := db.OpenCollection(t.Context(), "killed")
	require.NoError(t, err)
	model, err := strconv.Atoi(strings.TrimPrefix(c.Schema().Model, "model "))
	require.NoError(t, err)
	i := 0
	for r, err := range c.All(t.Context(), vecwire.Scan{Vectors: true}) {
		if errors.Is(err, vecwire.ErrNotFound) { // a server has just done what a killed client asked for
			return expectNumbered(t, db, texts)
		}
		require.NoError(t, err)
		require.Equal(t, vecwire.Record{
			ID: fmt.Sprintf("%04d", i), Text: fmt.Sprint("text ", i), Vector: numbered{model: model}.vector(i), Fields: vecwire.Fields{"n": int64(i)},
		}, r)
		i++
	}
	require.Equal(t, texts, i)
	hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{0, 1}, K: 1, Filter: filter.Lt("n", 10)})
	require.NoError(t, err)
	require.Equal(t, "0009", hits[0].ID)
	return model
}

// reembedInChild is the Reembed that is killed.
func reembedInChild(url string) error {
	ctx := context.Background()
	model, err := strconv.Atoi(os.Getenv(reembedModel))
	if err != nil {
		return err
	}
	db, err := vecwire.Open(ctx, url)
	if err != nil {
		return err
	}
	if _, _, err := db.Reembed(ctx, "killed", numbered{model, os.Stdout}, vecwire.ReembedOptions{Workers: 1}); err != nil {
		return err
	}
	return db.Close()
}

// TestReembedKilled kills a process while it gives a collection another model,
// again and again, and then again to yet another. At any time the collection is
// whole under one model.
func TestReembedKilled(t *testing.T) {
	t.Parallel()
	kill := func(t *testing.T, url string, rounds, all int) {
		t.Parallel()
		rng := rand.New(rand.NewPCG(9, 9))
		open := func() *vecwire.DB {
			db, err := vecwire.Open(t.Context(), url)
			require.NoError(t, err)
			return db
		}
		db := open()
		fillNumbered(t, db, all)
		require.NoError(t, db.Close())
		target, kills, texts := 1, 0, 0 // of this target
		finished, killedRounds := 0, 0
		for round := range rounds {
			cmd := child(t, "reembed", url)
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", reembedModel, target))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			calls, last, moment := 0, 1+rng.IntN(8), time.Duration(rng.IntN(30))*time.Millisecond
			for lines := bufio.NewScanner(out); lines.Scan(); {
				n, err := strconv.Atoi(lines.Text())
				require.NoError(t, err)
				texts += n
				if calls++; calls == last || texts == all {
					// Any moment will do: it only spreads where the kill falls.
					time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
				}
			}
			killed := cmd.Wait() != nil
			if killed {
				kills++
				killedRounds++
			}
			db := open()
			is := expectNumbered(t, db, all)
			if !killed {
				require.Equal(t, target, is, "round %d", round)
			}
			if is == target {
				require.GreaterOrEqual(t, texts, all)
				require.LessOrEqual(t, texts, all+kills*reembedBatch, "texts of one batch a kill may be embedded twice")
				target, kills, texts = target+1, 0, 0
				finished++
			}
			require.NoError(t, db.Close())
		}
		require.Positive(t, finished)
		require.Positive(t, killedRounds)
		t.Logf("%d models, %d kills", finished, killedRounds)
	}
	t.Run("embedded", func(t *testing.T) { kill(t, filepath.Join(t.TempDir(), "killed.db"), 30, 1500) })
	t.Run("postgres", func(t *testing.T) { kill(t, testenv.Postgres(t), 30, 1500) })
	t.Run("iris", func(t *testing.T) { kill(t, testenv.IRIS(t, irisKinds[0]).URL(), 8, 700) })
}

// stopper ends a context at the n-th statement.
type stopper struct {
	at    int64
	n     atomic.Int64
	ended context.CancelFunc
}

func (s *stopper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if s.n.Add(1) == s.at {
		s.ended()
	}
	return ctx
}

// postgresURL is a URL as pgx takes it.
func postgresURL(url string) string {
	_, rest, _ := strings.Cut(url, ":")
	return "postgres:" + rest
}

func (s *stopper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestReembedCutOff ends a Reembed at each statement that it sends, over servers
// that have transactions and such as do not, and lets another one finish it.
func TestReembedCutOff(t *testing.T) {
	t.Parallel()
	const texts = 20
	cutOff := func(t *testing.T, url string) {
		db, err := vecwire.Open(t.Context(), url)
		require.NoError(t, err)
		defer db.Close()
		fillNumbered(t, db, texts)
		// until gives the collection a model in another process, as it were, which
		// ends with its n-th statement.
		until := func(n int64, model int) error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := &stopper{ended: cancel}
			db, err := vecwire.Config{Server: vecwire.ServerConfig{Tracer: s, MaxConns: 1}}.Open(t.Context(), url)
			require.NoError(t, err)
			defer db.Close()
			s.at = s.n.Load() + n // connecting takes some
			_, _, err = db.Reembed(ctx, "killed", numbered{model, io.Discard}, vecwire.ReembedOptions{})
			return err
		}
		n := 0
		for done := false; !done; {
			n++
			done = until(int64(n), n) == nil
			expectNumbered(t, db, texts)
			_, _, err := db.Reembed(t.Context(), "killed", numbered{n, io.Discard}, vecwire.ReembedOptions{})
			require.NoError(t, err)
			require.Equal(t, n, expectNumbered(t, db, texts))
		}
		require.Greater(t, n, 10)
		t.Logf("%d statements", n)
		conn, err := pgx.Connect(t.Context(), postgresURL(url))
		require.NoError(t, err)
		defer conn.Close(context.Background())
		var left string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT COUNT(*) AS n FROM vecwire_collections", pgx.QueryExecModeSimpleProtocol).Scan(&left))
		require.Equal(t, "1", left, "collections")
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		cutOff(t, testenv.Postgres(t))
	})
	kinds := irisServers()
	if testing.Short() || len(kinds) == 1 {
		kinds = kinds[:1]
	} else { // one without transactions, and the one with
		kinds = []testenv.IRISOptions{kinds[0], kinds[len(kinds)-1]}
	}
	for _, kind := range kinds {
		t.Run("iris "+kind.Version+" "+string(kind.Mode), func(t *testing.T) {
			t.Parallel()
			cutOff(t, testenv.IRIS(t, kind).URL())
		})
	}
}
