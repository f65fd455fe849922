package vecwire_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// pgxTx is a database with a pool of one connection, so that whatever does not use
// the transaction's waits forever, and a collection.
type pgxTx struct {
	t    *testing.T
	url  string
	pool *pgxpool.Pool
	db   *vecwire.DB
	docs *vecwire.Collection
}

func newPgxTx(t *testing.T) *pgxTx {
	url := testenv.Postgres(t)
	s := &pgxTx{t: t, url: url, pool: newPool(t, withParam(t, url, "pool_max_conns", "1"))}
	var err error
	s.db, err = vecwire.OpenPool(t.Context(), s.pool)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	s.docs, err = s.db.CreateCollection(t.Context(), vecwire.Schema{
		Name: "docs", Dim: 2, Model: "lengths", FullText: vecwire.Words,
		Fields: []vecwire.Field{{Name: vecwire.SourceField, Index: true}, {Name: vecwire.NamespaceField, Index: true}, {Name: "n", Type: vecwire.Int}},
	})
	require.NoError(t, err)
	run(t, url, "CREATE TABLE articles (id text PRIMARY KEY)")
	return s
}

func newPool(t *testing.T, url string) *pgxpool.Pool {
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// begin begins a transaction that stores a row of the caller's.
func (s *pgxTx) begin(article string) (context.Context, pgx.Tx) {
	tx, err := s.pool.Begin(s.t.Context())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	_, err = tx.Exec(s.t.Context(), "INSERT INTO articles VALUES ($1)", article)
	require.NoError(s.t, err)
	return vecwire.WithPgxTx(s.t.Context(), tx), tx
}

// stored returns the IDs of the collection and the rows of the caller's table, as
// another connection sees them.
func (s *pgxTx) stored() string {
	return row(s.t, s.url, "SELECT coalesce((SELECT string_agg(id, ',' ORDER BY id) FROM docs), ''), coalesce((SELECT string_agg(id, ',' ORDER BY id) FROM articles), '')")
}

func entry(id string, x float32) vecwire.Record {
	return vecwire.Record{ID: id, Vector: []float32{x, 1}, Text: "text of " + id, Fields: vecwire.Fields{"n": int(x)}}
}

// Every verb takes part, sees what was done before, and is stored or not with the
// caller's rows.
func TestPgxTx(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	ctx := t.Context()
	require.NoError(t, s.docs.Upsert(ctx, entry("a", 1), entry("b", 2)))
	change := func(ctx context.Context) {
		require.NoError(t, s.docs.Upsert(ctx, entry("c", 3), entry("b", 5)))
		require.NoError(t, s.docs.Insert(ctx, entry("d", 4), entry("e", 6)))
		n, err := s.docs.Delete(ctx, "a", "none")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = s.docs.DeleteWhere(ctx, filter.Eq("n", 6))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = s.docs.Count(ctx, filter.Gt("n", 3))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		got, err := s.docs.Get(ctx, "b")
		require.NoError(t, err)
		require.Equal(t, []float32{5, 1}, got[0].Vector)
		var ids []string
		for r, err := range s.docs.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			_, err = s.docs.Count(ctx, filter.Eq("id", r.ID)) // another verb within the loop
			require.NoError(t, err)
			ids = append(ids, r.ID)
		}
		require.Equal(t, []string{"b", "c", "d"}, ids)
		results, err := s.docs.SearchMany(ctx, []vecwire.Query{
			{Vector: []float32{9, 1}, K: 1},
			{Vector: []float32{0, 1}, K: 1, Text: "d", Fusion: &vecwire.Fusion{}}, // two searches side by side
		})
		require.NoError(t, err)
		require.Equal(t, "b", results[0].Hits[0].ID)
		require.NotEmpty(t, results[1].Hits)
		for h, err := range s.docs.SearchAll(ctx, vecwire.Query{Vector: []float32{9, 1}, K: 1}) {
			require.NoError(t, err)
			require.NotEmpty(t, h.ID)
		}
		report, err := s.docs.ReplaceSource(ctx, "f", entry("f1", 7), entry("f2", 8))
		require.NoError(t, err)
		require.EqualValues(t, 2, report.Inserted)
		report, err = s.docs.ReplaceSource(ctx, "f", entry("f1", 7))
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Deleted)
		require.NoError(t, s.docs.Update(ctx, vecwire.Change{ID: "c", Set: vecwire.Fields{"n": 30}, If: filter.Eq("n", 3)}))
		require.ErrorIs(t, s.docs.Update(ctx, vecwire.Change{ID: "c", Set: vecwire.Fields{"n": 31}, If: filter.Eq("n", 3)}), vecwire.ErrConflict)
		n, err = s.docs.UpdateWhere(ctx, filter.Eq("n", 30), vecwire.Fields{"n": 3})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		facets, err := s.docs.Facet(ctx, vecwire.SourceField, vecwire.FacetOptions{})
		require.NoError(t, err)
		require.Equal(t, []vecwire.FacetCount{{Value: "f", Count: 1}, {Count: 3}}, facets)
		least, greatest, err := s.docs.Range(ctx, "n", filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, []any{int64(3), int64(7)}, []any{least, greatest})
		tenant, err := s.docs.Namespace("acme")
		require.NoError(t, err)
		require.NoError(t, tenant.Upsert(ctx, entry("x", 1)))
	}
	inTx, tx := s.begin("one")
	change(inTx)
	require.Equal(t, "[a,b ]", s.stored(), "nobody else sees any of it")
	require.NoError(t, tx.Rollback(ctx))
	require.Equal(t, "[a,b ]", s.stored())

	inTx, tx = s.begin("two")
	change(inTx)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "[acme/x,b,c,d,f1 two]", s.stored())

	_, err := s.docs.Count(inTx, filter.Filter{})
	require.ErrorContains(t, err, "the transaction has ended")
	require.ErrorIs(t, err, pgx.ErrTxClosed)
}

