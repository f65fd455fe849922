package vecwire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/wire"
)

// Config says how a database is opened. The zero Config is what [Open] uses.
type Config struct {
	// Logger receives what a person who runs the program may want to know.
	// Defaults to none.
	Logger *slog.Logger
	// Observer is told of every call. Defaults to none.
	Observer Observer
	// Server is how a server is connected to. The embedded engine has no use for it.
	Server ServerConfig
}

// DB is an open database: a file, or a server. It is safe for concurrent use.
type DB struct {
	engine   engine.Engine
	log      *slog.Logger
	observer Observer // nil for none

	mu     sync.RWMutex // guards closed, and that calls grows no more after it
	closed bool
	calls  sync.WaitGroup // the calls that run
}

// Open opens a database by its URL:
//
//	vectors.db, file:vectors.db, file:///var/lib/app/vectors.db
//
// is the embedded engine over a file, which is made if there is none. One
// process at a time may have it open: the file vectors.db.lock beside it, which
// stays after Close, sees to that. Do not remove it, nor give the store's file a
// second name by a hard link, while it is open. Every acknowledged write is on the disk;
// `file:vectors.db?sync=normal` leaves the last writes before a power cut to
// chance, though not those before a crash of the process, and writes faster.
//
//	mem:
//
// is the embedded engine in memory: private, empty, and gone after Close.
//
//	postgres://user:password@host:5432/database?sslmode=verify-full&pool_max_conns=10
//
// is PostgreSQL with the extension pgvector, over a pool of connections. The
// URL, its parameters, and the PG... environment variables are as pgx reads
// them. [OpenPool] takes a pool that is there already, [ServerConfig] has more
// settings. Exact searches of a DOUBLE collection read all vectors that pass the
// filter from the server, which has no 64-bit type to compare them by: 8 * Dim
// bytes a record, but never more than K of them in memory. An index avoids that,
// see [Collection.BuildIndex].
//
//	iris://user:password@host:5432/NAMESPACE
//
// is InterSystems IRIS behind iris-pgwire; a postgres:// URL of such a server is
// recognised. The pool is small, and its connections stay. Every statement has a
// deadline. A server that does not report when a write fails is read, and written
// to never: writes return [ErrUnsupported]. See docs/iris.md.
//
// Open returns a [*ConnectError] if the database cannot be opened.
func Open(ctx context.Context, url string) (*DB, error) {
	return Config{}.Open(ctx, url)
}

// Open opens a database by its URL, as the function [Open] does.
func (cfg Config) Open(ctx context.Context, url string) (*DB, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e, err := cfg.openEngine(ctx, url, log)
	if err != nil {
		return nil, wrap("open", "", err)
	}
	return &DB{engine: e, log: log, observer: cfg.Observer}, nil
}

const targetRemedy = `give a file such as "vectors.db", "mem:", or a URL that begins with postgres:// or iris://`

// openEngine finds out which engine a URL asks for, and opens it. Of a URL that
// it cannot make sense of, errors show the scheme only: there may be a password
// anywhere.
func (cfg Config) openEngine(ctx context.Context, target string, log *slog.Logger) (engine.Engine, error) {
	scheme := schemeOf(target)
	switch scheme {
	case "", "file", "mem":
		opts, err := localOptions(scheme, target)
		if err != nil {
			return nil, &engine.ConnectError{Target: strings.TrimPrefix(scheme+":…", ":"), Err: err, Remedy: "write a file's name, file:path, file:///path or mem:"}
		}
		opts.Logger = log
		return local.Open(ctx, opts)
	case "postgres", "postgresql":
		return wire.OpenPostgres(ctx, cfg.Server.options(target, log))
	case "iris":
		return wire.OpenIRIS(ctx, cfg.Server.options(target, log))
	}
	return nil, &engine.ConnectError{Target: scheme + ":…", Err: fmt.Errorf("unknown scheme %q", scheme), Remedy: targetRemedy}
}

