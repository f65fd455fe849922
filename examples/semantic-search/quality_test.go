package main

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/lexical"
)

// A question is what a Go programmer might ask, with the symbols that answer it.
// All questions of a set were written, with their answers, before the first of
// them was tried, and none was changed after.
type question struct {
	query   string
	answers string
}

// The embedder's parameters were chosen with a look at these two sets.
var questions = []question{
	{"read a file line by line", "bufio.Scanner bufio.Scanner.Scan bufio.NewScanner bufio.Reader.ReadLine bufio.ScanLines bufio.Reader.ReadString"},
	{"parse a json string into a struct", "encoding/json.Unmarshal encoding/json.Decoder.Decode"},
	{"wait for a group of goroutines to finish", "sync.WaitGroup sync.WaitGroup.Wait"},
	{"run an external command and capture its output", "os/exec.Cmd.Output os/exec.Cmd.CombinedOutput os/exec.Command"},
	{"sort a slice with a custom comparison function", "slices.SortFunc sort.Slice slices.SortStableFunc"},
	{"compute the sha256 hash of some bytes", "crypto/sha256.Sum256 crypto/sha256.New"},
	{"stop an operation after a timeout", "context.WithTimeout"},
	{"convert a string to an integer", "strconv.Atoi strconv.ParseInt"},
	{"walk a directory tree", "path/filepath.WalkDir path/filepath.Walk io/fs.WalkDir"},
	{"serve static files over http", "net/http.FileServer net/http.FileServerFS net/http.ServeFile"},
	{"split text around a separator", "strings.Split strings.SplitN strings.Fields strings.Cut"},
	{"create a temporary file", "os.CreateTemp"},
}

var moreQuestions = []question{
	{"generate a cryptographically secure random number", "crypto/rand.Int crypto/rand.Read crypto/rand.Reader crypto/rand"},
	{"format a date as a string", "time.Time.Format time.Time.AppendFormat"},
	{"make an http post request", "net/http.Post net/http.PostForm net/http.Client.Post"},
	{"check whether a string starts with a prefix", "strings.HasPrefix"},
	{"compress data with gzip", "compress/gzip.Writer compress/gzip.NewWriter"},
	{"lock to protect shared data between goroutines", "sync.Mutex sync.RWMutex sync.Mutex.Lock"},
	{"replace all matches of a regular expression", "regexp.Regexp.ReplaceAllString regexp.Regexp.ReplaceAll"},
	{"read an environment variable", "os.Getenv os.LookupEnv"},
	{"get the type of a value at run time", "reflect.TypeOf reflect.Type reflect.Value.Type"},
	{"find the greatest element of a slice", "slices.Max slices.MaxFunc"},
	{"decode base64 text", "encoding/base64.Encoding.DecodeString encoding/base64.Encoding.Decode encoding/base64.NewDecoder"},
	{"escape html special characters", "html.EscapeString html/template.HTMLEscapeString html/template.HTMLEscape"},
	{"listen for tcp connections", "net.Listen net.ListenTCP"},
	{"measure elapsed time", "time.Since"},
	{"catch ctrl-c signal", "os/signal.Notify os/signal.NotifyContext"},
	{"parse command line flags", "flag.Parse flag flag.FlagSet.Parse"},
}

// These were written when everything had been chosen.
var unseenQuestions = []question{
	{"copy a file from reader to writer", "io.Copy io.CopyN io.CopyBuffer"},
	{"trim leading and trailing white space", "strings.TrimSpace bytes.TrimSpace"},
	{"pause the current goroutine for some time", "time.Sleep"},
	{"resolve a host name to ip addresses", "net.LookupHost net.LookupIP net.Resolver.LookupHost net.Resolver.LookupIP"},
	{"encrypt a block with aes", "crypto/aes.NewCipher crypto/aes crypto/cipher.Block crypto/cipher.Block.Encrypt"},
	{"remove a directory and everything in it", "os.RemoveAll"},
	{"increment a counter atomically", "sync/atomic.AddInt64 sync/atomic.AddInt32 sync/atomic.Int64.Add sync/atomic.Int32.Add"},
	{"parse a url query string", "net/url.ParseQuery net/url.URL.Query"},
	{"write a csv file", "encoding/csv.Writer encoding/csv.NewWriter encoding/csv.Writer.Write encoding/csv"},
	{"join path elements", "path.Join path/filepath.Join"},
	{"run a function only once", "sync.Once sync.Once.Do sync.OnceFunc"},
	{"list the files of a directory", "os.ReadDir os.File.ReadDir io/fs.ReadDir io/ioutil.ReadDir"},
	{"wrap an error and test for it later", "errors errors.Is errors.As errors.Unwrap fmt.Errorf"},
	{"count the bits set in an integer", "math/bits.OnesCount math/bits.OnesCount64"},
	{"decode a png image", "image/png.Decode image.Decode"},
	{"start a test server for http handlers", "net/http/httptest.NewServer net/http/httptest.Server net/http/httptest.NewUnstartedServer"},
}

// TestStandardLibrary reads this machine's Go and asks the questions of it, with
// a plain scan in the place of the database.
func TestStandardLibrary(t *testing.T) {
	tool, err := FindToolchain(t.Context())
	require.NoError(t, err)
	docs := read(t, tool)
	require.Greater(t, len(docs), 5000)
	ids := map[string]bool{}
	var fitter lexical.Fitter
	texts := make([]string, len(docs))
	for i, d := range docs {
		require.False(t, ids[d.ID], "%s is there twice", d.ID)
		require.NotContains(t, "/"+d.Package+"/", "/internal/")
		ids[d.ID] = true
		texts[i] = d.Text
		fitter.Add(d.Text)
	}
	for _, id := range []string{"bufio", "bufio.Scanner.Text", "builtin.append", "net/http.Server.ReadTimeout", "os.O_RDONLY", "reflect.Type.Elem"} {
		require.True(t, ids[id], id)
	}
	embedder, err := fitter.Fit(lexical.Options{})
	require.NoError(t, err)
	vectors, err := embedder.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)

	// ask returns how many of the questions have an answer among the first five.
	ask := func(questions []question) (answered int) {
		for _, q := range questions {
			query, err := embedder.Embed(t.Context(), []string{q.query}, embed.Query)
			require.NoError(t, err)
			ranking := rank(vectors, query[0])
			answers := strings.Fields(q.answers)
			for _, a := range answers {
				require.True(t, ids[a], "%s is not documented", a)
			}
			place := 1 + slices.IndexFunc(ranking, func(i int) bool { return slices.Contains(answers, docs[i].ID) })
			if place <= 5 {
				answered++
			}
			t.Logf("%5d  %-50s  first: %s", place, q.query, docs[ranking[0]].ID)
		}
		return answered
	}
	for _, set := range []struct {
		questions []question
		want      int
	}{{questions, 8}, {moreQuestions, 8}, {unseenQuestions, 8}} {
		n := ask(set.questions)
		t.Logf("%d of %d answered among the first five", n, len(set.questions))
		require.GreaterOrEqual(t, n, set.want)
	}
}

// rank returns the numbers of the vectors, the one with the greatest dot product
// first.
func rank(vectors [][]float32, query []float32) []int {
	scores := make([]float32, len(vectors))
	ranking := make([]int, len(vectors))
	for i := range vectors {
		ranking[i] = i
	}
	for j, x := range query {
		if x == 0 { // as most are
			continue
		}
		for i, v := range vectors {
			scores[i] += x * v[j]
		}
	}
	slices.SortStableFunc(ranking, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return ranking
}