// A verb that fails is undone alone: the transaction goes on, and commits.
func TestPgxTxGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	ctx := t.Context()
	run(t, s.url, "ALTER TABLE docs ADD CHECK (n < 100)")
	inTx, tx := s.begin("one")
	require.NoError(t, s.docs.Upsert(inTx, entry("a", 1)))

	var dimension *vecwire.DimensionError
	require.ErrorAs(t, s.docs.Upsert(inTx, vecwire.Record{ID: "x", Vector: []float32{1}}), &dimension)
	require.ErrorIs(t, s.docs.Insert(inTx, entry("b", 1), entry("a", 1)), vecwire.ErrExists)
	var refused *pgconn.PgError
	require.ErrorAs(t, s.docs.Upsert(inTx, entry("c", 1), entry("d", 200)), &refused, "by the server")
	require.NoError(t, s.docs.Upsert(inTx, entry("e", 2)))

	// A DB.Tx is a part: undone as a whole, or stored with the rest.
	undo := errors.New("undo")
	require.ErrorIs(t, s.db.Tx(inTx, func(ctx context.Context) error {
		require.NoError(t, s.docs.Upsert(ctx, entry("f", 3)))
		return undo
	}), undo)
	require.ErrorAs(t, s.db.Tx(inTx, func(ctx context.Context) error {
		require.NoError(t, s.docs.Upsert(ctx, entry("g", 3)))
		_ = s.docs.Upsert(ctx, entry("g2", 300))
		return nil
	}), &refused, "as in every DB.Tx, a verb that fails fails it")
	var kept context.Context
	require.NoError(t, s.db.Tx(inTx, func(ctx context.Context) error {
		kept = ctx
		require.ErrorContains(t, s.docs.Upsert(inTx, entry("i", 3)), "in use", "beside the part")
		return s.docs.Upsert(ctx, entry("h", 3))
	}))
	require.ErrorContains(t, s.docs.Upsert(kept, entry("j", 3)), "has ended")
	require.Panics(t, func() {
		_ = s.db.Tx(inTx, func(ctx context.Context) error {
			require.NoError(t, s.docs.Upsert(ctx, entry("k", 3)))
			panic("a bug of the caller's")
		})
	})
	_, err := tx.Exec(ctx, "INSERT INTO articles VALUES ('two')")
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "[a,e,h one,two]", s.stored())

	// A transaction that the caller's own statement has failed takes nothing more.
	inTx, tx = s.begin("three")
	_, err = tx.Exec(ctx, "SELECT 1/0")
	require.Error(t, err)
	require.ErrorContains(t, s.docs.Upsert(inTx, entry("l", 1)), "roll it back")
}

