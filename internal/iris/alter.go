package iris

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// Alter implements engine.Engine. The server hides the catalog, and has no
// transactions to rely on: a table that was altered in part could not be told from
// one that was altered whole.
func (e *database) Alter(context.Context, engine.Alter) error {
	return engine.Unsupported(engine.LackAlter, engineName)
}
