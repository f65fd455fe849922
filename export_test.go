package vecwire

import (
	"context"
	"log/slog"

	"github.com/vecwire/vecwire/internal/engine"
)

// OpenEngine opens a database over an engine, for tests of engines that no URL
// names.
func OpenEngine(e engine.Engine) *DB { return &DB{engine: e, log: slog.New(slog.DiscardHandler)} }

// Sweep does what the sweeper does from time to time.
func (db *DB) Sweep(ctx context.Context) { db.sweep(ctx) }

// Sweeps reports whether there is a sweeper.
func (db *DB) Sweeps() bool { return db.sweeper.Started() }