// A verb inherits the caller's isolation and leaves its settings as they were.
func TestPgxTxLeavesSettings(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	ctx := t.Context()
	require.NoError(t, s.docs.Upsert(ctx, entry("a", 1), entry("b", 2)))
	require.NoError(t, s.docs.BuildIndex(ctx, vecwire.IndexOptions{}))
	inTx, tx := s.begin("one")
	_, err := tx.Exec(ctx, "SET LOCAL hnsw.ef_search = 77")
	require.NoError(t, err)
	results, err := s.docs.SearchMany(inTx, []vecwire.Query{{Vector: []float32{1, 1}, K: 1}})
	require.NoError(t, err)
	require.Contains(t, results[0].Plan.Index, "hnsw")
	var ef string
	require.NoError(t, tx.QueryRow(ctx, "SHOW hnsw.ef_search").Scan(&ef))
	require.Equal(t, "77", ef)
	require.NoError(t, tx.Rollback(ctx))

	// Two transactions that would have to run one after the other: the second fails.
	other := newPool(t, s.url)
	level := pgx.TxOptions{IsoLevel: pgx.Serializable}
	first, err := other.BeginTx(ctx, level)
	require.NoError(t, err)
	second, err := other.BeginTx(ctx, level)
	require.NoError(t, err)
	defer second.Rollback(ctx)
	for i, tx := range []pgx.Tx{first, second} {
		_, err = s.docs.Count(vecwire.WithPgxTx(ctx, tx), filter.Gt("n", 0))
		require.NoError(t, err)
		err = s.docs.Upsert(vecwire.WithPgxTx(ctx, tx), entry([]string{"c", "d"}[i], 3))
		if tx == first {
			require.NoError(t, err)
		}
	}
	require.NoError(t, first.Commit(ctx))
	if err == nil {
		err = second.Commit(ctx)
	}
	var conflict *pgconn.PgError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, "40001", conflict.Code)
}

// What cannot be a part of the transaction is refused and does nothing.
func TestPgxTxRefuses(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	ctx := t.Context()
	inTx, tx := s.begin("one")

	elsewhere, err := vecwire.OpenPool(ctx, newPool(t, testenv.Postgres(t)))
	require.NoError(t, err)
	defer elsewhere.Close()
	other, err := elsewhere.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2}) // of the same name
	require.NoError(t, err)
	err = other.Upsert(inTx, entry("a", 1))
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorContains(t, err, "another database")
	require.NotContains(t, err.Error(), tx.Conn().Config().Password)

	for name, verb := range map[string]func(ctx context.Context) error{
		"open":   func(ctx context.Context) error { _, err := s.db.OpenCollection(ctx, "docs"); return err },
		"drop":   func(ctx context.Context) error { return s.db.DropCollection(ctx, "docs") },
		"mirror": func(ctx context.Context) error { _, err := s.docs.Mirror(ctx, vecwire.MirrorOptions{}); return err },
		"ingest": func(ctx context.Context) error {
			_, err := s.docs.Ingest(ctx, nil, vecwire.IngestOptions{})
			return err
		},
	} {
		require.ErrorContains(t, verb(inTx), "cannot be part of a transaction", name)
	}
	require.ErrorIs(t, s.docs.BuildIndex(inTx, vecwire.IndexOptions{}), vecwire.ErrUnsupported)
	require.ErrorIs(t, s.docs.DropIndex(inTx, "docs_vector"), vecwire.ErrUnsupported)
	var value *vecwire.ValueError
	require.ErrorAs(t, s.docs.Upsert(vecwire.WithPgxTx(ctx, nil), entry("a", 1)), &value)

	rows, err := tx.Query(ctx, "SELECT generate_series(1, 9)")
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.ErrorContains(t, s.docs.Upsert(inTx, entry("a", 1)), "in use", "by an open query")
	rows.Close()

	_, err = tx.Exec(ctx, "SET LOCAL bytea_output = 'escape'")
	require.NoError(t, err)
	require.NoError(t, s.docs.Upsert(inTx, entry("a", 1)), "what was found fit is not asked again")
	require.ErrorContains(t, s.docs.Upsert(vecwire.WithPgxTx(ctx, tx), entry("b", 1)), "bytea_output")
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "[a one]", s.stored())

	mirror, err := s.docs.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer mirror.Close()
	inTx, tx = s.begin("two")
	require.ErrorContains(t, mirror.Upsert(inTx, entry("c", 1)), "a transaction has no mirrors")
	require.NoError(t, s.docs.Upsert(inTx, entry("c", 1)))
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, mirror.Refresh(ctx))
	require.Contains(t, foundIDs(t, mirror.Collection, vecwire.Query{Vector: []float32{1, 1}}), "c")

	// Two transactions in one context.
	require.ErrorContains(t, s.db.Tx(ctx, func(ctx context.Context) error {
		return s.docs.Upsert(vecwire.WithPgxTx(ctx, tx), entry("d", 1))
	}), "two transactions")
}

