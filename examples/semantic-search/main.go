// Semantic-search finds what you need in the documentation of Go's standard
// library:
//
//	go run ./examples/semantic-search "read a file line by line"
//
// The first run reads the documentation out of your own Go installation, embeds
// it and stores it in a vector database in your cache directory. Later runs only
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
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/examples/internal/bar"
	"github.com/vecwire/vecwire/filter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
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

// A request is what the command line asks for.
type request struct {
	query string
	k     int
	pkg   string
	db    string
	dir   string // for what is kept beside the database
}

func parse(args []string, stderr io.Writer) (request, error) {
	var r request
	flags := flag.NewFlagSet("semantic-search", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: semantic-search [-k N] [-package PATH] [-db URL] WORDS...")
		flags.PrintDefaults()
	}
	flags.IntVar(&r.k, "k", 5, "show `N` hits")
	flags.StringVar(&r.pkg, "package", "", "search only the package `PATH`, such as net/http")
	flags.StringVar(&r.db, "db", "", "database `URL` (default a file in your cache directory)")
	if err := flags.Parse(args); err != nil {
		return r, fmt.Errorf("%w: %w", errUsage, err)
	}
	r.query = strings.Join(flags.Args(), " ")
	if r.query == "" || r.k < 1 {
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

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r, err := parse(args, stderr)
	if err != nil {
		return err
	}
	toolchain, err := FindToolchain(ctx)
	if err != nil {
		return err
	}
	db, err := vecwire.Open(ctx, r.db)
	if err != nil {
		return err
	}
	defer db.Close()

	start := time.Now()
	b := bar.New(stderr)
	index := Index{DB: db, Dir: r.dir, Progress: b.Show}
	docs, changes, err := index.Open(ctx, toolchain)
	b.End()
	if err != nil {
		return err
	}
	indexing := time.Since(start)

	start = time.Now()
	hits, err := search(ctx, docs, r)
	if err != nil {
		return err
	}
	searching := time.Since(start)

	p := printer{w: stdout, color: bar.IsTerminal(stdout) && os.Getenv("NO_COLOR") == ""}
	for _, hit := range hits {
		p.hit(hit, filepath.Join(toolchain.Root, "src"))
	}
	if len(hits) == 0 {
		p.text("Nothing found. The index knows words, not meaning: try others, as Go's documentation would put it.")
	}
	state := "up to date"
	if changes.Stored+changes.Removed > 0 {
		state = fmt.Sprintf("%d stored, %d removed", changes.Stored, changes.Removed)
	}
	p.note(fmt.Sprintf("%s: %d records, %s in %s; searched in %s", toolchain.Version, changes.Records, state, round(indexing), round(searching)))
	return p.err
}

// search returns the hits that share a word with the query. Without one, every
// score is zero and the order means nothing.
func search(ctx context.Context, docs *vecwire.Collection, r request) ([]vecwire.Hit, error) {
	q := vecwire.Query{Text: r.query, K: r.k}
	if r.pkg != "" {
		q.Filter = filter.Eq("package", r.pkg)
		n, err := docs.Count(ctx, q.Filter)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("the standard library has no package %q with documentation", r.pkg)
		}
	}
	hits, err := docs.Search(ctx, q)
	for len(hits) > 0 && hits[len(hits)-1].Score <= 0 {
		hits = hits[:len(hits)-1]
	}
	return hits, err
}

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	default:
		return d.Round(time.Microsecond)
	}
}