// schemeRE is a scheme as RFC 3986 has it, of two letters or more: one is a drive.
var schemeRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+-]+:`)

// schemeOf returns the scheme of a URL in lower case, "" for a plain path. The
// key=value form of PostgreSQL's connection strings counts as its scheme, so
// that no password is taken for a file's name.
func schemeOf(target string) string {
	if dsnRE.MatchString(target) {
		return "postgres"
	}
	return strings.ToLower(strings.TrimSuffix(schemeRE.FindString(target), ":"))
}

var dsnRE = regexp.MustCompile(`(?i)^\s*(host|hostaddr|port|user|password|dbname|service|sslmode)\s*=`)

// localOptions reads a plain path, a file URL or "mem:".
func localOptions(scheme, target string) (local.Options, error) {
	switch {
	case target == "":
		return local.Options{}, errors.New("no database given")
	case strings.TrimSpace(target) == "" || target == ":memory:":
		return local.Options{}, fmt.Errorf("%q is no file's name", target)
	case scheme == "":
		return local.Options{Path: target}, nil
	}
	path, query, _ := strings.Cut(target[len(scheme)+1:], "?")
	if scheme == "mem" {
		if path != "" || query != "" {
			return local.Options{}, errors.New("mem: takes no path and no parameters")
		}
		return local.Options{}, nil
	}
	if host, ok := strings.CutPrefix(path, "//"); ok {
		if path = strings.TrimPrefix(host, "localhost"); !strings.HasPrefix(path, "/") {
			return local.Options{}, errors.New("the URL names a host")
		}
	}
	path, err := url.PathUnescape(path)
	if err != nil || path == "" {
		return local.Options{}, errors.New("the URL has no path")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return local.Options{}, errors.New("the URL's parameters cannot be read")
	}
	opts := local.Options{Path: path}
	for key, value := range values {
		if key != "sync" {
			return local.Options{}, fmt.Errorf("unknown parameter %q, the only one is sync", key)
		}
		switch value[0] {
		case "normal":
			opts.SyncNormal = true
		case "full":
		default:
			return local.Options{}, fmt.Errorf("sync is %q, want full or normal", value[0])
		}
	}
	return opts, nil
}

// Close waits for the calls that run and closes the database. Calls after it
// return [ErrClosed]; closing again does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	closed := db.closed
	db.closed = true
	db.mu.Unlock()
	if closed {
		return nil
	}
	db.calls.Wait()
	return wrap("close", "", db.engine.Close())
}

// enter begins a call: it keeps the database open until leave. A call may be
// part of another, as where an embedder's cache is a collection.
func (db *DB) enter() error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return ErrClosed
	}
	db.calls.Add(1)
	return nil
}

func (db *DB) leave() { db.calls.Done() }

// Capabilities says what a database's engine can do. What it cannot do returns
// [ErrUnsupported].
type Capabilities struct {
	Engine       string // the engine's name: "embedded", "postgres" or "iris"
	L2           bool   // collections with the metric L2
	Doubles      bool   // collections with DOUBLE elements
	MaxIDBytes   int    // the longest ID
	MaxDim       int    // the most dimensions of a vector
	Transactions bool   // [DB.Tx]; on IRIS known from its first call on
	Indexes      bool   // [Collection.BuildIndex] and what belongs to it
	Attach       bool   // [DB.AttachCollection]
	// AtomicBatches says that one Upsert is stored as a whole or not at all, and
	// seen so by others. Without, it is stored in parts: an Upsert that fails may
	// have stored some of its records. Doing it again is always safe.
	AtomicBatches bool
	// BatchRecords is how many records at a time go fastest into one Upsert where
	// there are many; [Collection.Ingest] goes by it.
	BatchRecords int
	Effort       bool // [Query].Effort and [Collection.Tune]
	FullText     bool // collections with full text, for [Query].Fusion
	// CompressedIndexes says that [IndexOptions].Compress is heeded.
	CompressedIndexes bool
}

// Capabilities returns what the database's engine can do.
func (db *DB) Capabilities() Capabilities { return Capabilities(db.engine.Capabilities()) }
