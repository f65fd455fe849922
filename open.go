package vecwire

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/vecwire/vecwire/internal/address"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/fault"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/live"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/lru"
	"github.com/vecwire/vecwire/internal/named"
)

// Config says how a database is opened. The zero Config is what [Open] uses.
type Config struct {
	// Logger receives what a person who runs the program may want to know. What its
	// handler panics over is lost. Defaults to none.
	Logger *slog.Logger
	// Observer is told of every call. Defaults to none.
	Observer Observer
	// ReadOnly opens the embedded engine's file for reading, as ?mode=ro does: calls that
	// write return [ErrReadOnly]. Others may write to the file meanwhile. Servers and mem:
	// refuse it with [ErrUnsupported].
	ReadOnly bool
	// FS is where the file is that Open is given the name of, such as an embed.FS with a
	// store inside the program. It is opened for reading, as with ReadOnly, and must not
	// change. Put a store there after it was closed; without its other files, since an
	// index is linked again in memory. Defaults to none: a file of the system.
	FS fs.FS
	// LockTimeout is how long a call that writes to the embedded engine's file waits while
	// another process writes to it. It returns a [*LockedError] then. Defaults to 5 s.
	LockTimeout time.Duration
	// Memory is how many bytes the embedded engine keeps of the collections that were
	// used, about: codes, links, IDs, and vectors that are not yet in a snapshot. Beyond it
	// those are let go that were not used for the longest time, and loaded again when they
	// are used; the one in use stays, however large. What is mapped from a file is not
	// counted, since the system takes it back where memory is short. Defaults to 0: no
	// bound. See docs/embedded.md.
	Memory int64
	// Server is how a server is connected to. The embedded engine has no use for it.
	Server ServerConfig
}

// DB is an open database: a file, or a server. It is safe for concurrent use.
type DB struct {
	engine   engine.Engine
	caches   *lru.Database // the engine, which is told what is used of collections with MaxRecords
	log      *slog.Logger
	observer Observer // nil for none
	gate     gate.Gate
	lives    live.Names
	sweeper  expiry.Sweeper
}

// Open opens a database by its URL:
//
//	vectors.db, file:vectors.db, file:///var/lib/app/vectors.db
//
// is the embedded engine over a file, which is made if there is none. Any number
// of processes may have it open, read and write; see docs/embedded.md. Do not remove
// the files beside it, nor give the store's file a second name by a hard link, while it
// is open. Every acknowledged write is on the disk;
// `file:vectors.db?sync=normal` leaves the last writes before a power cut to
// chance, though not those before a crash of the process, and writes faster.
//
// `vectors.db?mode=ro` opens a store for reading, see [Config].ReadOnly.
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
// What is none of these is refused, and nothing of it is shown, since there may be
// a password anywhere in it. A file's name that has ://, @, = or ? in it is written
// with file: before it.
//
// A program that is built with the tag vecwire_noservers knows the embedded engine only,
// and is smaller: the URLs of servers return [ErrUnsupported], and ServerConfig's
// ExecMode and Tracer, OpenPool and WithPgxTx are not there.
//
// Open returns a [*ConnectError] if the database cannot be opened. [Config.Open] returns a
// [*ValueError] for a number that is less than 0.
func Open(ctx context.Context, url string) (*DB, error) {
	return Config{}.Open(ctx, url)
}

// Open opens a database by its URL, as the function [Open] does.
func (cfg Config) Open(ctx context.Context, url string) (*DB, error) {
	if err := cfg.check(); err != nil {
		return nil, wrap(OpOpen, "", err)
	}
	log := fault.Log(cfg.Logger)
	e, err := cfg.openEngine(ctx, url, log)
	if err != nil {
		return nil, wrap(OpOpen, "", err)
	}
	return cfg.over(e, log), nil
}

// check refuses numbers out of their range.
func (cfg Config) check() error {
	for _, v := range []struct {
		name string
		is   int64
		got  any
	}{
		{"Config.LockTimeout", int64(cfg.LockTimeout), cfg.LockTimeout}, {"Config.Memory", cfg.Memory, cfg.Memory},
		{"ServerConfig.MaxConns", int64(cfg.Server.MaxConns), cfg.Server.MaxConns}, {"ServerConfig.MinConns", int64(cfg.Server.MinConns), cfg.Server.MinConns},
		{"ServerConfig.MaxConnLifetime", int64(cfg.Server.MaxConnLifetime), cfg.Server.MaxConnLifetime},
		{"ServerConfig.ConnectTimeout", int64(cfg.Server.ConnectTimeout), cfg.Server.ConnectTimeout},
		{"ServerConfig.StatementTimeout", int64(cfg.Server.StatementTimeout), cfg.Server.StatementTimeout},
	} {
		if v.is < 0 {
			return badValue(v.name, "more than 0, or 0 for the default", v.got)
		}
	}
	return nil
}

// over returns a database over an engine.
func (cfg Config) over(e engine.Engine, log *slog.Logger) *DB {
	caches := lru.Over(named.Over(e))
	return &DB{engine: caches, caches: caches, log: log, observer: cfg.Observer}
}

