// Semantic-search finds what you need in the documentation of Go's standard
// library, by its meaning and by its words:
//
//	go run ./examples/semantic-search "remove duplicates from a slice"
//
// Without a question it asks for some. The first run reads the documentation out of
// your own Go installation and stores it in a vector database in your cache
// directory; while the vectors are computed, it answers by words. Later runs only
// search, until you install another version of Go.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/transform"

	"github.com/vecwire/vecwire/embed/builtin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "semantic-search: interrupted; run it again to go on")
		os.Exit(130) // as a shell reports SIGINT
	case err != nil:
		fmt.Fprintln(os.Stderr, "semantic-search:", err)
		os.Exit(1)
	}
}

// errUsage says that the command line is wrong, and that the user was told.
var errUsage = errors.New("wrong usage")

// documentTokens is how many tokens of a comment get a vector: its first sentence,
// which says what a symbol is for. Computing takes so much longer as it is
// more.
const documentTokens = 32

// A request is what the command line asks for.
type request struct {
	question string
	k        int
	pkg      string
	db       string
	dir      string // for what is kept beside the database
	json     bool
}

func parse(args []string, stderr io.Writer) (request, error) {
	var r request
	flags := flag.NewFlagSet("semantic-search", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: semantic-search [-k N] [-package PATH] [-db URL] [-json] [QUESTION...]")
		flags.PrintDefaults()
	}
	flags.IntVar(&r.k, "k", 5, "show `N` hits")
	flags.StringVar(&r.pkg, "package", "", "search only the package `PATH`, such as net/http")
	flags.StringVar(&r.db, "db", "", "database `URL` (default a file in your cache directory)")
	flags.BoolVar(&r.json, "json", false, "print each answer as a line of JSON")
	if err := flags.Parse(args); err != nil {
		return r, fmt.Errorf("%w: %w", errUsage, err)
	}
	r.question = strings.Join(flags.Args(), " ")
	if r.k < 1 {
		flags.Usage()
		return r, errUsage
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return r, fmt.Errorf("no place for the index: %w", err)
	}
	r.dir = filepath.Join(cache, "vecwire", "semantic-search")
	if r.db == "" {
		r.db = filepath.Join(r.dir, "docs.db")
	} else {
		r.dir = filepath.Join(r.dir, fmt.Sprintf("%x", sha256.Sum256([]byte(r.db)))[:12])
	}
	return r, os.MkdirAll(r.dir, 0o755)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	r, err := parse(args, stderr)
	if err != nil {
		return err
	}
	toolchain, err := FindToolchain(ctx)
	if err != nil {
		return err
	}
	embedder, err := builtin.Open(transform.Options{MaxTokens: documentTokens})
	if err != nil {
		return err
	}
	db, err := vecwire.Open(ctx, r.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := session{
		request: r,
		index:   Index{DB: db, Embedder: embedder, Dir: r.dir},
		printer: newPrinter(stdout, filepath.Join(toolchain.Root, "src")),
		stderr:  stderr,
	}
	if err := s.open(ctx, toolchain); err != nil {
		return err
	}
	if r.question == "" {
		return s.converse(ctx, stdin)
	}
	return s.once(ctx)
}
