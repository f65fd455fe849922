package testenv

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

const vectorTable = "id VARCHAR(50) COLLATE %EXACT NOT NULL PRIMARY KEY, n INT, vec VECTOR(FLOAT, 3)"

// hostileTexts are values that some version of the server is known, or was read,
// to change.
var hostileTexts = []string{
	"007", "1.50", "3.10", "1e5", "1E5", "1_000", " 12 ", "+5", "-0", "٣", "0.1000000000000000055511151231257827", "1e999", "12345678901234567890",
	"NaN", "inf", "true", "t", "null", "NULL", "2024-01-15", "2024-01-15T10:00:00Z", "2024-01-15 10:00:00+02:00",
	"[1,2,3]", "{1,2}", "[a]", "a;b; DROP TABLE x; --", "it's", "$1", "?", "a ? b ?", "a::int", "public.foo", "SELECT version()", "/* c */", "-- x",
	"{\"a\": [1, 2]}", "a  b", " lead", "trail ", "line\nbreak\r\n", "tab\t", "back\\slash", "quote\"d", "emoji 😀", "Grüße", "5@%SYS.Python", "", " ",
}

// changedTexts stores every hostile text with the statement, which takes an id
// and a text, twice if it has four parameters, and lists those that are read back
// as something else.
func changedTexts(c *irisClient, statement, prefix string) string {
	tb := c.table("id VARCHAR(50) PRIMARY KEY, v VARCHAR(1000)")
	twice := strings.Contains(statement, "$4")
	statement = fmt.Sprintf(statement, tb)
	var changed []string
	for i, text := range hostileTexts {
		id := fmt.Sprintf("k%d", i)
		args := []any{prefix + id, prefix + text}
		if twice {
			args = append(args, prefix+id+"b", prefix+text)
		}
		if got := c.exec(statement, args...); got != "ok" {
			changed = append(changed, fmt.Sprintf("%q:%s", text, got))
			continue
		}
		want := text
		if got := c.query("SELECT v FROM "+tb+" WHERE id = $1", id); got != want {
			changed = append(changed, fmt.Sprintf("%q->%q", text, got))
		}
	}
	return strings.Join(changed, " ")
}

func canary(sql string) func(*irisClient) string {
	return func(c *irisClient) string { return c.exec(sql, "a") }
}

func duplicate(c *irisClient, comment string) string {
	tb := c.table("id VARCHAR(50) NOT NULL PRIMARY KEY")
	insert := comment + "INSERT INTO " + tb + " (id) VALUES ($1)"
	return c.exec(insert, "a") + " " + c.exec(insert, "a")
}

// unionUpsert is an upsert of n rows of vectorTable in one statement.
func unionUpsert(table string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT OR UPDATE " + table + " (id, n, vec) ")
	for i := range n {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		fmt.Fprintf(&b, "SELECT SUBSTRING($%d,2), $%d, TO_VECTOR($%d, FLOAT)", 3*i+1, 3*i+2, 3*i+3)
	}
	return b.String()
}

func unionArgs(n int) []any {
	var args []any
	for i := range n {
		args = append(args, fmt.Sprintf("~%03d", i), i, fmt.Sprintf("[%d,1,0.5]", i))
	}
	return args
}

func ordered(c *irisClient, order string) string {
	tb := c.table(vectorTable)
	c.exec("/*w*/ "+unionUpsert(tb, 3), unionArgs(3)...)
	return c.query("SELECT TOP 2 id, VECTOR_DOT_PRODUCT(vec, TO_VECTOR($1, FLOAT)) AS score FROM "+tb+" "+order, "[1,0,0]")
}

func searchAs(c *irisClient, column string, dim int) string {
	tb := c.table(fmt.Sprintf("id INT, vec VECTOR(FLOAT, %d)", dim))
	vector := "[" + strings.TrimSuffix(strings.Repeat("0.125,", dim), ",") + "]"
	if got := c.query("SELECT TOP 1 t.id, VECTOR_COSINE("+column+", TO_VECTOR($1, FLOAT)) AS score FROM "+tb+" t ORDER BY 2 DESC", vector); got != "" {
		return got
	}
	for _, s := range slices.Backward(c.reached("vector_cosine")) {
		if strings.Contains(strings.ToLower(s.SQL), tb) {
			if len(s.Params) > 0 {
				return "bound"
			}
			return "inlined"
		}
	}
	return "not seen"
}

// reachedAs shows the last statement with that text on that table as it reached
// the engine, with the table's name replaced.
func reachedAs(c *irisClient, table, containing string) string {
	for _, s := range slices.Backward(c.reached(containing)) {
		if strings.Contains(strings.ToLower(s.SQL), table) && !strings.Contains(s.SQL, "_metadata_discovery") {
			return strings.ReplaceAll(strings.ReplaceAll(s.SQL, table, "t1"), strings.ToUpper(table), "T1")
		}
	}
	return "not seen"
}

func oids(c *irisClient, sql string) string {
	rows, err := c.conn.Query(c.t.Context(), sql, pgx.QueryExecModeExec)
	if err != nil {
		return outcome(err)
	}
	var out []string
	for _, f := range rows.FieldDescriptions() {
		out = append(out, fmt.Sprint(f.DataTypeOID))
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return outcome(err)
	}
	return strings.Join(out, ",")
}

func filters(c *irisClient) string {
	tb := c.table("id INT, s VARCHAR(50) COLLATE %EXACT, n BIGINT, d DOUBLE")
	for i, s := range []string{"~go", "~007", "~Rust"} {
		c.exec("/*w*/ INSERT INTO "+tb+" (id, s, n, d) VALUES ($1, SUBSTRING($2,2), $3, $4)", i, s, 2020+i, float64(i)/2)
	}
	c.exec("/*w*/ INSERT INTO "+tb+" (id, s, n, d) VALUES ($1, NULL, NULL, NULL)", 3)
	var out []string
	for _, f := range []struct {
		where string
		args  []any
	}{
		{"s = SUBSTRING($1,2)", []any{"~007"}},
		{"s <> SUBSTRING($1,2)", []any{"~007"}},
		{"s IN (SUBSTRING($1,2), SUBSTRING($2,2))", []any{"~go", "~Rust"}},
		{"NOT (s IN (SUBSTRING($1,2)))", []any{"~go"}},
		{"n >= $1 AND n < $2", []any{2021, 2022}},
		{"n BETWEEN $1 AND $2", []any{2021, 2022}},
		{"d > $1", []any{0.25}},
		{"s IS NULL", nil},
		{"(n = $1 OR d = $2) AND s IS NOT NULL", []any{2020, 1.0}},
		{"s LIKE SUBSTRING($1,2)", []any{"~R%"}},
		{"s > SUBSTRING($1,2)", []any{"~a"}},
	} {
		out = append(out, c.query("SELECT id FROM "+tb+" WHERE "+f.where+" ORDER BY 1", f.args...))
	}
	return strings.Join(out, " / ")
}