// openEngine opens the database of an address.
func (cfg Config) openEngine(ctx context.Context, target string, log *slog.Logger) (engine.Engine, error) {
	if cfg.FS != nil {
		return local.Open(ctx, local.Options{Path: target, FS: cfg.FS, Memory: cfg.Memory, Logger: log})
	}
	a, err := address.Parse(target)
	if err != nil {
		return nil, err
	}
	readOnly := cfg.ReadOnly || a.ReadOnly
	if readOnly && (a.Kind != address.Embedded || a.Path == "") {
		return nil, fmt.Errorf("%w: opening for reading only, but for a file of the embedded engine", ErrUnsupported)
	}
	if a.Kind != address.Embedded {
		return cfg.openServer(ctx, a, log)
	}
	return local.Open(ctx, local.Options{Path: a.Path, SyncNormal: a.SyncNormal, ReadOnly: readOnly, LockTimeout: cfg.LockTimeout, Memory: cfg.Memory, Logger: log, FitPages: true})
}

// Close waits for the calls that run and closes the database. Calls after it
// return [ErrClosed]; closing again does nothing. The embedded engine returns an
// error if something that was committed could not be written into the file, and says
// where it is. While another process has the store open it may stay in SQLite's log.
func (db *DB) Close() error {
	if !db.gate.Close() {
		return nil
	}
	db.sweeper.Close()
	return wrap(OpClose, "", db.engine.Close())
}

// Capabilities says what a database's engine can do. What it cannot do returns
// [ErrUnsupported].
type Capabilities struct {
	Engine       string // the engine's name: "embedded", "postgres" or "iris"
	L2           bool   // collections with the metric L2
	Doubles      bool   // collections with DOUBLE elements
	WideDoubles  bool   // under Cosine also with elements beyond 1e±150; not on IRIS
	MaxIDBytes   int    // the longest ID
	MaxDim       int    // the most dimensions of a vector
	Transactions bool   // [DB.Tx]; on IRIS known from its first call on
	Serializable bool   // the transactions of [DB.Tx] are; not on IRIS
	PgxTx        bool   // [WithPgxTx]
	Indexes      bool   // [Collection.BuildIndex] and what belongs to it
	Attach       bool   // [DB.AttachCollection]
	Reembed      bool   // [DB.Reembed]
	Alter        bool   // [DB.AlterCollection], and new fields in [DB.EnsureCollection]; not on IRIS
	Insert       bool   // [Collection.Insert]
	Update       bool   // [Collection.Update] and [Collection.UpdateWhere]
	UpdateIf     bool   // [Change].If; not on IRIS
	// AtomicBatches says that one Upsert is stored as a whole or not at all. Without, it is stored in parts: an Upsert that fails may
	// have stored some of its records. Doing it again is always safe.
	AtomicBatches bool
	// Snapshots says that others see all that one Upsert stores, or nothing: not where
	// collections may be distributed, and not on IRIS.
	Snapshots   bool
	Distributed bool // [Schema].Distributed: in a database with Citus
	// BatchRecords is how many records at a time go fastest into one Upsert where
	// there are many; [Collection.Ingest] goes by it.
	BatchRecords int
	Effort       bool // [Query].Effort and [Collection.Tune]
	FullText     bool // collections with full text, for [Query].Fusion
	Lists        bool // fields of the types [Strings], [Ints] and [Floats]
	JSON         bool // fields of the type [JSON]
	TextFilters  bool // filters over the field "text", the record's text
	Like         bool // the filter like
	// CompressedIndexes says that [IndexOptions].Compress is heeded.
	CompressedIndexes bool
	PartialIndexes    bool // [IndexOptions].Where; only on PostgreSQL
	PrefixIndexes     bool // [IndexOptions].Dims; only on PostgreSQL
	IndexMethods      bool // [IndexOptions].Method; only on PostgreSQL, where the extension is there
	AutoIndex         bool // a vector index is built by itself, see [AutoIndex]; by the embedded engine alone
	Facets            bool // [Collection.Facet]
	Usage             bool // [Collection.Usage]; not on IRIS
	Codes             bool // [Schema].Codes; by the embedded engine alone
	MaxRecords        bool // [Schema].MaxRecords; not on IRIS, nor in a database with Citus
	Vectors           bool // [Schema].Vectors; not on IRIS
}

// Capabilities returns what the database's engine can do.
func (db *DB) Capabilities() Capabilities {
	caps := db.engine.Capabilities()
	return Capabilities{
		Engine: caps.Engine, L2: caps.L2, Doubles: caps.Doubles, WideDoubles: caps.WideDoubles, MaxIDBytes: caps.MaxIDBytes, MaxDim: caps.MaxDim,
		Transactions: caps.Transactions, Serializable: caps.Serializable, PgxTx: caps.Join, Indexes: caps.Indexes, Attach: caps.Attach, Reembed: caps.Swap, Insert: caps.Insert, Alter: caps.Alter,
		Update: caps.Update, UpdateIf: caps.UpdateIf,
		AtomicBatches: caps.AtomicBatches, Snapshots: caps.Snapshots, Distributed: caps.Distributed, BatchRecords: caps.BatchRecords, Effort: caps.Effort, FullText: caps.FullText,
		CompressedIndexes: caps.CompressedIndexes, AutoIndex: caps.AutoIndex, PartialIndexes: caps.PartialIndexes, PrefixIndexes: caps.PrefixIndexes, IndexMethods: caps.IndexMethods, Lists: caps.Lists, Facets: caps.Facets, Usage: caps.Usage, JSON: caps.JSON, TextFilters: caps.TextFilters, Like: caps.Like, MaxRecords: caps.MaxRecords, Codes: caps.Codes, Vectors: caps.Vectors,
	}
}
