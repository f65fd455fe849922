package iris

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// Check implements engine.Engine: the server has checks of its own.
func (*database) Check(context.Context) (engine.Checked, error) {
	return engine.Checked{}, engine.Unsupported(engine.LackCheck, engineName)
}

// Salvage implements engine.Engine: the server has tools of its own.
func (*database) Salvage(context.Context, string) (engine.Checked, error) {
	return engine.Checked{}, engine.Unsupported(engine.LackSalvage, engineName)
}

// Compact implements engine.Engine: the server vacuums by itself.
func (*database) Compact(context.Context) error {
	return engine.Unsupported(engine.LackCompact, engineName)
}
