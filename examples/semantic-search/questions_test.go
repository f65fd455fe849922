package main

// A question is what a Go programmer might ask, with the symbols that answer it.
// All questions of a set were written, with their answers, before the first of
// them was tried, and none was changed after.
type question struct {
	query   string
	answers string
}

// What rank does was chosen with a look at these three sets, at writtenQuestions and
// at demonstrations.
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

// demonstrations are what the project's README and its issues ask, with how far down
// the first answer may be.
var demonstrations = []struct {
	question
	most int
}{
	{question{"remove duplicates from a slice", "slices.Compact"}, 3},
	{question{"wait for several goroutines", "sync.WaitGroup"}, 3},
	{question{"read a file line by line", "bufio.Scanner"}, 2},
	{question{"stop an operation after a timeout", "context.WithTimeout"}, 3},
	{question{"parse a date", "time.Parse"}, 3},
	{question{"shuffle a deck of cards", "math/rand.Shuffle math/rand/v2.Shuffle"}, 3},
	{question{"send mail", "net/smtp.SendMail"}, 3},
}
