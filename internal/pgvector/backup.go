package pgvector

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// Backup implements engine.Engine: the server has backups of its own.
func (*database) Backup(context.Context, string, func(engine.Progress)) error {
	return engine.Unsupported(engine.LackBackup, "postgres")
}
