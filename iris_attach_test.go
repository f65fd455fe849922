package vecwire_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestIRISAttach uses a table that another program made and fills.
func TestIRISAttach(t *testing.T) {
	eachIRIS(t, func(t *testing.T, server *testenv.IRISServer, db *vecwire.DB) {
		ctx, conn := t.Context(), bareIRIS(t, server)
		for _, sql := range []string{
			"DROP TABLE IF EXISTS product_vectors", "DROP TABLE IF EXISTS double_vectors", "DROP TABLE IF EXISTS no_vectors",
			"CREATE TABLE product_vectors (id INTEGER PRIMARY KEY, name VARCHAR(100), embedding VECTOR(FLOAT, 3))",
			"CREATE TABLE double_vectors (id INTEGER PRIMARY KEY, embedding VECTOR(DOUBLE, 3))",
			"CREATE TABLE no_vectors (id INTEGER PRIMARY KEY, embedding VECTOR(FLOAT, 3))",
			"INSERT INTO product_vectors (id, name, embedding) VALUES (7, 'lamp', TO_VECTOR('0.1,0.2,0.3', FLOAT))",
			"INSERT INTO product_vectors (id, name, embedding) VALUES (10, 'Lamp', TO_VECTOR('0.1,0.2,0.4', FLOAT))",
			"INSERT INTO product_vectors (id, name, embedding) VALUES (9, 'desk', TO_VECTOR('-1,0.2,0.4', FLOAT))",
			"INSERT INTO product_vectors (id, name) VALUES (11, 'not embedded')",
			"INSERT INTO double_vectors (id, embedding) VALUES (1, TO_VECTOR('1,2,3', DOUBLE))",
		} {
			_, err := conn.Exec(ctx, sql)
			require.NoError(t, err, sql)
		}
		t.Cleanup(func() {
			for _, table := range []string{"product_vectors", "double_vectors", "no_vectors"} {
				_, _ = conn.Exec(context.Background(), "DROP TABLE IF EXISTS "+table)
			}
		})
		a := vecwire.AttachOptions{Table: "product_vectors", IDColumn: "id", VectorColumn: "embedding", Fields: []vecwire.Field{{Name: "name"}}}
		c, err := db.AttachCollection(ctx, a)
		require.NoError(t, err)
		require.Equal(t, 3, c.Schema().Dim, "as the table's vectors have")

		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{0.1, 0.2, 0.3}, K: 2, Vectors: true})
		require.NoError(t, err)
		require.Len(t, hits, 2)
		require.Equal(t, "7", hits[0].ID)
		require.InDelta(t, 1, hits[0].Score, 1e-6)
		require.Equal(t, "lamp", hits[0].Fields["name"])
		require.Equal(t, []float32{0.1, 0.2, 0.3}, hits[0].Vector)
		require.Equal(t, "10", hits[1].ID)

		n, err := c.Count(ctx, filter.Eq("name", "lamp"))
		require.NoError(t, err)
		require.Equal(t, 1, n, "case counts, though the column ignores it")

		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "8", Vector: []float32{1, 0, 0}, Fields: vecwire.Fields{"name": "007"}},
			vecwire.Record{ID: "9", Vector: []float32{0, 1, 0}, Fields: vecwire.Fields{"name": "table"}}))
		var record *vecwire.RecordError
		err = c.Upsert(ctx, vecwire.Record{ID: "12", Vector: []float32{1, 0, 0}}, vecwire.Record{ID: "007", Vector: []float32{1, 0, 0}})
		require.ErrorAs(t, err, &record)
		require.Equal(t, "007", record.ID)
		require.Equal(t, 1, record.Index)
		var ids []string
		for r, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			ids = append(ids, r.ID)
		}
		require.Equal(t, []string{"7", "8", "9", "10", "11"}, ids, "in the order of the key")
		var name string
		require.NoError(t, conn.QueryRow(ctx, "SELECT name FROM product_vectors WHERE id = 8").Scan(&name))
		require.Equal(t, "007", name, "what other programs see")
		got, err := c.Get(ctx, "8", "08", "x")
		require.NoError(t, err)
		require.Len(t, got, 1)
		n, err = c.Delete(ctx, "8", "08", "x")
		require.NoError(t, err)
		require.Equal(t, 1, n)

		double := a
		double.Element = vecwire.DOUBLE
		_, err = db.AttachCollection(ctx, double)
		var element *vecwire.ElementError
		require.ErrorAs(t, err, &element)
		require.Equal(t, vecwire.ElementError{Want: vecwire.FLOAT, Got: vecwire.DOUBLE}, *element)
		_, err = db.AttachCollection(ctx, vecwire.AttachOptions{Table: "double_vectors", VectorColumn: "embedding"})
		require.ErrorAs(t, err, &element)
		require.Equal(t, vecwire.ElementError{Want: vecwire.DOUBLE, Got: vecwire.FLOAT}, *element)
		doubles, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "double_vectors", VectorColumn: "embedding", Element: vecwire.DOUBLE})
		require.NoError(t, err)
		hits, err = doubles.Search(ctx, vecwire.Query{Vector64: []float64{1, 2, 3}})
		require.NoError(t, err)
		require.Len(t, hits, 1)

		wrong := a
		wrong.Dim = 4
		_, err = db.AttachCollection(ctx, wrong)
		var dim *vecwire.DimensionError
		require.ErrorAs(t, err, &dim)
		require.Equal(t, vecwire.DimensionError{Want: 3, Got: 4}, *dim)

		empty := vecwire.AttachOptions{Table: "no_vectors", VectorColumn: "embedding"}
		_, err = db.AttachCollection(ctx, empty)
		require.ErrorContains(t, err, "state Dim")
		empty.Dim, empty.Element = 3, vecwire.DOUBLE
		late, err := db.AttachCollection(ctx, empty)
		require.NoError(t, err, "an empty table proves nothing")
		require.ErrorAs(t, late.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2, 3}}), &element)

		for _, missing := range []vecwire.AttachOptions{
			{Table: "no_such_table", VectorColumn: "embedding"}, {Table: "product_vectors", VectorColumn: "nope"}, {Table: `x"; DROP TABLE product_vectors`},
			{Table: "product_vectors", VectorColumn: "embedding", IDColumn: "nope"}, {Table: "a.b.c", VectorColumn: "v"},
		} {
			_, err = db.AttachCollection(ctx, missing)
			require.ErrorIs(t, err, vecwire.ErrNotFound, "%+v", missing)
		}
		_, err = db.AttachCollection(ctx, vecwire.AttachOptions{Table: "product_vectors", VectorColumn: "embedding", Metric: vecwire.L2})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, "L2")
		_, err = db.AttachCollection(ctx, vecwire.AttachOptions{Table: "product_vectors", VectorColumn: "embedding", TextColumn: "returning_customer"})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, "returning_customer")
		require.ErrorIs(t, c.BuildIndex(ctx, vecwire.IndexOptions{}), vecwire.ErrUnsupported)
	})
}
