package vecwire_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
)

// childVariable makes the test binary run one part of a test as a process of its
// own, over the database that the variable names.
const childVariable = "VECWIRE_INGEST_TEST_DATABASE"

// TestMain runs the tests, or the part of a test that child asked for.
func TestMain(m *testing.M) {
	url := os.Getenv(childVariable)
	if url == "" {
		os.Exit(m.Run())
	}
	err := fmt.Errorf("no such part: %q", os.Args[1])
	switch os.Args[1] {
	case "texts":
		err = ingestTexts(url)
	case "million":
		err = ingestMillion(url)
	case "reembed":
		err = reembedInChild(url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child returns the command that runs a part of a test in another process.
func child(t *testing.T, part, url string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], part)
	cmd.Env = append(os.Environ(), childVariable+"="+url)
	return cmd
}

// opener returns a function that opens a database, which the caller closes.
func opener(url string) func(testing.TB) *vecwire.DB {
	return func(t testing.TB) *vecwire.DB {
		t.Helper()
		db, err := vecwire.Open(t.Context(), url)
		require.NoError(t, err)
		return db
	}
}

// openURL opens a database for the length of a test. A failure to close it is no
// failure of the test: the server may be gone.
func openURL(t testing.TB, url string) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// createCollection opens a database for a benchmark and makes a collection in it.
func createCollection(b *testing.B, path string, s vecwire.Schema) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(b.Context(), path)
	require.NoError(b, err)
	c, err := db.CreateCollection(b.Context(), s)
	require.NoError(b, err)
	return db, c
}

// generated yields n records of dim dimensions.
func generated(n, dim int) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			v := make([]float32, dim)
			for j := range v {
				v[j] = rng.Float32()
			}
			if !yield(vecwire.Record{ID: strconv.Itoa(i), Vector: v}, nil) {
				return
			}
		}
	}
}

// foundIDs returns the IDs of a query's hits.
func foundIDs(t testing.TB, c *vecwire.Collection, q vecwire.Query) []string {
	t.Helper()
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// lengths embeds a text as its length and counts the texts.
type lengths struct{ texts *int }

func (lengths) Model() string { return "lengths" }

func (lengths) Dim() int { return 2 }

func (l lengths) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	*l.texts += len(texts)
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = []float32{float32(len(text)), 0}
	}
	return out, nil
}

// run executes statements beside the package.
func run(t testing.TB, target string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), target)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, s := range statements {
		_, err := conn.Exec(context.Background(), s)
		require.NoError(t, err, s)
	}
}

// row returns the only row of a query, formatted.
func row(t testing.TB, url, sql string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	got, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
	require.NoError(t, err)
	return fmt.Sprint(got)
}

// with returns a URL with some of its parts changed.
func with(t testing.TB, target string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	change(u)
	return u.String()
}

// withParam returns a URL with one more parameter.
func withParam(t testing.TB, target, key, value string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// database returns the name of a URL's database.
func database(t testing.TB, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	return u.Path[1:]
}

// irisKinds are the servers that the engine is tested with. The executor of the
// latest version in external mode loses one of its connections to IRIS with
// every client that leaves, and so gets more of them than a test has clients.
var irisKinds = []testenv.IRISOptions{
	{Version: testenv.IRISOldest, Mode: testenv.IRISExternal},
	{Version: testenv.IRISOldest, Mode: testenv.IRISEmbedded},
	{Version: testenv.IRISLatest, Mode: testenv.IRISExternal, Env: map[string]string{"PGWIRE_POOL_SIZE": "180"}},
	{Version: testenv.IRISLatest, Mode: testenv.IRISEmbedded},
	{Version: testenv.IRISLatest, Mode: testenv.IRISDBAPI},
}

// irisServers are the servers of irisKinds that this run takes: one for each mode,
// all where VECWIRE_TEST_ALL asks for them, the oldest and the latest in a short
// run, such as the one for data races, or the one that VECWIRE_TEST_IRIS names.
func irisServers() []testenv.IRISOptions {
	switch {
	case os.Getenv("VECWIRE_TEST_IRIS") != "":
		return irisKinds[:1]
	case testenv.All():
		return irisKinds
	case testing.Short():
		return []testenv.IRISOptions{irisKinds[1], irisKinds[3]}
	}
	return []testenv.IRISOptions{irisKinds[0], irisKinds[3], irisKinds[4]}
}

// eachIRIS runs a test with every server, over an open database.
func eachIRIS(t *testing.T, test func(t *testing.T, server *testenv.IRISServer, db *vecwire.DB)) {
	for _, kind := range irisServers() {
		t.Run(kind.Version+"-"+string(kind.Mode), func(t *testing.T) {
			t.Parallel()
			server := testenv.IRIS(t, kind)
			test(t, server, openIRIS(t, server.URL()))
		})
	}
}

// openIRIS opens a database for the length of a test, and closes it without error.
func openIRIS(t testing.TB, url string) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// bareIRIS is a connection beside the package, as other programs have one.
func bareIRIS(t testing.TB, server *testenv.IRISServer) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(server.PostgresURL())
	require.NoError(t, err)
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