// Goroutines that use one transaction at once are refused, or come one after the
// other; never do they mix on the connection.
func TestPgxTxConcurrently(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	inTx, tx := s.begin("one")
	require.NoError(t, s.docs.Upsert(inTx, entry("first", 1)))
	var group sync.WaitGroup
	done := make([]error, 16)
	for i := range done {
		group.Go(func() {
			ctx := inTx
			if i%2 == 0 {
				ctx = vecwire.WithPgxTx(t.Context(), tx)
			}
			done[i] = s.docs.Upsert(ctx, entry("a"+string(rune('a'+i)), 1))
		})
	}
	group.Wait()
	stored := 1
	for _, err := range done {
		if err == nil {
			stored++
		} else {
			require.ErrorContains(t, err, "in use")
		}
	}
	n, err := s.docs.Count(inTx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, stored, n)
	require.NoError(t, tx.Commit(t.Context()))
}

// contextual embeds as lengths does, and uses its context for another database.
type contextual struct {
	lengths
	other *vecwire.Collection
}

func (e contextual) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if _, err := e.other.Count(ctx, filter.Filter{}); err != nil {
		return nil, err
	}
	return e.lengths.Embed(ctx, texts, use)
}

// An embedder is not a part of the transaction, and keeps its vectors where it likes.
func TestPgxTxEmbeds(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	other, err := openURL(t, "mem:").CreateCollection(t.Context(), vecwire.Schema{Name: "vectors", Dim: 2})
	require.NoError(t, err)
	docs, err := s.docs.WithEmbedder(contextual{lengths{new(int)}, other})
	require.NoError(t, err)
	inTx, tx := s.begin("one")
	require.NoError(t, docs.Upsert(inTx, vecwire.Record{ID: "a", Text: "four"}))
	_, err = docs.ReplaceSource(inTx, "s", vecwire.Record{ID: "b", Text: "fifth"})
	require.NoError(t, err)
	runs := 0
	require.NoError(t, s.db.Tx(inTx, func(ctx context.Context) error {
		runs++
		return docs.Upsert(ctx, vecwire.Record{ID: "c", Text: "sixths"})
	}))
	require.Equal(t, 2, runs)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, "[a,b,c one]", s.stored())
}

// counting embeds as lengths does, and notes how many records a collection has.
type counting struct {
	lengths
	of   *vecwire.Collection
	seen *int
}

func (e counting) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	var err error
	if *e.seen, err = e.of.Count(ctx, filter.Filter{}); err != nil {
		return nil, err
	}
	return e.lengths.Embed(ctx, texts, use)
}

// An embedder that keeps its vectors in the same database is not a part of the
// transaction either.
func TestPgxTxEmbedsBesideItself(t *testing.T) {
	t.Parallel()
	s := newPgxTx(t)
	db := openURL(t, s.url) // whose pool has a connection beside the transaction's
	other, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "vectors", Dim: 2})
	require.NoError(t, err)
	docs, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	seen := -1
	docs, err = docs.WithEmbedder(counting{lengths{new(int)}, other, &seen})
	require.NoError(t, err)
	inTx, tx := s.begin("one")
	require.NoError(t, other.Upsert(inTx, vecwire.Record{ID: "a", Vector: []float32{1, 2}}))
	require.NoError(t, docs.Upsert(inTx, vecwire.Record{ID: "a", Text: "four"}))
	require.Zero(t, seen, "what the transaction stored is not there yet")
	n, err := other.Count(inTx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, tx.Commit(t.Context()))
}

// The server may start again: the database is the same, also by another address.
func TestPgxTxAfterRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server of its own")
	}
	t.Parallel()
	server := testenv.StartPostgres(t, nil)
	url := server.CreateDatabase(t)
	db := openURL(t, url)
	docs, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	require.NoError(t, err)
	server.Restart(t)
	tx, err := newPool(t, url).Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, docs.Upsert(vecwire.WithPgxTx(t.Context(), tx), entry("a", 1)))
	require.NoError(t, tx.Commit(t.Context()))

	elsewhere, err := newPool(t, testenv.Postgres(t)).Begin(t.Context())
	require.NoError(t, err)
	defer elsewhere.Rollback(t.Context())
	require.ErrorContains(t, docs.Upsert(vecwire.WithPgxTx(t.Context(), elsewhere), entry("a", 1)), "another database")
}
