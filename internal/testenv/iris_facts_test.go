package testenv

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var irisKinds = []IRISOptions{
	{Version: IRISOldest, Mode: IRISExternal},
	{Version: IRISOldest, Mode: IRISEmbedded},
	{Version: IRISLatest, Mode: IRISExternal},
	{Version: IRISLatest, Mode: IRISEmbedded},
	{Version: IRISLatest, Mode: IRISDBAPI},
}

// someKinds are the kinds that a test takes: one for each mode, or all of them
// where VECWIRE_TEST_ALL asks for that.
func someKinds() []IRISOptions {
	if All() {
		return irisKinds
	}
	return irisKinds[2:]
}

// irisFact is one observation: what a probe sees on each of irisKinds.
type irisFact struct {
	name  string
	probe func(c *irisClient) string
}

// irisGolden holds what every fact was last seen to be.
const irisGolden = "iris/facts.golden"

// TestIRISFacts compares what the wire server does, in each version and mode,
// with what it did when irisGolden was written. VECWIRE_IRIS_FACTS=update writes
// the file again. For a real server it logs what it sees and compares nothing.
func TestIRISFacts(t *testing.T) {
	if !All() {
		t.Skip("it starts every kind of server: set VECWIRE_TEST_ALL=1")
	}
	seen := map[string][]string{}
	var kinds []string
	for _, kind := range irisKinds {
		s := IRIS(t, kind)
		name := kind.Version + " " + string(kind.Mode)
		if s.Real {
			name = "real"
		}
		kinds = append(kinds, name)
		c := connectIRIS(t, s)
		for _, f := range irisFacts {
			got := f.probe(c)
			if s.Real {
				t.Logf("%s: %s", f.name, got)
			}
			seen[f.name] = append(seen[f.name], got)
		}
		if s.Real {
			return
		}
		s.Kill(t)
	}
	var b strings.Builder
	for _, f := range irisFacts {
		fmt.Fprintf(&b, "\n%s\n", f.name)
		if got := seen[f.name]; len(slices.Compact(slices.Clone(got))) == 1 {
			fmt.Fprintf(&b, "  %-15s %s\n", "all", got[0])
			continue
		}
		for i, kind := range kinds {
			fmt.Fprintf(&b, "  %-15s %s\n", kind, seen[f.name][i])
		}
	}
	if os.Getenv("VECWIRE_IRIS_FACTS") == "update" {
		require.NoError(t, os.WriteFile(irisGolden, []byte(b.String()), 0o644))
		return
	}
	want, err := os.ReadFile(irisGolden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// irisFacts are the behaviours that the IRIS engine rests on.
var irisFacts = []irisFact{
	{"server_version", func(c *irisClient) string { return c.conn.PgConn().ParameterStatus("server_version") }},
	{"SELECT 1 exec", func(c *irisClient) string { return c.query("SELECT 1") }},
	{"SELECT 1 simple", func(c *irisClient) string { return c.querySimple("SELECT 1") }},
	{"ping", func(c *irisClient) string {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		defer cancel()
		return outcome(c.conn.Ping(ctx))
	}},
	{"empty statement, simple", func(c *irisClient) string {
		conn := dialIRIS(c.t, c.server)
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		defer cancel()
		_, err := conn.Exec(ctx, ";")
		return outcome(err)
	}},
	{"/* c */ SELECT 4714", func(c *irisClient) string { return fmt.Sprintf("%q", c.query("/* c */ SELECT 4714 AS x")) }},
	{"texts changed, bound bare", func(c *irisClient) string { return changedTexts(c, "INSERT INTO %s (id, v) VALUES ($1, $2)", "") }},
	{"texts changed, /*w*/ bound bare", func(c *irisClient) string { return changedTexts(c, "/*w*/ INSERT INTO %s (id, v) VALUES ($1, $2)", "") }},
	{"texts changed, SUBSTR", func(c *irisClient) string {
		return changedTexts(c, "/*w*/ INSERT INTO %s (id, v) VALUES (SUBSTR($1,2), SUBSTR($2,2))", "~")
	}},
	{"texts changed, SUBSTRING", func(c *irisClient) string {
		return changedTexts(c, "/*w*/ INSERT INTO %s (id, v) VALUES (SUBSTRING($1,2), SUBSTRING($2,2))", "~")
	}},
	{"texts changed, SUBSTRING, UNION ALL", func(c *irisClient) string {
		return changedTexts(c, "/*w*/ INSERT OR UPDATE %s (id, v) SELECT SUBSTRING($1,2), SUBSTRING($2,2) UNION ALL SELECT SUBSTRING($3,2), SUBSTRING($4,2)", "~")
	}},
	{"find by guarded id", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) COLLATE %EXACT NOT NULL PRIMARY KEY")
		c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES (SUBSTRING($1,2))", "~007")
		c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES (SUBSTRING($1,2))", "~1e5")
		return c.query("SELECT id FROM "+tb+" WHERE id = SUBSTRING($1,2)", "~007") + " / " +
			c.query("SELECT id FROM "+tb+" WHERE id IN (SUBSTRING($1,2), SUBSTRING($2,2)) ORDER BY 1", "~007", "~1e5") + " / bare " +
			c.query("SELECT id FROM "+tb+" WHERE id = $1", "007")
	}},
	{"canary INSERT VALUES", canary("INSERT INTO vw_never (id) VALUES ($1)")},
	{"canary INSERT VALUES /*w*/", canary("/*w*/ INSERT INTO vw_never (id) VALUES ($1)")},
	{"canary INSERT SELECT", canary("INSERT INTO vw_never (id) SELECT $1")},
	{"canary INSERT OR UPDATE", canary("INSERT OR UPDATE vw_never (id) VALUES ($1)")},
	{"canary INSERT OR UPDATE /*w*/", canary("/*w*/ INSERT OR UPDATE vw_never (id) VALUES ($1)")},
	{"canary UPDATE", canary("UPDATE vw_never SET id = $1")},
	{"canary UPDATE /*w*/", canary("/*w*/ UPDATE vw_never SET id = $1")},
	{"canary DELETE", canary("DELETE FROM vw_never WHERE id = $1")},
	{"canary DELETE /*w*/", canary("/*w*/ DELETE FROM vw_never WHERE id = $1")},
	{"canary simple protocol", func(c *irisClient) string { return c.simple("INSERT INTO vw_never (id) VALUES ('a')") }},
	{"duplicate INSERT", func(c *irisClient) string { return duplicate(c, "") }},
	{"duplicate INSERT /*w*/", func(c *irisClient) string { return duplicate(c, "/*w*/ ") }},
	{"wrong dimension on insert /*w*/", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT INTO "+tb+" (id, vec) VALUES ($1, TO_VECTOR($2, FLOAT))", "a", "[1,2]")
	}},
	{"too long a text /*w*/", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", strings.Repeat("x", 51))
	}},
	{"usable after an error", func(c *irisClient) string {
		c.exec("/*w*/ INSERT INTO vw_never (id) VALUES ($1)", "a")
		c.query("SELECT x FROM vw_never WHERE x = $1", "a")
		return c.query("SELECT 1")
	}},
	{"missing table SELECT", func(c *irisClient) string { return c.query("SELECT id FROM vw_never WHERE id = $1", "a") }},
	{"missing column SELECT", func(c *irisClient) string {
		return c.query("SELECT nope FROM "+c.table("id INT")+" WHERE id = $1", "a")
	}},
	{"upsert 1", func(c *irisClient) string {
		tb := c.table(vectorTable)
		up := "/*w*/ INSERT OR UPDATE " + tb + " (id, n, vec) VALUES (SUBSTRING($1,2), $2, TO_VECTOR($3, FLOAT))"
		return c.exec(up, "~a", 1, "[1,2,3]") + " " + c.exec(up, "~a", 2, "[1,2,4]") + " " + c.query("SELECT id, n, vec FROM "+tb)
	}},
	{"upsert 1 as INSERT OR UPDATE INTO", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT OR UPDATE INTO "+tb+" (id, n) VALUES ($1, $2)", "a", 1) + " " + reachedAs(c, tb, "insert or update")
	}},
	{"upsert keeps columns it does not name", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT OR UPDATE "+tb+" (id, n) VALUES ($1, $2)", "a", 1) + " " +
			c.exec("/*w*/ INSERT OR UPDATE "+tb+" (id, vec) VALUES ($1, TO_VECTOR($2, FLOAT))", "a", "[1,2,3]") + " " + c.query("SELECT id, n, vec FROM "+tb)
	}},
	{"? in a value before others, no comment and /*w*/", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) NOT NULL PRIMARY KEY, v VARCHAR(50)")
		return c.exec("INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", "a?b", "x") + " " +
			c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", "c?d", "y") + " " + c.query("SELECT id, v FROM "+tb+" ORDER BY 1")
	}},
	{"/*w*/ after the same text without", func(c *irisClient) string {
		return c.exec("INSERT INTO vw_never (id, again) VALUES ($1, 1)", "a") + " " + c.exec("/*w*/ INSERT INTO vw_never (id, again) VALUES ($1, 1)", "a")
	}},
	{"upsert 3 UNION ALL", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ "+unionUpsert(tb, 3), unionArgs(3)...) + " " + c.query("SELECT id, n, vec FROM "+tb+" ORDER BY 1")
	}},
	{"upsert 3 UNION ALL, no comment", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec(unionUpsert(tb, 3), unionArgs(3)...) + " " + c.query("SELECT id, n, vec FROM "+tb+" ORDER BY 1")
	}},
	{"upsert UNION ALL as reached", func(c *irisClient) string {
		tb := c.table(vectorTable)
		c.exec("/*w*/ "+unionUpsert(tb, 2), unionArgs(2)...)
		return reachedAs(c, tb, "insert or update ")
	}},
	{"upsert UNION ALL, one bad row", func(c *irisClient) string {
		tb := c.table(vectorTable)
		args := unionArgs(3)
		args[5] = "[1,2]"
		return c.exec("/*w*/ "+unionUpsert(tb, 3), args...) + ", stored " + c.query("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"multi-row VALUES", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) PRIMARY KEY")
		return c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1), ($2)", "a", "b")
	}},
	{"NULL keyword in UNION ALL", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT OR UPDATE "+tb+" (id, n) SELECT SUBSTRING($1,2), NULL UNION ALL SELECT SUBSTRING($2,2), $3", "~a", "~b", 5) +
			" " + c.query("SELECT id, n FROM "+tb+" ORDER BY 1")
	}},
	{"nil bound", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ INSERT INTO "+tb+" (id, n) VALUES ($1, $2)", "a", nil) + " " + c.query("SELECT id, n FROM "+tb)
	}},
	{"params per statement", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("/*w*/ "+unionUpsert(tb, 200), unionArgs(200)...) + " " + c.query("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"order by ordinal", func(c *irisClient) string { return ordered(c, "ORDER BY 2 DESC") }},
	{"order by ordinal, then 1", func(c *irisClient) string { return ordered(c, "ORDER BY 2 DESC, 1") }},
	{"order by alias", func(c *irisClient) string { return ordered(c, "ORDER BY score DESC") }},
	{"vector in search, bare column", func(c *irisClient) string { return searchAs(c, "vec", 3) }},
	{"vector in search, qualified", func(c *irisClient) string { return searchAs(c, "t.vec", 3) }},
	{"vector in search, bare, 1536-d", func(c *irisClient) string { return searchAs(c, "vec", 1536) }},
	{"search as reached", func(c *irisClient) string {
		tb := c.table(vectorTable)
		c.query("SELECT TOP 2 t.id, VECTOR_COSINE(t.vec, TO_VECTOR($1, FLOAT)) AS score FROM "+tb+" t WHERE t.n > $2 ORDER BY 2 DESC", "[1,2,3]", 0)
		return reachedAs(c, tb, "vector_cosine")
	}},
	{"times a SELECT runs, exec", func(c *irisClient) string {
		c.query("SELECT 4711 AS x WHERE 1 = $1", 1)
		return fmt.Sprint(len(c.reached("select 4711")))
	}},
	{"times a SELECT runs, simple", func(c *irisClient) string {
		c.querySimple("SELECT 4713 AS x")
		return fmt.Sprint(len(c.reached("select 4713")))
	}},
	{"engine statements around one exec SELECT", func(c *irisClient) string {
		before := len(c.reached(""))
		c.query("SELECT 4712 AS x")
		var all []string
		for _, s := range c.reached("")[before:] {
			all = append(all, s.SQL)
		}
		return strings.Join(all, "; ")
	}},
	{"OIDs varchar,int,bigint,double,vector,count,score", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50), n INT, b BIGINT, d DOUBLE, vec VECTOR(FLOAT, 3)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, n, b, d, vec) VALUES ($1, $2, $3, $4, TO_VECTOR($5, FLOAT))", "a", 1, 2, 0.5, "[1,2,3]")
		return oids(c, "SELECT id, n, b, d, vec FROM "+tb) + " " + oids(c, "SELECT COUNT(*) AS n FROM "+tb) + " " +
			oids(c, "SELECT VECTOR_COSINE(vec, TO_VECTOR('[1,2,3]', FLOAT)) AS s FROM "+tb)
	}},
	{"values back", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50), n INT, b BIGINT, d DOUBLE, vec VECTOR(FLOAT, 3)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, n, b, d, vec) VALUES ($1, $2, $3, $4, TO_VECTOR($5, FLOAT))", "a", 1, 2, 0.1, "[0.1,1e-7,3]")
		return c.query("SELECT id, n, b, d, vec, NULL FROM " + tb)
	}},
	{"columns of an empty result (2 asked of 3)", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50), a INT, b INT")
		rows, err := c.conn.Query(c.t.Context(), "SELECT id, a FROM "+tb+" WHERE id = $1", pgx.QueryExecModeExec, "none")
		if err != nil {
			return outcome(err)
		}
		n := len(rows.FieldDescriptions())
		rows.Close()
		return fmt.Sprintf("%d %s", n, outcome(rows.Err()))
	}},
	{"BIGINT kept", func(c *irisClient) string {
		tb := c.table("id INT, b BIGINT")
		var out []string
		for i, v := range []int64{1<<53 + 1, 1_000_000_000_000_000, 499_999_999_999_999, -1_000_000_000_000_000, 1<<63 - 1, -1 << 63} {
			c.exec("/*w*/ INSERT INTO "+tb+" (id, b) VALUES ($1, $2)", i, v)
			if got := c.query("SELECT b FROM "+tb+" WHERE id = $1", i); got != fmt.Sprint(v) {
				out = append(out, fmt.Sprintf("%d->%q", v, got))
			}
		}
		return strings.Join(out, " ")
	}},
	{"BIGINT kept, CAST(SUBSTRING)", func(c *irisClient) string {
		tb := c.table("id INT, b BIGINT")
		var out []string
		for i, v := range []int64{1<<53 + 1, 1_000_000_000_000_000, 499_999_999_999_999, -1_000_000_000_000_000, 1<<63 - 1, -1 << 63} {
			c.exec("/*w*/ INSERT INTO "+tb+" (id, b) VALUES ($1, CAST(SUBSTRING($2,2) AS BIGINT))", i, fmt.Sprintf("~%d", v))
			if got := c.query("SELECT b FROM "+tb+" WHERE id = $1", i); got != fmt.Sprint(v) {
				out = append(out, fmt.Sprintf("%d->%q", v, got))
			}
		}
		return strings.Join(out, " ")
	}},
	{"DOUBLE kept", func(c *irisClient) string {
		tb := c.table("id INT, d DOUBLE")
		var out []string
		for i, v := range []float64{0.1, 1e-300, 1.7976931348623157e308, -2.5, 1e21, 3} {
			c.exec("/*w*/ INSERT INTO "+tb+" (id, d) VALUES ($1, $2)", i, v)
			got := c.query("SELECT d FROM "+tb+" WHERE id = $1", i)
			var back float64
			if _, err := fmt.Sscan(got, &back); err != nil || back != v {
				out = append(out, fmt.Sprintf("%v->%q", v, got))
			}
		}
		return strings.Join(out, " ")
	}},
	{"bool bound", func(c *irisClient) string {
		tb := c.table("id INT, b BIT")
		return c.exec("/*w*/ INSERT INTO "+tb+" (id, b) VALUES ($1, $2)", 1, true) + " as 1: " +
			c.exec("/*w*/ INSERT INTO "+tb+" (id, b) VALUES ($1, $2)", 2, 1) + " " + c.query("SELECT b FROM "+tb)
	}},
	{"empty and NULL: bare, SUBSTR, SUBSTRING, NULL, column IS NULL", func(c *irisClient) string {
		tb := c.table("id INT, v VARCHAR(10)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", 1, "")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, SUBSTR($2,2))", 2, "~")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, SUBSTRING($2,2))", 3, "~")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, NULL)", 4)
		var out []string
		for i := range 4 {
			out = append(out, fmt.Sprintf("%q", c.query("SELECT v FROM "+tb+" WHERE id = $1", i+1)))
		}
		return strings.Join(out, " ") + " null ids " + c.query("SELECT id FROM "+tb+" WHERE v IS NULL ORDER BY 1")
	}},
	{"empty told from NULL by a CASE column", func(c *irisClient) string {
		tb := c.table("id INT, v VARCHAR(10)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, SUBSTRING($2,2))", 1, "~")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, NULL)", 2)
		return c.query("SELECT id, CASE WHEN v IS NULL THEN 1 ELSE 0 END FROM " + tb + " ORDER BY 1")
	}},
	{"prefix on read: '~'||v", func(c *irisClient) string {
		tb := c.table("id INT, v VARCHAR(40)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, SUBSTRING($2,2))", 1, "~")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, NULL)", 2)
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, SUBSTRING($2,2))", 3, "~5@%SYS.Python")
		return c.query("SELECT id, '~' || v FROM " + tb + " ORDER BY 1")
	}},
	{"DELETE IN", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) PRIMARY KEY")
		for _, id := range []string{"~a", "~b", "~c"} {
			c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES (SUBSTRING($1,2))", id)
		}
		return c.exec("/*w*/ DELETE FROM "+tb+" WHERE id IN (SUBSTRING($1,2), SUBSTRING($2,2))", "~a", "~b") + " left " + c.query("SELECT id FROM "+tb)
	}},
	{"DELETE of nothing", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) PRIMARY KEY")
		return c.exec("/*w*/ DELETE FROM "+tb+" WHERE id IN ($1)", "x") + ", no comment " + c.exec("DELETE FROM "+tb+" WHERE id IN ($1)", "x")
	}},
	{"tags INSERT, /*w*/ INSERT, UPDATE, DELETE", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) PRIMARY KEY")
		tag := func(sql string) string {
			tag, err := c.conn.Exec(c.t.Context(), sql, pgx.QueryExecModeExec, "a")
			return fmt.Sprintf("%q %s", tag.String(), outcome(err))
		}
		return tag("INSERT INTO "+tb+" (id) VALUES ($1)") + ", " + tag("/*w*/ INSERT OR UPDATE "+tb+" (id) VALUES ($1)") + ", " +
			tag("UPDATE "+tb+" SET id = $1") + ", " + tag("DELETE FROM "+tb+" WHERE id = $1")
	}},
	{"filters", filters},
	{"LIKE ESCAPE", func(c *irisClient) string {
		tb := c.table("id INT, v VARCHAR(50) COLLATE %EXACT")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", 1, "50%_x")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", 2, "50 zx")
		return c.query("SELECT id FROM "+tb+" WHERE v LIKE SUBSTRING($1,2) ESCAPE '!' ORDER BY 1", "~50!%!_%") + " / " +
			c.query("SELECT id FROM "+tb+" WHERE v LIKE SUBSTRING($1,2) ORDER BY 1", "~50%")
	}},
	{"contains operator [", func(c *irisClient) string {
		tb := c.table("id INT, v VARCHAR(50)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id, v) VALUES ($1, $2)", 1, "abc")
		return c.query("SELECT id FROM "+tb+" WHERE v [ SUBSTRING($1,2)", "~bc")
	}},
	{"%EXACT(col)", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50)")
		c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", "Abc")
		return fmt.Sprintf("%q %q", c.query("SELECT id FROM "+tb+" WHERE id = $1", "aBC"), c.query("SELECT id FROM "+tb+" WHERE %EXACT(id) = $1", "aBC"))
	}},
	{"COLLATE %EXACT key", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) COLLATE %EXACT NOT NULL PRIMARY KEY")
		return c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", "Abc") + " " + c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", "aBC")
	}},
	{"CREATE TABLE as reached", func(c *irisClient) string {
		tb := c.table("id VARCHAR(255) COLLATE %EXACT NOT NULL PRIMARY KEY, body VARCHAR(32000), vec VECTOR(FLOAT, 3), dv VECTOR(DOUBLE, 3), d DOUBLE")
		return reachedAs(c, tb, "create table")
	}},
	{"CREATE TABLE twice, IF NOT EXISTS", func(c *irisClient) string {
		tb := c.table("id INT")
		return c.exec("CREATE TABLE "+tb+" (id INT)") + " / " + c.exec("CREATE TABLE IF NOT EXISTS "+tb+" (id INT)")
	}},
	{"DROP TABLE missing, IF EXISTS", func(c *irisClient) string {
		return c.exec("DROP TABLE vw_never") + " / " + c.exec("DROP TABLE IF EXISTS vw_never")
	}},
	{"HNSW DDL as reached", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.exec("CREATE INDEX "+tb+"h ON "+tb+" (vec) AS HNSW(Distance='Cosine', M=16, efConstruction=64)") + " " + reachedAs(c, tb, "create index")
	}},
	{"HNSW twice", func(c *irisClient) string {
		tb := c.table(vectorTable)
		ddl := "CREATE INDEX " + tb + "h ON " + tb + " (vec) AS HNSW(Distance='Cosine')"
		return c.exec(ddl) + " " + c.exec(ddl)
	}},
	{"VECTOR(DOUBLE) in exec: DOUBLE, double", func(c *irisClient) string {
		tb := c.table("id VARCHAR(50) PRIMARY KEY, vec VECTOR(DOUBLE, 3)")
		return c.exec("/*w*/ INSERT OR UPDATE "+tb+" (id, vec) VALUES ($1, TO_VECTOR($2, DOUBLE))", "a", "[1,2,3]") + " / " +
			c.exec("/*w*/ INSERT OR UPDATE "+tb+" (id, vec) VALUES ($1, TO_VECTOR($2, double))", "a", "[1,2,3]") + " / search " +
			c.query("SELECT id, VECTOR_COSINE(t.vec, TO_VECTOR($1, double)) AS score FROM "+tb+" t ORDER BY 2 DESC", "[1,2,3]")
	}},
	{"-259 and -257 in search", func(c *irisClient) string {
		tb := c.table(vectorTable)
		c.exec("/*w*/ "+unionUpsert(tb, 2), unionArgs(2)...)
		return c.query("SELECT VECTOR_COSINE(t.vec, TO_VECTOR($1, double)) AS score FROM "+tb+" t", "[1,2,3]") + " " +
			c.query("SELECT VECTOR_COSINE(t.vec, TO_VECTOR($1, FLOAT)) AS score FROM "+tb+" t", "[1,2]")
	}},
	{"catalog: tables, columns", func(c *irisClient) string {
		tb := c.table(vectorTable)
		return c.query("SELECT COUNT(*) AS n FROM INFORMATION_SCHEMA.TABLES WHERE UPPER(TABLE_NAME) = UPPER($1)", tb) + " / " +
			c.query("SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH FROM INFORMATION_SCHEMA.COLUMNS WHERE UPPER(TABLE_NAME) = UPPER($1) ORDER BY ORDINAL_POSITION", tb)
	}},
	{"ROLLBACK of an insert leaves", func(c *irisClient) string {
		tb := c.table("id INT")
		out := c.simple("BEGIN")
		status := string(c.conn.PgConn().TxStatus())
		out += "," + c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", 1) + "," + c.simple("ROLLBACK")
		return out + " status " + status + " rows " + c.query("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"BEGIN, INSERT, COMMIT", func(c *irisClient) string {
		tb := c.table("id INT")
		out := c.simple("BEGIN") + "," + c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", 1)
		other := dialIRIS(c.t, c.server)
		seen, err := rowsAsText(c.t.Context(), other, "SELECT COUNT(*) AS n FROM "+tb, pgx.QueryExecModeExec)
		return out + ", other sees " + seen + " " + outcome(err) + ", " + c.simple("COMMIT") + " rows " + c.query("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"simple protocol splits at ; in a literal", func(c *irisClient) string {
		tb := c.table("id VARCHAR(100)")
		victim := c.table("id INT")
		c.simple("INSERT INTO " + victim + " (id) VALUES (1)")
		c.simple("INSERT INTO " + tb + " (id) VALUES ('x ; DELETE FROM " + victim + " ; y')")
		return "victim rows " + c.querySimple("SELECT COUNT(*) AS n FROM "+victim)
	}},
	{"text with version() in a literal / bound", func(c *irisClient) string {
		tb := c.table("id VARCHAR(100)")
		out := c.simple("INSERT INTO "+tb+" (id) VALUES ('see version() here')") + " stored " + c.querySimple("SELECT COUNT(*) AS n FROM "+tb)
		return out + " / " + c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", "~see version() here") + " stored " + c.querySimple("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"LIMIT OFFSET", func(c *irisClient) string {
		tb := c.table("id INT")
		for i := range 4 {
			c.exec("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", i)
		}
		return c.query("SELECT id FROM "+tb+" ORDER BY id LIMIT 2 OFFSET 1") + " / TOP 2 after 0: " + c.query("SELECT TOP 2 id FROM "+tb+" WHERE id > $1 ORDER BY id", 0)
	}},
	{"pipeline: after a failed one", func(c *irisClient) string {
		conn := dialIRIS(c.t, c.server)
		tb := c.table("id INT")
		b := &pgx.Batch{}
		b.Queue("/*w*/ INSERT INTO vw_never (id) VALUES ($1)", 1)
		b.Queue("/*w*/ INSERT INTO "+tb+" (id) VALUES ($1)", 2)
		ctx, cancel := c.deadline()
		defer cancel()
		err := conn.SendBatch(ctx, b).Close()
		return outcome(err) + " stored after: " + c.query("SELECT COUNT(*) AS n FROM "+tb)
	}},
	{"reused and out-of-order $n", func(c *irisClient) string {
		return c.query("SELECT $1 AS a, $1 AS b", "~x") + " / " + c.query("SELECT $2 AS a, $1 AS b", "~x", "~y")
	}},
	{"white space inside a literal", func(c *irisClient) string { return c.query("SELECT 'a  b' AS a WHERE 1 = $1", 1) }},
	{"quoted names: order, Mixed", func(c *irisClient) string {
		tb := c.table(`"order" INT, "Mixed" INT, plain INT`)
		out := c.exec(`/*w*/ INSERT INTO `+tb+` ("order", "Mixed", plain) VALUES ($1, $2, $3)`, 1, 2, 3)
		return out + " " + c.query(`SELECT "order", "Mixed", PLAIN FROM `+tb+` WHERE "order" = $1`, 1) + " " + reachedAs(c, tb, `select "order"`)
	}},
	{"a column named pg_score", func(c *irisClient) string {
		tb := c.table("id INT, pg_score INT")
		return c.exec("/*w*/ INSERT INTO "+tb+" (id, pg_score) VALUES ($1, $2)", 1, 2) + " " + fmt.Sprintf("%q", c.query("SELECT pg_score FROM "+tb))
	}},
}
