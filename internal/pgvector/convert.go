package pgvector

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/words"
)

// convertTexts is how many texts are converted in one statement.
const convertTexts = 500

// convertWords gives a table that was made with words of the server's own the
// words that lexemesOf finds, all of them in one transaction, in which no other
// session reads or writes the table. The registry says when it is done.
func (e *database) convertWords(ctx context.Context, c *collection) error {
	err := e.change(ctx, nil, func(conn *pgx.Conn) error {
		var found wire.Spec
		err := conn.QueryRow(ctx, `SELECT spec FROM `+e.registry()+` WHERE name = $1::text AND table_name = $2::text FOR UPDATE`,
			strings.ToLower(c.schema.Name), c.relation).Scan(&found)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return engine.ErrNotFound
		case err != nil:
			return err
		case !found.ServerWords():
			return nil // another session did it meanwhile
		}
		e.Log.Info("the full text of a collection is converted to this version's words", "collection", c.schema.Name)
		if _, err := conn.Exec(ctx, "ALTER TABLE "+c.name+" ALTER COLUMN "+wordsColumn+" DROP EXPRESSION"); err != nil {
			return err
		}
		if err := c.fillWords(ctx, conn); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "ALTER TABLE "+c.name+" ADD "+wordsCheck); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `UPDATE `+e.registry()+` SET spec = jsonb_set(spec, '{words}', '`+strconv.Itoa(wire.WordsFormat)+`') WHERE name = $1::text`,
			strings.ToLower(c.schema.Name))
		return err
	})
	if isCode(err, "42501") || isCode(err, "25006") {
		return fmt.Errorf("the full text of %s was made by an earlier version, and converting it takes the table's owner: open the collection once as that user: %w", c.schema.Name, err)
	}
	return err
}

// fillWords writes the words of all texts.
func (c *collection) fillWords(ctx context.Context, conn *pgx.Conn) error {
	for after := ""; ; {
		ids, lexemes, err := c.textsAfter(ctx, conn, after)
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := conn.Exec(ctx, "UPDATE "+c.name+" t SET "+wordsColumn+" = u.words::tsvector FROM unnest($1::text[], $2::text[]) u(id, words) WHERE t.id = u.id", ids, lexemes); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// textsAfter returns the lexemes of the next texts, in the order of their IDs.
func (c *collection) textsAfter(ctx context.Context, conn *pgx.Conn, after string) (ids []string, lexemes values, err error) {
	rows, err := conn.Query(ctx, "SELECT id, text FROM "+c.name+" WHERE id > $1::text AND text IS NOT NULL ORDER BY id LIMIT "+strconv.Itoa(convertTexts), after)
	if err != nil {
		return nil, nil, err
	}
	var records []engine.Record
	var r engine.Record
	_, err = pgx.ForEachRow(rows, []any{&r.ID, &r.Text}, func() error {
		records = append(records, r)
		ids = append(ids, r.ID)
		return nil
	})
	return ids, lexemesArg(words.Named(c.schema.FullText.String()), records), err
}
