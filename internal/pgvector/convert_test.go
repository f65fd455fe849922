package pgvector

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
)

// unconvert makes of a collection's table and entry what versions made to which
// the server took texts apart.
func unconvert(t *testing.T, e *database, c *collection) {
	t.Helper()
	require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
		for _, statement := range []string{
			"ALTER TABLE " + c.name + " DROP COLUMN " + wordsColumn + " CASCADE",
			"ALTER TABLE " + c.name + " ADD COLUMN " + wordsColumn + " tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.simple', left(text, 100000))) STORED",
			"CREATE INDEX ON " + c.name + " USING gin (" + wordsColumn + ")",
			"UPDATE " + e.registry() + " SET spec = spec - 'words'",
		} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}))
}

func found(t *testing.T, c engine.Collection, text string) (ids []string) {
	t.Helper()
	results, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: text, K: 10_000}})
	require.NoError(t, err)
	for _, h := range results[0] {
		ids = append(ids, h.ID)
	}
	return ids
}

// A table of an earlier version is converted by the first who opens it, however
// many do.
func TestConvertWords(t *testing.T) {
	ctx := t.Context()
	o := wire.Options{URL: testenv.Postgres(t), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	e := openDatabase(t, o)
	c := create(t, e, engine.Schema{Name: "Docs", Dim: 2, FullText: engine.Words})
	var records []engine.Record
	for i := range convertTexts + 20 {
		records = append(records, engine.Record{ID: fmt.Sprintf("r%04d", i), Text: "many", Vector: engine.Vector{F32: []float32{1, 2}}})
	}
	records[0].Text, records[1].Text, records[2].Text = "error-404 in node.js", "型号XG-2000的", ""
	require.NoError(t, c.Upsert(ctx, records))
	want := map[string][]string{"404": found(t, c, "404"), "XG-2000": found(t, c, "XG-2000"), "many": found(t, c, "many")}
	require.Equal(t, []string{"r0000"}, want["404"])
	unconvert(t, e, c)
	require.Empty(t, found(t, c, "404"), "the server sees a number with a sign")

	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			_, err := openDatabase(t, o).Open(ctx, "docs")
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	again, err := e.Open(ctx, "docs")
	require.NoError(t, err)
	for question, ids := range want {
		require.Equal(t, ids, found(t, again, question))
	}
	require.NoError(t, again.Upsert(ctx, []engine.Record{{ID: "new", Text: "another-404", Vector: engine.Vector{F32: []float32{1, 2}}}}))
	require.Equal(t, []string{"new", "r0000"}, found(t, again, "404"))

	// A program that does not know the column writes no text that nobody finds.
	require.Error(t, e.With(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "INSERT INTO "+c.name+" (id, vector, text) VALUES ('raw', '[1,2]', 'text')")
		return err
	}))
	require.NoError(t, e.With(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "INSERT INTO "+c.name+" (id, vector) VALUES ('raw', '[1,2]')")
		return err
	}))
}

// In a database of the C locale the server folds no letter outside ASCII.
func TestWordsInTheCLocale(t *testing.T) {
	ctx := t.Context()
	target := testenv.Postgres(t)
	e := openDatabase(t, wire.Options{URL: target})
	require.NoError(t, e.With(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE c_locale TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
		return err
	}))
	t.Cleanup(func() {
		_ = e.With(context.WithoutCancel(ctx), func(conn *pgx.Conn) error {
			_, err := conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE c_locale WITH (FORCE)")
			return err
		})
	})
	u, err := url.Parse(target)
	require.NoError(t, err)
	u.Path = "/c_locale"
	in := openDatabase(t, wire.Options{URL: u.String()})
	c := create(t, in, engine.Schema{Name: "docs", Dim: 2, FullText: engine.English})
	require.NoError(t, c.Upsert(ctx, []engine.Record{
		{ID: "1", Text: "Москва ÄPFEL ΣΊΣΥΦΟΣ running", Vector: engine.Vector{F32: []float32{1, 2}}},
		{ID: "2", Text: "东京塔", Vector: engine.Vector{F32: []float32{1, 2}}},
	}))
	for _, question := range []string{"МОСКВА", "äpfel", "Σίσυφος", "RUNS"} {
		require.Equal(t, []string{"1"}, found(t, c, question), question)
	}
	require.Equal(t, []string{"2"}, found(t, c, "京塔"))
}
