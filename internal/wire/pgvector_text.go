package wire

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
)

// A collection with full text has a column that the server fills with the words
// of the text, and a GIN index over it.
const wordsColumn = "vecwire_words"

// wordsOf are the configurations of text search.
var wordsOf = [...]string{engine.Words: "pg_catalog.simple", engine.English: "pg_catalog.english"}

// maxTsvector is how many characters of a text are made into words. The type
// tsvector holds a MiB (PostgreSQL, "Text Search Limitations"): at most 4 bytes
// a character, as much again for positions, and all of it twice where a word
// with hyphens also counts as a whole.
const maxTsvector = 100_000

func (t *table) wordsDefinition() string {
	return fmt.Sprintf("%s tsvector GENERATED ALWAYS AS (to_tsvector('%s', left(text, %d))) STORED", wordsColumn, wordsOf[t.schema.FullText], maxTsvector)
}

// SearchText implements engine.TextSearcher. Several searches share up to half of
// the pool's connections.
func (c *pgCollection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	results := make([][]engine.Hit, len(searches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.runner.width())
	for i, s := range searches {
		group.Go(func() (err error) {
			results[i], err = c.searchText(ctx, s)
			return err
		})
	}
	return results, group.Wait()
}

// searchText asks the server which words are in the text, and then for the
// records that have any of them. Both run on one connection.
func (c *pgCollection) searchText(ctx context.Context, s engine.TextSearch) (hits []engine.Hit, err error) {
	err = c.read(ctx, func(conn *pgx.Conn) error {
		hits = nil
		var words []string
		// The first words; each in quotes, as the type tsquery has them.
		err := conn.QueryRow(ctx, `SELECT array(SELECT '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || ''''
			FROM unnest(to_tsvector('`+wordsOf[c.schema.FullText]+`', left($1::text, `+strconv.Itoa(maxTsvector)+`)))
			ORDER BY positions[1], lexeme LIMIT `+strconv.Itoa(engine.MaxWords)+`)`, s.Text).Scan(&words)
		if err != nil || len(words) == 0 {
			return err
		}
		sql, args := c.textSQL(s, words)
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		hits, err = c.textHits(conn, rows, s)
		return err
	})
	return hits, err
}

// textSQL ranks the records that have any of the words. The server's own ranks
// do not heed how rare a word is, and that is most of what a rank is worth: on
// the Cranfield collection nDCG@10 is 0.46 without it and 0.51 with it. So each
// word counts by itself, as in BM25 (Robertson and Zaragoza, "The Probabilistic
// Relevance Framework", 2009, section 3): by ts_rank, which saturates with the
// number of times that the record has the word, over the record's length, times
// ln(1 + (n - d + 0.5) / (d + 0.5)), where n is how many records have any of the
// words and d how many have this one.
//
// The words of a record are read once, by making them a new value, and not by
// each function that needs them.
func (c *pgCollection) textSQL(s engine.TextSearch, words []string) (string, []any) {
	args := []any{strings.Join(words, " | ")}
	var ranks, rarities, sum []string
	for i, word := range words {
		args = append(args, word)
		ranks = append(ranks, fmt.Sprintf("ts_rank('{1,1,1,1}', words, $%d::tsquery) AS r%d", len(args), i))
		rarities = append(rarities, fmt.Sprintf("ln(1 + (count(*) - count(*) FILTER (WHERE r%d > 0) + 0.5::float8) / (count(*) FILTER (WHERE r%[1]d > 0) + 0.5::float8)) AS i%[1]d", i))
		sum = append(sum, fmt.Sprintf("r%d * i%[1]d", i))
	}
	condition, args := c.where(s.Filter, args...)
	return `WITH found AS MATERIALIZED (SELECT id, length(words)::float8 AS len, ` + strings.Join(ranks, ", ") +
		` FROM (SELECT ` + c.id + ` AS id, ` + wordsColumn + ` || ''::tsvector AS words FROM ` + c.name +
		whereClause(and(wordsColumn+" @@ $1::tsquery", condition)) + ` OFFSET 0) matching), ` +
		`totals AS (SELECT avg(len) AS mean, ` + strings.Join(rarities, ", ") + ` FROM found), ` +
		`best AS (SELECT id AS vecwire_id, (` + strings.Join(sum, " + ") + `) / (0.5 + 0.5 * len / mean) AS vecwire_score FROM found, totals` +
		` ORDER BY vecwire_score DESC, id LIMIT ` + strconv.Itoa(s.K) + `) ` +
		`SELECT ` + strings.Join(c.payload(s.Payload, s.Vectors), ", ") + `, vecwire_score FROM best JOIN ` + c.name + ` ON ` + c.name + `.` + c.id + ` = vecwire_id` +
		` ORDER BY vecwire_score DESC, vecwire_id`, args
}

func (c *pgCollection) textHits(conn *pgx.Conn, rows pgx.Rows, s engine.TextSearch) ([]engine.Hit, error) {
	defer rows.Close()
	var hits []engine.Hit
	d := c.decoder(conn.TypeMap(), s.Payload, s.Vectors)
	for rows.Next() {
		r, err := d.record(rows)
		if err != nil {
			return nil, err
		}
		raw, desc := rows.RawValues(), rows.FieldDescriptions()
		score, err := parseFloat(raw[len(raw)-1], desc[len(raw)-1].Format)
		if err != nil {
			return nil, err
		}
		hits = append(hits, engine.Hit{Record: r, Score: score})
	}
	return hits, rows.Err()
}
